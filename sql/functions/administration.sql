-- For people: what an operator asks of jobs and of all daemons together.

-- Cancels a job. Gives its state afterwards; a running one is asked to stop and stays running until it has.
create or replace function atelier.cancel(p_job uuid, p_reason text default null) returns text
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_job jobs;
begin
    p_reason := clipped(p_reason, 300);
    select * into v_job from jobs j where j.id = p_job for update;
    if not found then
        return null;
    end if;
    if v_job.state = 'running' then
        update jobs j set cancel_requested_at = coalesce(j.cancel_requested_at, now()),
                cancel_reason = coalesce(p_reason, j.cancel_reason)
            where j.id = p_job;
        perform pg_notify('atelier_control', p_job::text);
        return 'running';
    elsif v_job.state in ('available', 'scheduled', 'retryable') then
        update jobs j set state = 'cancelled', finalized_at = now(), cancel_reason = p_reason
            where j.id = p_job
            returning * into v_job;
        perform emit_event(v_job, 'cancelled', jsonb_strip_nulls(jsonb_build_object('reason', p_reason)));
    end if;
    return v_job.state::text;
end $$;

-- Whether a job in this state can be tried again; retry and who asks before it go by this.
create or replace function atelier.can_be_retried(p_state atelier.job_state) returns boolean
language sql immutable as $$
    select p_state in ('discarded', 'cancelled', 'retryable')
$$;

-- Tries a discarded, cancelled or waiting job again now, from its last checkpoint or from scratch. A job cancelled
-- while it waited has checkpoints still, whose files may be gone: it begins anew. Gives whether it did.
create or replace function atelier.retry(p_job uuid, p_from_scratch boolean default false) returns boolean
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_job jobs;
begin
    select * into v_job
        from jobs j
        where j.id = p_job and can_be_retried(j.state)
        for update;
    if not found then
        return false;
    end if;
    if p_from_scratch or v_job.state = 'cancelled' then
        delete from checkpoints c where c.job = p_job;
    end if;
    update jobs j set state = 'available', finalized_at = null, failures = 0, rescues = 0, run_after = now(),
        deadline = null, cancel_requested_at = null, cancel_reason = null
        where j.id = p_job
        returning * into v_job;
    perform emit_event(
        v_job, 'retried',
        jsonb_build_object('from_scratch', not exists (select from checkpoints c where c.job = p_job)));
    perform pg_notify('atelier_jobs', '');
    return true;
end $$;

-- What living workers hold under the names that a job needs, each as what a job needs: those asked for where a worker
-- holds them, else what it holds instead; of other digests only those that begin with p_digest.
create or replace function atelier.rebindings(p_needs text, p_digest text default '') returns text[]
language sql stable set search_path = atelier, pg_temp as $$
    select coalesce(array_agg(distinct h.needs order by h.needs), '{}')
    from (
        select string_agg(m.need, ' ' order by n.number) as needs,
            bool_or(m.need <> n.need and starts_with(m.digest, p_digest)) as is_meant
        from workers w
            cross join string_to_table(p_needs, ' ') with ordinality n(need, number)
            left join lateral (
                select k.digest, case when n.need like '%@' then n.need else k.model || '@' || k.digest end as need
                from worker_models k
                where k.worker = w.id and k.model = split_part(n.need, '@', 1)
                order by n.need = k.model || '@' || k.digest desc, starts_with(k.digest, p_digest) desc, k.digest
                limit 1) m on true
        where w.gone_at is null
        group by w.id
        having bool_and(m.need is not null)) h
    where h.needs = p_needs or h.is_meant
$$;

-- What differs between what a job needed and needs: [{"model": …, "from": DIGEST, "to": DIGEST}].
create or replace function atelier.rebound_models(p_from text, p_to text) returns jsonb
language sql immutable set search_path = atelier, pg_temp as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'model', split_part(t.need, '@', 1),
                'from', split_part(f.need, '@', 2),
                'to', split_part(t.need, '@', 2))
            order by number),
        '[]')
    from string_to_table(p_from, ' ') with ordinality f(need, number)
        join string_to_table(p_to, ' ') with ordinality t(need, number) using (number)
    where f.need <> t.need
$$;

-- Takes a waiting job over to the weights that living workers hold under the names it needs, where none holds those it
-- was accepted for. Of several p_digest, a digest or its beginning, says which. It begins anew: what it had learnt and
-- drawn was of the former weights. Gives its state; null where it was left alone.
create or replace function atelier.rebind(p_job uuid, p_digest text default '') returns text
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_job jobs;
    v_needs text[];
    v_digests text[];
begin
    select * into v_job
        from jobs j
        where j.id = p_job and j.state in ('available', 'scheduled', 'retryable') and j.model is not null
        for update;
    if not found then
        return null;
    end if;
    v_needs := rebindings(v_job.needs, p_digest);
    if cardinality(v_needs) <> 1 or v_job.needs = v_needs[1] then
        return null;
    end if;
    v_digests := array(select a.sha256 from artifacts a where a.job = p_job);
    delete from artifacts a where a.job = p_job;
    delete from metrics m where m.job = p_job;
    delete from checkpoints c where c.job = p_job;
    perform take_artifacts(v_job.tenant, v_digests);
    update jobs j set model_digest = nullif(split_part(split_part(v_needs[1], ' ', 1), '@', 2), ''),
        further_models = nullif(regexp_replace(v_needs[1], '^\S+ ?', ''), ''), stage = null, step = null, steps = null
        where j.id = p_job;
    perform emit_event(
        v_job, 'rebound', jsonb_build_object('models', rebound_models(v_job.needs, v_needs[1])));
    perform pg_notify('atelier_jobs', '');
    return v_job.state::text;
end $$;

-- Gives what holds then, and whether it was written down by this. An order that waited says which was the last one that
-- was known, and how many seconds ago it was given itself: one that was written down since, and was not known, stands.
drop function if exists atelier.pause(boolean);
drop function if exists atelier.pause(boolean, bigint, double precision);
create or replace function atelier.pause(
    p_paused boolean, p_known bigint default null, p_age double precision default 0)
returns table (paused boolean, changes bigint, is_written boolean)
language plpgsql security definer set search_path = atelier, pg_temp as $$
begin
    update cluster c set paused = p_paused, changes = c.changes + 1, changed_at = now()
        where p_known is null or c.changes <= p_known or c.changed_at < now() - p_age * interval '1 second';
    return query select c.paused, c.changes, found from cluster c;
end $$;
comment on function atelier.pause(boolean, bigint, double precision) is
    'Lets the daemons start no new work (true) or start work again (false); they hear of it with their next heartbeat.';

create or replace function atelier.shared_mark(p_proposal uuid) returns uuid
language sql security definer set search_path = atelier, pg_temp as $$
    update cluster c set shared_mark = coalesce(c.shared_mark, p_proposal)
        returning c.shared_mark
$$;
comment on function atelier.shared_mark(uuid) is
    'The mark of the folder that artifacts and checkpoints lie in; the first proposal becomes it.';

-- Deadlines of a large backlog may pass at once: a call discards so many that it ends within its time, and who calls comes again.
create or replace function atelier.expire() returns int language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs; v_count int := 0;
begin
    for v_job in select * from jobs j where j.state in ('available', 'scheduled', 'retryable') and j.deadline < now() limit 1000 for update skip locked loop
        update jobs j set state = 'discarded', finalized_at = now(), error_code = 'job.deadline', error_message = 'waited past its deadline' where j.id = v_job.id returning * into v_job;
        perform say(v_job, 'discarded', jsonb_build_object('error', jsonb_build_object('code', v_job.error_code, 'message', v_job.error_message)));
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

-- Who publishes a rejected message again is answered again; listeners have heard of it.
create or replace function atelier.reject(p_tenant text, p_message_id text, p_kind text, p_problems jsonb, p_body bytea, p_reply_to text, p_correlation_id text)
returns void language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_body jsonb := jsonb_build_object('version', 1, 'event', 'rejected', 'message_id', p_message_id, 'tenant', p_tenant, 'kind', p_kind, 'state', 'rejected',
        'problems', p_problems, 'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
    v_correlation text := coalesce(p_correlation_id, p_message_id);
begin
    insert into rejections (tenant, message_id, kind, problems, body) values (p_tenant, p_message_id, p_kind, p_problems, p_body) on conflict do nothing;
    if found then
        insert into outbox (event, exchange, routing_key, correlation_id, body)
            values ('rejected', 'events', word(p_tenant) || '.' || word(coalesce(p_kind, '')) || '.rejected', v_correlation, v_body);
    end if;
    if p_reply_to is not null then
        insert into outbox (event, exchange, routing_key, correlation_id, body) values ('rejected', '', p_reply_to, v_correlation, v_body);
    end if;
    perform pg_notify('atelier_outbox', '');
end $$;

-- A cancelled job keeps no checkpoint: who tries it again hears that it begins anew.
create or replace function atelier.retry(p_job uuid, p_from_scratch boolean default false) returns boolean
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare v_job jobs;
begin
    select * into v_job from jobs j where j.id = p_job and j.state in ('discarded', 'cancelled', 'retryable') for update;
    if not found then return false; end if;
    if p_from_scratch then delete from checkpoints c where c.job = p_job; end if;
    update jobs j set state = 'available', finalized_at = null, failures = 0, rescues = 0, run_after = now(), deadline = null, cancel_requested_at = null, cancel_reason = null
        where j.id = p_job returning * into v_job;
    perform say(v_job, 'retried', jsonb_build_object('from_scratch', not exists (select from checkpoints c where c.job = p_job)));
    perform pg_notify('atelier_jobs', '');
    return true;
end $$;

-- How long a job still takes is told by the pace of its present stage: drawing does not go at the pace of learning, and what was done
-- before a resume took none of this attempt's time.
alter table atelier.jobs add column stage_began_at timestamptz, add column stage_first_step integer;
comment on column atelier.jobs.stage_began_at is 'When this attempt first said something of its present stage, at step stage_first_step.';
create or replace function atelier.record(p_job uuid, p_attempt int, p_started jsonb, p_progress jsonb, p_metrics jsonb, p_checkpoint jsonb)
returns table (owned boolean, cancelling boolean) language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs; v_is_new boolean;
begin
    select * into v_job from own(p_job, p_attempt);
    if v_job.id is null then return query select false, false; return; end if;
    if p_started is not null then
        update attempts set engine = p_started->>'engine', backbone = p_started->>'backbone' where attempts.job = p_job and attempts.attempt = p_attempt;
        perform say(v_job, 'started', jsonb_build_object('engine', p_started->>'engine', 'backbone', p_started->>'backbone'));
    end if;
    if p_progress is not null then
        if p_progress ? 'stage' then
            v_is_new := v_job.stage is distinct from p_progress->>'stage';
            update jobs set stage = p_progress->>'stage', step = (p_progress->>'step')::int, steps = (p_progress->>'steps')::int,
                stage_began_at = case when v_is_new then now() else stage_began_at end,
                stage_first_step = case when v_is_new then (p_progress->>'step')::int else stage_first_step end where id = p_job;
        end if;
        update attempts set last_step = coalesce((p_progress->>'step')::int, last_step), peak_memory_bytes = greatest(peak_memory_bytes, (p_progress->>'memory')::bigint) where attempts.job = p_job and attempts.attempt = p_attempt;
    end if;
    if p_metrics is not null then
        insert into metrics (job, attempt, step, name, value)
            select distinct on (v.key, (m->>'step')::int) p_job, p_attempt, (m->>'step')::int, v.key, v.value::double precision
            from jsonb_array_elements(p_metrics) with ordinality e(m, n), jsonb_each_text(m->'values') v order by v.key, (m->>'step')::int, n desc
            on conflict (job, name, step) do update set value = excluded.value, attempt = excluded.attempt, at = now();
    end if;
    if p_checkpoint is not null then
        insert into checkpoints (job, attempt, step, path, sha256, bytes)
            values (p_job, p_attempt, (p_checkpoint->>'step')::int, p_checkpoint->>'path', p_checkpoint->>'sha256', (p_checkpoint->>'bytes')::bigint)
            on conflict do nothing;
        -- The last two stay: the newest, and the one before it in case the newest cannot be read.
        delete from checkpoints c where c.job = p_job and (c.attempt, c.step) not in
            (select k.attempt, k.step from checkpoints k where k.job = p_job order by k.attempt desc, k.step desc limit 2);
    end if;
    return query select true, v_job.cancel_requested_at is not null;
end $$;

create or replace view dashboard.running as
    select j.id as job, j.tenant, j.kind, j.attempt, j.stage, j.step, j.steps, round(100.0 * j.step / nullif(j.steps, 0), 1) as percent,
        round(extract(epoch from now() - j.started_at)::numeric, 1) as seconds,
        round((extract(epoch from now() - j.stage_began_at) * (j.steps - j.step) / nullif(j.step - j.stage_first_step, 0))::numeric, 1) as eta_seconds,
        j.cancel_requested_at is not null as cancelling, w.name as worker, round(extract(epoch from now() - w.beat_at)::numeric, 1) as beat_age_seconds,
        (select max(a.peak_memory_bytes) from atelier.attempts a where a.job = j.id) as peak_memory_bytes
    from atelier.jobs j join atelier.workers w on w.id = j.worker where j.state = 'running' order by j.started_at;
comment on column dashboard.running.eta_seconds is 'Until the end of the present stage, at the pace of this attempt''s steps of it; null before its second word.';

-- The shared folder is told from an empty mount point by a mark, which this table knows too.
alter table atelier.house add column shared_mark uuid;
create function atelier.shared_mark(p_proposal uuid) returns uuid language sql security definer set search_path = atelier, pg_temp as $$
    update house h set shared_mark = coalesce(h.shared_mark, p_proposal) returning h.shared_mark
$$;
comment on function atelier.shared_mark(uuid) is 'The mark of the folder that artifacts and checkpoints lie in; the first proposal becomes it.';
revoke all on function atelier.shared_mark(uuid) from public;
grant execute on function atelier.shared_mark(uuid) to atelier_daemon;

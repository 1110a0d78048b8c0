-- For people: what an operator asks of jobs and of all daemons together.

-- Cancels a job. Gives its state afterwards; a running one is asked to stop and stays running until it has.
create or replace function atelier.cancel(p_job uuid, p_reason text default null) returns text
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_job jobs;
begin
    select * into v_job from jobs j where j.id = p_job for update;
    if not found then
        return null;
    end if;
    if v_job.state = 'running' then
        update jobs j set cancel_requested_at = coalesce(j.cancel_requested_at, now()), cancel_reason = p_reason
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

create or replace function atelier.pause(p_paused boolean) returns table (paused boolean, changes bigint)
language sql security definer set search_path = atelier, pg_temp as $$
    update cluster c set paused = p_paused, changes = c.changes + 1, changed_at = now()
        returning c.paused, c.changes
$$;
comment on function atelier.pause(boolean) is
    'Lets the daemons start no new work (true) or start work again (false); they hear of it with their next heartbeat.';

create or replace function atelier.shared_mark(p_proposal uuid) returns uuid
language sql security definer set search_path = atelier, pg_temp as $$
    update cluster c set shared_mark = coalesce(c.shared_mark, p_proposal)
        returning c.shared_mark
$$;
comment on function atelier.shared_mark(uuid) is
    'The mark of the folder that artifacts and checkpoints lie in; the first proposal becomes it.';

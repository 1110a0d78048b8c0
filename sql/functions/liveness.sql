-- Workers register, beat, leave or are given up; what waits too long is discarded.

-- Registers a worker; gives how many jobs of its dead predecessor became free.
create or replace function atelier.register(
    p_id uuid, p_name text, p_host text, p_state_directory text, p_pid int, p_slots int)
returns int
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_workers uuid[];
    v_count int;
begin
    -- The state folder is locked by its daemon: whoever was registered with it on this host is dead.
    with gone as (
        update workers w set gone_at = now()
            where w.gone_at is null and w.host = p_host and w.state_directory = p_state_directory
            returning w.id)
    select array_agg(g.id) into v_workers from gone g;
    v_count := rescue(v_workers, 'the daemon died or was restarted');
    -- Its successor says itself what it holds.
    delete from worker_models m
        where m.worker = any (v_workers);
    insert into workers (id, name, host, state_directory, pid, slots)
        values (p_id, p_name, p_host, p_state_directory, p_pid, p_slots);
    return v_count;
end $$;

-- Says which models a worker holds, instead of what was said before: [{"model": …, "digest": …, "description": …}].
create or replace function atelier.register_models(p_worker uuid, p_models jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
begin
    delete from worker_models m
        where m.worker = p_worker;
    insert into worker_models (worker, model, digest, description)
        select p_worker, m->>'model', m->>'digest', m->'description'
        from jsonb_array_elements(p_models) m
        on conflict do nothing;
    -- What waited for one of them can be claimed now.
    perform pg_notify('atelier_jobs', '');
end $$;

-- A heartbeat, which says whether the worker is paused, and why it starts no new work otherwise. Gives the worker's
-- jobs with what somebody wants of them; no known row means that the worker was given up.
drop function if exists atelier.beat(uuid, boolean);
create or replace function atelier.beat(p_worker uuid, p_paused boolean, p_fault text default null)
returns table (job uuid, attempt int, cancelling boolean, known boolean)
language plpgsql set search_path = atelier, pg_temp as $$
begin
    update workers w set beat_at = now(), paused = p_paused, fault = p_fault
        where w.id = p_worker and w.gone_at is null;
    if not found then
        return query select null::uuid, null::int, false, false;
        return;
    end if;
    return query select null::uuid, null::int, false, true;
    return query
        select j.id, j.attempt, j.cancel_requested_at is not null, true
        from jobs j
        where j.worker = p_worker and j.state = 'running';
end $$;

-- Gives the jobs of dead workers back, not charged, to the places they had among those that wait; one that outlived ten
-- daemons is discarded.
drop function if exists atelier.rescue(uuid, text);
create or replace function atelier.rescue(p_workers uuid[], p_reason text) returns int
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
    v_count int := 0;
begin
    for v_job in
        select *
        from jobs j
        where j.worker = any (p_workers) and j.state = 'running'
        -- In the order of erase_tenant: else each might wait for what the other has locked.
        order by j.id
        for update
    loop
        update attempts a set ended_at = now(), outcome = 'lost', error_code = 'daemon.lost', error_message = p_reason
            where a.job = v_job.id and a.attempt = v_job.attempt;
        update jobs j set worker = null, rescues = j.rescues + 1,
            state = case
                when j.cancel_requested_at is not null then 'cancelled'
                when j.rescues + 1 >= 10 then 'discarded'
                else 'available' end::job_state,
            finalized_at = case when j.cancel_requested_at is not null or j.rescues + 1 >= 10 then now() end,
            -- What was cancelled ended as it was asked to.
            error_code = case when j.cancel_requested_at is null then 'daemon.lost' else 'job.cancelled' end,
            error_message = case when j.cancel_requested_at is null then p_reason else 'cancelled on request' end
            where j.id = v_job.id
            returning * into v_job;
        perform emit_event(
            v_job,
            case v_job.state when 'available' then 'rescued' else v_job.state::text end,
            case v_job.state
                when 'available' then jsonb_build_object('reason', p_reason)
                else jsonb_strip_nulls(jsonb_build_object(
                    'error', jsonb_build_object('code', v_job.error_code, 'message', v_job.error_message),
                    'reason', v_job.cancel_reason)) end);
        v_count := v_count + 1;
    end loop;
    if v_count > 0 then
        perform pg_notify('atelier_jobs', '');
    end if;
    return v_count;
end $$;

-- Gives up workers whose last heartbeat is older than p_lease seconds; gives how many jobs became free.
create or replace function atelier.rescue_expired(p_lease double precision) returns int
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_workers uuid[];
    v_count int;
    v_lease interval := p_lease * interval '1 second';
begin
    -- Nobody could beat while the database was down.
    if now() between pg_postmaster_start_time() and pg_postmaster_start_time() + v_lease then
        return 0;
    end if;
    -- The database's clock may be set back. What was written while it was ahead must not be waited for: a heartbeat
    -- from the future would keep a dead worker's jobs for so long.
    update workers w set beat_at = now()
        where w.gone_at is null and w.beat_at > now() + v_lease;
    with gone as (
        update workers w set gone_at = now()
            where w.id in (
                select k.id
                from workers k
                where k.gone_at is null and k.beat_at < now() - v_lease
                -- Not `for update`: an attempt that writes holds its job, asks whether its worker is there, and would
                -- wait for this while this waits for the job.
                for no key update skip locked)
            returning w.id)
    select array_agg(g.id) into v_workers from gone g;
    v_count := rescue(v_workers, 'the daemon gave no sign of life');
    perform return_to_now(v_lease);
    return v_count;
end $$;

-- Takes what was written while the clock was ahead back to now. Nothing waits for its next try longer than ten minutes,
-- and what may be claimed, and a turn that was had, do not lie ahead at all: such a job would go behind all others of
-- its tenant, and such a tenant behind all others. What its sender wants begun later is scheduled, and stays so. Waits
-- for nobody's locks, and takes so many that it ends within its time: who calls comes again.
create or replace function atelier.return_to_now(p_lease interval) returns void
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
begin
    update jobs j set run_after = now()
        where j.id in (
            select d.id
            from jobs d
            where d.state = 'retryable' and d.run_after > now() + interval '11 minutes'
            limit 5000
            for update skip locked);
    update jobs j set run_after = now()
        where j.id in (
            select d.id
            from jobs d
            where d.state = 'available' and d.kind <> 'probe' and d.run_after > now() + p_lease
            limit 5000
            for update skip locked);
    update tenants t set claimed_at = now()
        where t.tenant in (
            select d.tenant
            from tenants d
            where d.claimed_at > now() + p_lease
            for update skip locked);
    update outbox o set next_try = now()
        where o.id in (
            select d.id
            from outbox d
            where d.confirmed_at is null and d.set_aside_at is null and d.next_try > now() + interval '11 minutes'
            limit 5000
            for update skip locked);
end $$;

-- A worker leaves; gives how many jobs became free.
create or replace function atelier.leave(p_worker uuid) returns int
language plpgsql set search_path = atelier, pg_temp as $$
begin
    update workers set gone_at = now() where id = p_worker and gone_at is null;
    return rescue(array[p_worker], 'the daemon stopped');
end $$;

-- Discards what waited past its deadline and never began. Deadlines of a large backlog may pass at once: a call
-- discards so many that it ends within its time, and who calls comes again.
create or replace function atelier.expire() returns int
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
    v_count int := 0;
begin
    for v_job in
        select *
        from jobs j
        where j.state in ('available', 'scheduled', 'retryable') and j.deadline < now() and j.attempt = 0
        limit 1000
        for update skip locked
    loop
        update jobs j set state = 'discarded', finalized_at = now(), error_code = 'job.deadline',
            error_message = 'waited past its deadline'
            where j.id = v_job.id
            returning * into v_job;
        perform emit_event(
            v_job, 'discarded',
            jsonb_build_object(
                'error', jsonb_build_object('code', v_job.error_code, 'message', v_job.error_message)));
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

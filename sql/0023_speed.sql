-- What makes it fast: fewer indexes on what is written most, no row by row where a statement does, and views that look at what they
-- need, also beside a hundred thousand finished jobs.

-- An event's id is random; that no two are the same needs no index.
alter table atelier.outbox drop constraint outbox_event_id_key;
create index attempts_failed on atelier.attempts (error_code, ended_at) where outcome in ('failed', 'crashed', 'lost');

-- What ended in each hour that is over, counted once; what ends later is counted when it is looked at.
create table atelier.hours (
    hour timestamptz not null,
    kind text not null,
    state atelier.job_state not null,
    jobs bigint not null check (jobs > 0),
    primary key (hour, kind, state)
);
comment on table atelier.hours is 'How many jobs ended in an hour, by kind and state: history, also of jobs that were retried or pruned since.';

-- Counts the hours that are over. Those are waited for a minute: who ended a job at an hour''s end may have committed a moment later.
create function atelier.count_hours() returns int language plpgsql set search_path = atelier, pg_temp security definer as $$
declare v_count int;
begin
    perform pg_advisory_xact_lock(hashtextextended('atelier.hours', 0));
    insert into hours (hour, kind, state, jobs)
        select date_trunc('hour', j.finalized_at), j.kind, j.state, count(*) from jobs j
        where j.finalized_at >= coalesce((select max(h.hour) + interval '1 hour' from hours h), '-infinity')
            and j.finalized_at < date_trunc('hour', now() - interval '1 minute')
        group by 1, 2, 3;
    get diagnostics v_count = row_count;
    return v_count;
end $$;
revoke all on function atelier.count_hours() from public;
grant execute on function atelier.count_hours() to atelier_daemon;
grant select on atelier.hours to atelier_daemon, atelier_admin;

create or replace view dashboard.throughput as
    select hour, kind, state::text, jobs from atelier.hours where hour > now() - interval '7 days'
    union all
    select date_trunc('hour', finalized_at), kind, state::text, count(*) from atelier.jobs
    where finalized_at >= coalesce((select max(hour) + interval '1 hour' from atelier.hours), '-infinity') and finalized_at > now() - interval '7 days'
    group by 1, 2, 3 order by 1 desc, 2, 3;

-- Each part is what an index of waiting or running jobs holds: finished ones are not looked at.
create or replace view dashboard.queue as
    select kind, state::text, count(*) as jobs, min(created_at) as oldest, round(extract(epoch from now() - min(created_at))::numeric, 1) as oldest_seconds
    from (
        select kind, state, created_at from atelier.jobs where state = 'available' and kind <> 'probe'
        union all select kind, state, created_at from atelier.jobs where state = 'available' and kind = 'probe'
        union all select kind, state, created_at from atelier.jobs where state in ('scheduled', 'retryable')
        union all select kind, state, created_at from atelier.jobs where state = 'running') j
    group by kind, state order by kind, state;

create or replace view dashboard.workers as
    select id as worker, name, host, pid, slots, started_at, round(extract(epoch from now() - beat_at)::numeric, 1) as beat_age_seconds, gone_at,
        (select count(*) from atelier.jobs j where j.worker = w.id and j.state = 'running') as running, paused from atelier.workers w order by started_at desc;

create or replace view dashboard.outbox as
    select w.waiting, w.oldest_seconds,
        (select count(*) from atelier.outbox where created_at > now() - interval '1 day' and confirmed_at > now() - interval '1 hour') as confirmed_last_hour, w.an_error
    from (
        select count(*) as waiting, round(extract(epoch from now() - min(created_at))::numeric, 1) as oldest_seconds, max(last_error) as an_error
        from atelier.outbox where confirmed_at is null) w;

-- Who discards a job says why in the same words everywhere: `error`, with its code.
create or replace function atelier.rescue(p_worker uuid, p_reason text) returns int language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs; v_count int := 0;
begin
    for v_job in select * from jobs j where j.worker = p_worker and j.state = 'running' for update loop
        update attempts a set ended_at = now(), outcome = 'lost', error_code = 'daemon.lost', error_message = p_reason where a.job = v_job.id and a.attempt = v_job.attempt;
        update jobs j set worker = null, rescues = j.rescues + 1, run_after = now(),
            state = case when j.cancel_requested_at is not null then 'cancelled' when j.rescues + 1 >= 10 then 'discarded' else 'available' end::job_state,
            finalized_at = case when j.cancel_requested_at is not null or j.rescues + 1 >= 10 then now() end,
            error_code = 'daemon.lost', error_message = p_reason
            where j.id = v_job.id returning * into v_job;
        perform say(v_job, case v_job.state when 'available' then 'rescued' else v_job.state::text end,
            case v_job.state when 'discarded' then jsonb_build_object('error', jsonb_build_object('code', 'daemon.lost', 'message', p_reason))
                else jsonb_build_object('reason', coalesce(v_job.cancel_reason, p_reason)) end);
        v_count := v_count + 1;
    end loop;
    if v_count > 0 then perform pg_notify('atelier_jobs', ''); end if;
    return v_count;
end $$;

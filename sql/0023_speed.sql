-- What makes it fast: fewer indexes on what is written most, no row by row where a statement does, and views that look at what they
-- need, also beside a hundred thousand finished jobs.

-- An event's id is random; that no two are the same needs no index. Sent messages are found by their age, in blocks.
alter table atelier.outbox drop constraint outbox_event_id_key;
drop index atelier.outbox_confirmed, atelier.outbox_job;
create index outbox_created on atelier.outbox using brin (created_at) with (pages_per_range = 16, autosummarize = on);
create index attempts_failed on atelier.attempts (error_code, ended_at) where outcome in ('failed', 'crashed', 'lost');

create or replace function atelier.accept_all(p_messages jsonb) returns table (place int, verdict text, job uuid)
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_places int[];
    v_fresh uuid[];
    v_message record;
    v_job jobs;
begin
    with given as (
        select distinct on (m.tenant, m.message_id) m.*, e.ordinality::int as place
        from jsonb_array_elements(p_messages) with ordinality e, lateral jsonb_to_record(e.value) as m(tenant text, message_id text, kind text, spec jsonb,
            priority int, run_after timestamptz, deadline timestamptz, reply_to text, correlation_id text, traceparent text, max_attempts int)
        order by m.tenant, m.message_id, e.ordinality),
    fresh as (
        insert into jobs (tenant, message_id, kind, spec, priority, run_after, deadline, reply_to, correlation_id, traceparent, max_attempts, state)
            select g.tenant, g.message_id, g.kind, g.spec, g.priority, coalesce(g.run_after, now()), g.deadline, g.reply_to, g.correlation_id, g.traceparent,
                g.max_attempts, case when g.run_after > now() then 'scheduled' else 'available' end::job_state
            from given g order by g.place
            on conflict (tenant, message_id) do nothing returning id, number, tenant, message_id)
    select array_agg(g.place order by f.number), array_agg(f.id order by f.number) into v_places, v_fresh
        from fresh f join given g on g.tenant = f.tenant and g.message_id = f.message_id;
    if v_fresh is not null then
        perform say_all(v_fresh, 'accepted', '{}');
        perform pg_notify('atelier_jobs', '');
        return query select f.place, 'accepted', f.id from unnest(v_places, v_fresh) f(place, id);
    end if;
    if coalesce(cardinality(v_fresh), 0) = jsonb_array_length(p_messages) then return; end if;
    for v_message in
        select e.ordinality::int as place, e.value->>'tenant' as tenant, e.value->>'message_id' as message_id, e.value->>'reply_to' as reply_to,
            e.value->>'correlation_id' as correlation_id
        from jsonb_array_elements(p_messages) with ordinality e where e.ordinality::int <> all (coalesce(v_places, '{}')) order by e.ordinality
    loop
        select * into strict v_job from jobs j where j.tenant = v_message.tenant and j.message_id = v_message.message_id;
        v_job.reply_to := coalesce(v_message.reply_to, v_job.reply_to);
        v_job.correlation_id := coalesce(v_message.correlation_id, v_job.correlation_id);
        perform say(v_job, 'duplicate', jsonb_strip_nulls(jsonb_build_object('result', v_job.result)));
        return query select v_message.place, 'duplicate', v_job.id;
    end loop;
end $$;

-- Claims up to p_count probes, by priority, then age, and completes them: no engine comes between the two, so one transaction holds both,
-- and who dies in it leaves them as they were. They hold no slot, so tenants need no turns. Gives how many.
create function atelier.answer_probes(p_worker uuid, p_count int, p_result jsonb) returns int
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
declare v_done uuid[];
begin
    -- A worker that was given up must not claim.
    perform from workers w where w.id = p_worker and w.gone_at is null;
    if not found then return 0; end if;
    with ready as (
        select j.id from jobs j where j.state = 'available' and j.kind = 'probe' order by j.priority desc, j.number limit p_count for update skip locked),
    done as (
        update jobs j set state = 'completed', attempt = j.attempt + 1, started_at = clock_timestamp(), finalized_at = clock_timestamp(), result = p_result,
            error_code = null, error_message = null
        from ready where j.id = ready.id returning j.id, j.attempt, j.number, j.started_at),
    tries as (
        insert into attempts (job, attempt, worker, started_at, ended_at, outcome, engine)
            select d.id, d.attempt, p_worker, d.started_at, d.started_at, 'completed', 'none' from done d)
    select array_agg(d.id order by d.number) into v_done from done d;
    if v_done is null then return 0; end if;
    perform say_all(v_done, 'completed', jsonb_build_object('result', p_result, 'artifacts', '[]'::jsonb));
    return cardinality(v_done);
end $$;
drop function atelier.claim_probes(uuid, int), atelier.finish_probes(uuid[], int[], jsonb);
revoke all on function atelier.answer_probes(uuid, int, jsonb) from public;
grant execute on function atelier.answer_probes(uuid, int, jsonb) to atelier_daemon;

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

-- By age, in blocks, instead of by an index that every sent message would have to be written to.
create or replace function atelier.prune(p_completed_days double precision, p_discarded_days double precision, p_probe_days double precision,
    p_message_days double precision, p_rejection_days double precision, p_limit int)
returns table (what text, count int) language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_sort record;
    v_count int;
begin
    for v_sort in
        select * from (values ('completed', false, p_completed_days), ('cancelled', false, p_completed_days), ('discarded', false, p_discarded_days),
            ('completed', true, p_probe_days), ('cancelled', true, p_probe_days), ('discarded', true, p_probe_days)) as s(state, is_probe, days)
        where s.days is not null
    loop
        -- What hangs on the job goes with it.
        delete from jobs j where j.id in (
            select d.id from jobs d
            where d.finalized_at < now() - v_sort.days * interval '1 day' and d.state = v_sort.state::job_state and (d.kind = 'probe') = v_sort.is_probe
                and not exists (select from concepts c where c.job = d.id)
                -- A message that did not leave yet must not be the only one to know of it.
                and d.id not in (select o.job from outbox o where o.confirmed_at is null and o.job is not null)
            order by d.finalized_at limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        return query select v_sort.state || case when v_sort.is_probe then ' probes' else ' jobs' end, v_count;
    end loop;
    if p_message_days is not null then
        delete from outbox o where o.id in (
            select d.id from outbox d
            where d.created_at < now() - p_message_days * interval '1 day' and d.confirmed_at < now() - p_message_days * interval '1 day'
            limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        return query select 'sent messages', v_count;
    end if;
    if p_rejection_days is not null then
        delete from rejections r where r.id in (
            select d.id from rejections d where d.at < now() - p_rejection_days * interval '1 day' order by d.at limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        return query select 'rejections', v_count;
    end if;
end $$;

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

-- As before; but what is past its deadline is never claimed: it waits to be discarded.
create or replace function atelier.claim(p_worker uuid, p_count int) returns setof atelier.jobs
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
begin
    -- One claim after the other: two that look at the same heads would each skip what the other has locked, and find too little.
    perform pg_advisory_xact_lock(hashtextextended('atelier.claim', 0));
    update jobs j set state = 'available' where j.id in (
        select d.id from jobs d where d.state in ('scheduled', 'retryable') and d.run_after <= now() order by d.run_after limit 1000 for update skip locked);
    return query
    -- Each tenant's first ones by the index, tenant after tenant: sorting a whole backlog takes the longer the more waits.
    with recursive tenants as (
        (select j.tenant from jobs j where j.state = 'available' and j.kind <> 'probe' order by j.tenant limit 1)
        union all
        select (select j.tenant from jobs j where j.state = 'available' and j.kind <> 'probe' and j.tenant > t.tenant order by j.tenant limit 1)
        from tenants t where t.tenant is not null),
    heads as (
        select h.*, t.tenant, row_number() over (partition by t.tenant order by h.priority desc, h.run_after, h.number) as place
        from tenants t, lateral (
            select j.id, j.priority, j.run_after, j.number from jobs j
            where j.state = 'available' and j.kind <> 'probe' and j.tenant = t.tenant and (j.deadline is null or j.deadline > now())
            order by j.priority desc, j.run_after, j.number limit p_count) h),
    busy as (select r.tenant, count(*) as running from jobs r where r.state = 'running' and r.kind <> 'probe' group by r.tenant),
    chosen as (
        select h.id from heads h left join busy b on b.tenant = h.tenant
        order by h.priority desc, coalesce(b.running, 0) + h.place, h.run_after, h.number limit p_count),
    ready as (
        select j.id from jobs j join chosen c on c.id = j.id where j.state = 'available' for update of j skip locked),
    claimed as (
        update jobs j set state = 'running', worker = p_worker, attempt = j.attempt + 1, started_at = now(), stage = null, step = null, steps = null,
            cancel_requested_at = null, cancel_reason = null
        from ready where j.id = ready.id returning j.*),
    tries as (insert into attempts (job, attempt, worker) select c.id, c.attempt, p_worker from claimed c)
    select * from claimed;
end $$;

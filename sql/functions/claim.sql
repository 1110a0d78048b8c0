-- Which job is next.
--
-- Within a tenant: by priority, where ten minutes of waiting are worth as much as one step of priority, then by age. So
-- nothing waits for ever: after ninety minutes the least goes before the newest of the most urgent.
--
-- Between tenants: by level, then fewest running first, then whose last turn was longest ago. A tenant's level is the
-- priority of its most urgent job that waits, and rises by one step for each ten minutes in which the tenant waited and
-- got no turn, up to 9: one that always gets turns, however old its backlog, does not go before others by its age.
--
-- A deadline is for beginning: what is past it and never began waits to be discarded; what was interrupted goes on.

-- How many steps of priority a time of waiting is worth.
create or replace function atelier.steps_waited(p_since timestamptz) returns double precision
language sql stable as $$
    select greatest(0, extract(epoch from now() - p_since) / 600)::double precision
$$;

-- Claims up to p_count jobs that need an engine, of the kinds given (null: of all), and no model or memory that
-- the worker lacks, nor more room than the p_disk bytes that are free where it keeps them (null: nobody knows).
create or replace function atelier.claim(
    p_worker uuid, p_count int, p_kinds text[] default null, p_disk bigint default null)
returns setof atelier.jobs
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off
set plan_cache_mode = force_generic_plan as $$
declare
    v_memory bigint;
begin
    -- Whoever asks finds most often that nothing waits: that costs no lock, and none of the plans below.
    if not exists (select from jobs j where j.state = 'available' and j.kind <> 'probe')
        and not exists (select from jobs j where j.state in ('scheduled', 'retryable') and j.run_after <= now()) then
        return;
    end if;
    -- One claim after the other: two that look at the same heads would each skip what the other has locked, and find
    -- too little.
    perform pg_advisory_xact_lock(hashtextextended('atelier.claim', 0));
    -- What is free changes with every page that is written, a row of it only where it changes by 16 MiB.
    update workers w set disk_bytes = p_disk
        where w.id = p_worker and w.gone_at is null
            and coalesce(abs(w.disk_bytes - p_disk) >= 16777216, w.disk_bytes is distinct from p_disk);
    -- A worker that was given up must not claim: nobody would miss its jobs any more. Who gives it up meanwhile waits,
    -- and then sees them.
    select w.memory_bytes into v_memory from workers w where w.id = p_worker and w.gone_at is null for share;
    if not found then
        return;
    end if;
    update jobs j set state = 'available'
        where j.id in (
            select d.id
            from jobs d
            where d.state in ('scheduled', 'retryable') and d.run_after <= now()
            order by d.run_after
            limit 1000
            for update skip locked);
    return query
    -- The groups that wait, one after the other by the index, and then the first jobs of each: sorting a whole backlog
    -- takes the longer the more waits.
    with recursive groups as (
        (select j.tenant, j.needs, j.kind, j.priority
            from jobs j
            where j.state = 'available' and j.kind <> 'probe'
            order by j.tenant, j.needs, j.kind, j.priority
            limit 1)
        union all
        select n.*
        from groups g,
            lateral (
                select j.tenant, j.needs, j.kind, j.priority
                from jobs j
                where j.state = 'available' and j.kind <> 'probe'
                    and (j.tenant, j.needs, j.kind, j.priority) > (g.tenant, g.needs, g.kind, g.priority)
                order by j.tenant, j.needs, j.kind, j.priority
                limit 1) n),
    able as (
        select g.*
        from groups g
        where (p_kinds is null or g.kind = any (p_kinds))
            and not exists (
                select
                from string_to_table(g.needs, ' ') n(need)
                where not exists (
                    select
                    from worker_models m
                    where m.worker = p_worker and n.need in (m.model || '@', m.model || '@' || m.digest)))),
    heads as (
        select a.tenant, a.priority, h.*,
            row_number() over (
                partition by a.tenant
                order by a.priority + steps_waited(h.run_after) desc, h.run_after, h.number) as place
        from able a,
            lateral (
                select j.id, j.run_after, j.number
                from jobs j
                where j.state = 'available' and j.kind <> 'probe'
                    and j.tenant = a.tenant and j.needs = a.needs and j.kind = a.kind and j.priority = a.priority
                    and (j.deadline is null or j.deadline > now() or j.attempt > 0)
                    and fits(j.estimate, v_memory)
                    and (has_room(j.estimate, p_disk) or goes_on(j.id))
                order by j.run_after, j.number
                limit p_count) h),
    -- What a job holds up counts as its own: it goes before it in any case.
    levels as (
        select h.*, t.claimed_at,
            max(h.priority) over (
                partition by h.tenant order by h.place rows between current row and unbounded following)
            + floor(steps_waited(
                greatest(min(h.run_after) over (partition by h.tenant), t.claimed_at))) as level
        from heads h
            left join tenants t on t.tenant = h.tenant),
    busy as (
        select r.tenant, count(*) as running
        from jobs r
        where r.state = 'running' and r.kind <> 'probe'
        group by r.tenant),
    chosen as (
        select l.id
        from levels l
            left join busy b on b.tenant = l.tenant
        order by least(9, l.level) desc, coalesce(b.running, 0) + l.place, l.claimed_at nulls first, l.run_after,
            l.number
        limit p_count),
    ready as (
        select j.id
        from jobs j
            join chosen c on c.id = j.id
        where j.state = 'available'
        for update of j skip locked),
    claimed as (
        update jobs j set state = 'running', worker = p_worker, attempt = j.attempt + 1, started_at = now(),
            stage = null, step = null, steps = null, cancel_requested_at = null, cancel_reason = null,
            -- A job that runs again is cancelled no more; why an earlier attempt failed stays said.
            error_message = case when j.error_code <> 'job.cancelled' then j.error_message end,
            error_code = case when j.error_code <> 'job.cancelled' then j.error_code end
        from ready
        where j.id = ready.id
        returning j.*),
    tries as (
        insert into attempts (job, attempt, worker)
        select c.id, c.attempt, p_worker
        from claimed c),
    turns as (
        insert into tenants (tenant, claimed_at)
        select distinct c.tenant, now()
        from claimed c
        on conflict (tenant) do update set claimed_at = excluded.claimed_at)
    select * from claimed;
end $$;

-- Claims up to p_count probes, by priority, then age, and completes them: no engine comes between the two, so one
-- transaction holds both, and who dies in it leaves them as they were. They hold no slot, so tenants need no turns.
-- Gives how many.
create or replace function atelier.answer_probes(p_worker uuid, p_count int, p_result jsonb) returns int
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off
set plan_cache_mode = force_generic_plan as $$
declare
    v_done uuid[];
begin
    perform from workers w where w.id = p_worker and w.gone_at is null;
    if not found then
        return 0;
    end if;
    -- Claims would do this too, but there are none under a pause.
    update jobs j set state = 'available'
        where j.id in (
            select d.id
            from jobs d
            where d.state = 'scheduled' and d.kind = 'probe' and d.run_after <= now()
            order by d.run_after
            limit p_count
            for update skip locked);
    with ready as (
        select j.id
        from jobs j
        where j.state = 'available' and j.kind = 'probe'
            and (j.deadline is null or j.deadline > now() or j.attempt > 0)
        order by j.priority desc, j.number
        limit p_count
        for update skip locked),
    done as (
        update jobs j set state = 'completed', attempt = j.attempt + 1, started_at = clock_timestamp(),
            finalized_at = clock_timestamp(), result = p_result, error_code = null, error_message = null
        from ready
        where j.id = ready.id
        returning j.id, j.attempt, j.number, j.started_at),
    tries as (
        insert into attempts (job, attempt, worker, started_at, ended_at, outcome, engine)
        select d.id, d.attempt, p_worker, d.started_at, d.started_at, 'completed', 'none'
        from done d)
    select array_agg(d.id order by d.number) into v_done from done d;
    if v_done is null then
        return 0;
    end if;
    perform emit_events(v_done, 'completed', jsonb_build_object('result', p_result, 'artifacts', '[]'::jsonb));
    return cardinality(v_done);
end $$;

-- A daemon with a free slot asks after every claim that gave it too little.
create or replace function atelier.seconds_until_due() returns double precision
language plpgsql stable set search_path = atelier, pg_temp as $$
begin
    return (
        select extract(epoch from min(j.run_after) - now())::double precision
        from jobs j
        where j.state in ('scheduled', 'retryable'));
end $$;
comment on function atelier.seconds_until_due() is
    'Seconds until the next scheduled or retryable job may be claimed; null where none waits.';

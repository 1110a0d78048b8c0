-- Which job is next.

-- Claims up to p_count jobs that need an engine: by priority, then fairness between tenants (fewest running first),
-- then age. A deadline is for beginning: what is past it and never began waits to be discarded; what was interrupted
-- goes on.
create or replace function atelier.claim(p_worker uuid, p_count int) returns setof atelier.jobs
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
begin
    -- One claim after the other: two that look at the same heads would each skip what the other has locked, and find
    -- too little.
    perform pg_advisory_xact_lock(hashtextextended('atelier.claim', 0));
    -- A worker that was given up must not claim: nobody would miss its jobs any more. Who gives it up meanwhile waits,
    -- and then sees them.
    perform from workers w where w.id = p_worker and w.gone_at is null for share;
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
    -- Each tenant's first ones by the index, tenant after tenant: sorting a whole backlog takes the longer the more
    -- waits.
    with recursive tenants as (
        (select j.tenant
            from jobs j
            where j.state = 'available' and j.kind <> 'probe'
            order by j.tenant
            limit 1)
        union all
        select (
            select j.tenant
            from jobs j
            where j.state = 'available' and j.kind <> 'probe' and j.tenant > t.tenant
            order by j.tenant
            limit 1)
        from tenants t
        where t.tenant is not null),
    heads as (
        select h.*, t.tenant,
            row_number() over (partition by t.tenant order by h.priority desc, h.run_after, h.number) as place
        from tenants t,
            lateral (
                select j.id, j.priority, j.run_after, j.number
                from jobs j
                where j.state = 'available' and j.kind <> 'probe' and j.tenant = t.tenant
                    and (j.deadline is null or j.deadline > now() or j.attempt > 0)
                order by j.priority desc, j.run_after, j.number
                limit p_count) h),
    busy as (
        select r.tenant, count(*) as running
        from jobs r
        where r.state = 'running' and r.kind <> 'probe'
        group by r.tenant),
    chosen as (
        select h.id
        from heads h
            left join busy b on b.tenant = h.tenant
        order by h.priority desc, coalesce(b.running, 0) + h.place, h.run_after, h.number
        limit p_count),
    ready as (
        select j.id
        from jobs j
            join chosen c on c.id = j.id
        where j.state = 'available'
        for update of j skip locked),
    claimed as (
        update jobs j set state = 'running', worker = p_worker, attempt = j.attempt + 1, started_at = now(),
            stage = null, step = null, steps = null, cancel_requested_at = null, cancel_reason = null
        from ready
        where j.id = ready.id
        returning j.*),
    tries as (
        insert into attempts (job, attempt, worker)
        select c.id, c.attempt, p_worker
        from claimed c)
    select * from claimed;
end $$;

-- Claims up to p_count probes, by priority, then age, and completes them: no engine comes between the two, so one
-- transaction holds both, and who dies in it leaves them as they were. They hold no slot, so tenants need no turns.
-- Gives how many.
create or replace function atelier.answer_probes(p_worker uuid, p_count int, p_result jsonb) returns int
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
declare
    v_done uuid[];
begin
    perform from workers w where w.id = p_worker and w.gone_at is null;
    if not found then
        return 0;
    end if;
    with ready as (
        select j.id
        from jobs j
        where j.state = 'available' and j.kind = 'probe'
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
language sql stable set search_path = atelier, pg_temp as $$
    select extract(epoch from min(run_after) - now())::double precision
    from jobs
    where state in ('scheduled', 'retryable')
$$;
comment on function atelier.seconds_until_due() is
    'Seconds until the next scheduled or retryable job may be claimed; null where none waits.';

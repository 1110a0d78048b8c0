-- Probes: jobs that go the whole way without an engine, for health checks and benchmarks. And what makes the way fast: many messages
-- in one statement, for a commit costs the same for one row and for a hundred.
alter table atelier.jobs drop constraint jobs_kind_check;
alter table atelier.jobs add constraint jobs_kind_check check (kind in ('personalize', 'generate', 'compose', 'evaluate', 'probe'));

-- Those accepted in one transaction have one time; they are worked on in the order they came in.
alter table atelier.jobs add column number bigint generated always as identity;
comment on column atelier.jobs.number is 'The order of arrival, where times are the same.';

-- What is said of a job. Without a search path of its own, so that it can be inlined where a hundred are said at once.
create function atelier.event_body(p_job atelier.jobs, p_event text, p_detail jsonb) returns jsonb language sql stable as $$
    select jsonb_build_object('version', 1, 'event', p_event, 'job', (p_job).id, 'message_id', (p_job).message_id, 'tenant', (p_job).tenant,
        'kind', (p_job).kind, 'state', (p_job).state, 'attempt', (p_job).attempt,
        'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || p_detail
$$;

create or replace function atelier.say(p_job atelier.jobs, p_event text, p_detail jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_body jsonb := event_body(p_job, p_event, p_detail);
    v_correlation text := coalesce(p_job.correlation_id, p_job.message_id);
begin
    insert into job_events (job, event, detail) values (p_job.id, p_event, p_detail);
    insert into outbox (job, event, exchange, routing_key, correlation_id, body)
        values (p_job.id, p_event, 'events', word(p_job.tenant) || '.' || p_job.kind || '.' || p_event, v_correlation, v_body);
    if p_job.reply_to is not null and p_event in ('completed', 'discarded', 'cancelled', 'duplicate') then
        insert into outbox (job, event, exchange, routing_key, correlation_id, body) values (p_job.id, p_event, '', p_job.reply_to, v_correlation, v_body);
    end if;
    perform pg_notify('atelier_outbox', '');
end $$;

-- The same of many jobs, with one detail for all, in the order given.
create function atelier.say_all(p_jobs uuid[], p_event text, p_detail jsonb) returns void
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
begin
    insert into job_events (job, event, detail) select u.id, p_event, p_detail from unnest(p_jobs) u(id);
    insert into outbox (job, event, exchange, routing_key, correlation_id, body)
        select j.id, p_event, o.exchange, o.routing_key, coalesce(j.correlation_id, j.message_id), event_body(j, p_event, p_detail)
        from unnest(p_jobs) with ordinality u(id, place) join jobs j on j.id = u.id, lateral (
            select 'events' as exchange, word(j.tenant) || '.' || j.kind || '.' || p_event as routing_key
            union all select '', j.reply_to where j.reply_to is not null and p_event in ('completed', 'discarded', 'cancelled', 'duplicate')) o
        order by u.place;
    perform pg_notify('atelier_outbox', '');
end $$;

-- Accepts messages: one job for each (tenant, message id). Gives, for each message by its place from 1, `accepted`, or `duplicate` with
-- the first one's id. All or none of them.
create function atelier.accept_all(p_messages jsonb) returns table (place int, verdict text, job uuid)
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
drop function atelier.accept(text, text, text, jsonb, int, timestamptz, timestamptz, text, text, text, int);

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

-- What is ready is found by an index of its own for probes, so that neither waits behind the other's backlog.
drop index atelier.jobs_ready;
create index jobs_ready on atelier.jobs (tenant, priority desc, run_after, number) where state = 'available' and kind <> 'probe';
create index jobs_ready_probes on atelier.jobs (priority desc, number) where state = 'available' and kind = 'probe';

-- Claims up to p_count jobs that need an engine: by priority, then fairness between tenants (fewest running first), then age. What is past
-- its deadline is never claimed: it waits to be discarded.
create or replace function atelier.claim(p_worker uuid, p_count int) returns setof atelier.jobs
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
begin
    -- One claim after the other: two that look at the same heads would each skip what the other has locked, and find too little.
    perform pg_advisory_xact_lock(hashtextextended('atelier.claim', 0));
    -- A worker that was given up must not claim: nobody would miss its jobs any more. Who gives it up meanwhile waits, and then sees them.
    perform from workers w where w.id = p_worker and w.gone_at is null for share;
    if not found then return; end if;
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

-- What waited past its deadline is looked for every few seconds.
create index jobs_deadline on atelier.jobs (deadline) where deadline is not null and state in ('available', 'scheduled', 'retryable');

revoke all on function atelier.event_body(atelier.jobs, text, jsonb), atelier.say_all(uuid[], text, jsonb), atelier.accept_all(jsonb),
    atelier.answer_probes(uuid, int, jsonb) from public;
grant execute on function atelier.event_body(atelier.jobs, text, jsonb), atelier.say_all(uuid[], text, jsonb), atelier.accept_all(jsonb),
    atelier.answer_probes(uuid, int, jsonb) to atelier_daemon;

-- A deadline is for beginning: what began in time and was interrupted goes on.
create or replace function atelier.expire() returns int language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs; v_count int := 0;
begin
    for v_job in select * from jobs j where j.state in ('available', 'scheduled', 'retryable') and j.deadline < now() and j.attempt = 0 limit 1000 for update skip locked loop
        update jobs j set state = 'discarded', finalized_at = now(), error_code = 'job.deadline', error_message = 'waited past its deadline' where j.id = v_job.id returning * into v_job;
        perform say(v_job, 'discarded', jsonb_build_object('error', jsonb_build_object('code', v_job.error_code, 'message', v_job.error_message)));
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;
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
            where j.state = 'available' and j.kind <> 'probe' and j.tenant = t.tenant and (j.deadline is null or j.deadline > now() or j.attempt > 0)
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

-- A lifetime is reckoned by this clock, from when the message came.
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
            priority int, run_after timestamptz, deadline timestamptz, expires_in double precision, reply_to text, correlation_id text, traceparent text, max_attempts int)
        order by m.tenant, m.message_id, e.ordinality),
    fresh as (
        insert into jobs (tenant, message_id, kind, spec, priority, run_after, deadline, reply_to, correlation_id, traceparent, max_attempts, state)
            select g.tenant, g.message_id, g.kind, g.spec, g.priority, coalesce(g.run_after, now()),
                coalesce(g.deadline, now() + g.expires_in * interval '1 second'), g.reply_to, g.correlation_id, g.traceparent,
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

-- A host's fault under a running engine costs no attempt, but not without end: it counts like a daemon that died.
comment on column atelier.jobs.rescues is 'Counts daemons that died over it and hosts that failed under it; at ten it is discarded, for it may be what kills them.';
create or replace function atelier.finish(p_job uuid, p_attempt int, p_outcome text, p_consequence text, p_code text, p_message text, p_problems jsonb,
    p_result jsonb, p_artifacts jsonb, p_log_tail text, p_peak bigint, p_cpu double precision)
returns table (owned boolean, state text) language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
    v_state job_state;
    v_failures int;
    v_rescues int;
    v_wait double precision;
    v_adapter text;
begin
    select * into v_job from own(p_job, p_attempt);
    if v_job.id is null then return query select false, null::text; return; end if;
    v_failures := v_job.failures + (case when p_outcome in ('failed', 'crashed') then 1 else 0 end);
    v_rescues := v_job.rescues + (case when p_outcome = 'interrupted' and p_code = 'host.fault' then 1 else 0 end);
    v_state := case
        when p_outcome = 'completed' then 'completed'
        when p_outcome = 'cancelled' or (v_job.cancel_requested_at is not null) then 'cancelled'
        when v_rescues >= 10 and v_rescues > v_job.rescues then 'discarded'
        when v_rescues > v_job.rescues then 'retryable'
        when p_outcome = 'interrupted' then 'available'
        when p_consequence in ('rejected', 'fatal') or v_failures >= v_job.max_attempts then 'discarded'
        else 'retryable' end;
    -- Full jitter over an exponential from two seconds to ten minutes.
    v_wait := case when v_state = 'retryable' then (0.5 + random() / 2) * least(600, 2 * 2 ^ least(v_failures + v_rescues - 1, 20)) else 0 end;
    update attempts a set ended_at = now(), outcome = p_outcome::attempt_outcome, error_code = p_code, error_message = p_message, problems = p_problems,
        log_tail = p_log_tail, peak_memory_bytes = p_peak, processor_seconds = p_cpu where a.job = p_job and a.attempt = p_attempt;
    update jobs j set state = v_state, worker = null, failures = v_failures, rescues = v_rescues, run_after = now() + v_wait * interval '1 second',
        finalized_at = case when v_state in ('completed', 'cancelled', 'discarded') then now() end,
        result = case when v_state = 'completed' then coalesce(p_result, '{}') end, error_code = case when v_state <> 'completed' then p_code end,
        error_message = case when v_state <> 'completed' then p_message end
        where j.id = p_job returning * into v_job;
    if v_state = 'completed' then
        insert into artifacts (job, name, role, media_type, sha256, bytes, prompt, seed)
            select p_job, a->>'name', a->>'role', a->>'mediaType', a->>'sha256', (a->>'bytes')::bigint, a->>'prompt', (a->>'seed')::numeric
            from jsonb_array_elements(coalesce(p_artifacts, '[]')) a on conflict do nothing;
        if v_job.kind = 'personalize' then
            select a.sha256 into v_adapter from artifacts a where a.job = p_job and a.role = 'adapter' limit 1;
            if v_adapter is not null then
                insert into concepts (tenant, name, version, role, model, adapter_sha256, job)
                    select v_job.tenant, v_job.spec->'concept'->>'name', coalesce(max(c.version), 0) + 1, v_job.spec->'concept'->>'role', v_job.spec->>'model', v_adapter, p_job
                    from concepts c where c.tenant = v_job.tenant and c.name = v_job.spec->'concept'->>'name';
            end if;
        end if;
        perform say(v_job, 'completed', jsonb_build_object('result', v_job.result, 'artifacts', coalesce(
            (select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', a.name, 'role', a.role, 'media_type', a.media_type, 'sha256', a.sha256, 'bytes', a.bytes, 'prompt', a.prompt)) order by a.name)
             from artifacts a where a.job = p_job), '[]')));
    elsif v_state in ('cancelled', 'discarded') then
        perform say(v_job, v_state::text, jsonb_strip_nulls(jsonb_build_object('error', jsonb_build_object('code', p_code, 'message', p_message, 'problems', p_problems), 'reason', v_job.cancel_reason)));
    elsif v_state = 'retryable' then
        perform say(v_job, 'retrying', jsonb_build_object('error', jsonb_build_object('code', p_code, 'message', p_message), 'seconds', round(v_wait::numeric, 1)));
    else
        perform say(v_job, 'interrupted', jsonb_build_object('reason', p_message));
    end if;
    if v_state in ('completed', 'cancelled') then delete from checkpoints c where c.job = p_job; end if;
    if v_state = 'available' then perform pg_notify('atelier_jobs', ''); end if;
    return query select true, v_state::text;
end $$;

-- A job cancelled while it waited has checkpoints still, whose files may be gone: who tries it again begins anew.
create or replace function atelier.retry(p_job uuid, p_from_scratch boolean default false) returns boolean
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare v_job jobs;
begin
    select * into v_job from jobs j where j.id = p_job and j.state in ('discarded', 'cancelled', 'retryable') for update;
    if not found then return false; end if;
    if p_from_scratch or v_job.state = 'cancelled' then delete from checkpoints c where c.job = p_job; end if;
    update jobs j set state = 'available', finalized_at = null, failures = 0, rescues = 0, run_after = now(), deadline = null, cancel_requested_at = null, cancel_reason = null
        where j.id = p_job returning * into v_job;
    perform say(v_job, 'retried', jsonb_build_object('from_scratch', not exists (select from checkpoints c where c.job = p_job)));
    perform pg_notify('atelier_jobs', '');
    return true;
end $$;

create or replace function atelier.reject(p_tenant text, p_message_id text, p_kind text, p_problems jsonb, p_body bytea, p_reply_to text, p_correlation_id text)
returns void language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_body jsonb := jsonb_build_object('version', 1, 'event', 'rejected', 'message_id', p_message_id, 'tenant', p_tenant, 'kind', p_kind, 'state', 'rejected',
        'problems', p_problems, 'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
    v_correlation text := coalesce(p_correlation_id, p_message_id);
    -- A message that is delivered again is answered under the id it was answered under before.
    v_answer uuid := md5(jsonb_build_array(p_tenant, p_message_id, encode(sha256(p_body), 'hex'), p_reply_to, v_correlation)::text)::uuid;
begin
    insert into rejections (tenant, message_id, kind, problems, body) values (p_tenant, p_message_id, p_kind, p_problems, p_body) on conflict do nothing;
    if found then
        insert into outbox (event, exchange, routing_key, correlation_id, body)
            values ('rejected', 'events', word(p_tenant) || '.' || word(coalesce(p_kind, '')) || '.rejected', v_correlation, v_body);
    end if;
    if p_reply_to is not null then
        insert into outbox (event_id, event, exchange, routing_key, correlation_id, body) values (v_answer, 'rejected', '', p_reply_to, v_correlation, v_body);
    end if;
    perform pg_notify('atelier_outbox', '');
end $$;
comment on column atelier.rejections.body is 'What came, or its first 64 KiB and a line with the length and SHA-256 of all of it.';

-- What was refused before does not go before what was never sent.
drop index atelier.outbox_waiting;
create index outbox_waiting on atelier.outbox ((tries > 0), id) where confirmed_at is null;

-- Each function is one transition of a job with everything that belongs to it, in one transaction. Those of an attempt give false and
-- change nothing when the attempt no longer owns its job: the fence.

create function atelier.say(p_job atelier.jobs, p_event text, p_detail jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_body jsonb := jsonb_build_object('version', 1, 'event', p_event, 'job', p_job.id, 'message_id', p_job.message_id, 'tenant', p_job.tenant,
        'kind', p_job.kind, 'state', p_job.state, 'attempt', p_job.attempt,
        'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || p_detail;
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

create function atelier.word(p_text text) returns text language sql immutable as $$
    select coalesce(nullif(left(regexp_replace(p_text, '[^A-Za-z0-9_-]', '_', 'g'), 64), ''), '_')
$$;

-- Accepts a message: one job for each (tenant, message id). Gives `accepted`, or `duplicate` with the first one's id.
create function atelier.accept(p_tenant text, p_message_id text, p_kind text, p_spec jsonb, p_priority int, p_run_after timestamptz,
    p_deadline timestamptz, p_reply_to text, p_correlation_id text, p_traceparent text, p_max_attempts int)
returns table (verdict text, job uuid) language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs;
begin
    insert into jobs (tenant, message_id, kind, spec, priority, run_after, deadline, reply_to, correlation_id, traceparent, max_attempts, state)
        values (p_tenant, p_message_id, p_kind, p_spec, p_priority, coalesce(p_run_after, now()), p_deadline, p_reply_to, p_correlation_id, p_traceparent, p_max_attempts,
            case when p_run_after > now() then 'scheduled' else 'available' end::job_state)
        on conflict (tenant, message_id) do nothing returning * into v_job;
    if found then
        perform say(v_job, 'accepted', '{}');
        perform pg_notify('atelier_jobs', '');
        return query select 'accepted', v_job.id;
    else
        select * into v_job from jobs j where j.tenant = p_tenant and j.message_id = p_message_id;
        v_job.reply_to := coalesce(p_reply_to, v_job.reply_to);
        v_job.correlation_id := coalesce(p_correlation_id, v_job.correlation_id);
        perform say(v_job, 'duplicate', jsonb_strip_nulls(jsonb_build_object('result', v_job.result)));
        return query select 'duplicate', v_job.id;
    end if;
end $$;

-- Writes down a message that cannot be a job, and says so.
create function atelier.reject(p_tenant text, p_message_id text, p_kind text, p_problems jsonb, p_body bytea, p_reply_to text, p_correlation_id text)
returns void language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_body jsonb := jsonb_build_object('version', 1, 'event', 'rejected', 'message_id', p_message_id, 'tenant', p_tenant, 'kind', p_kind, 'state', 'rejected',
        'problems', p_problems, 'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
    v_correlation text := coalesce(p_correlation_id, p_message_id);
begin
    insert into rejections (tenant, message_id, kind, problems, body) values (p_tenant, p_message_id, p_kind, p_problems, p_body) on conflict do nothing;
    if not found then return; end if;
    insert into outbox (event, exchange, routing_key, correlation_id, body)
        values ('rejected', 'events', word(p_tenant) || '.' || word(coalesce(p_kind, '')) || '.rejected', v_correlation, v_body);
    if p_reply_to is not null then
        insert into outbox (event, exchange, routing_key, correlation_id, body) values ('rejected', '', p_reply_to, v_correlation, v_body);
    end if;
    perform pg_notify('atelier_outbox', '');
end $$;

-- Claims up to p_count jobs: by priority, then fairness between tenants (fewest running first), then age.
create function atelier.claim(p_worker uuid, p_count int) returns setof atelier.jobs language plpgsql set search_path = atelier, pg_temp as $$
begin
    return query
    with ready as (
        select j.id from jobs j
        where j.state in ('available', 'scheduled', 'retryable') and j.run_after <= now()
        order by j.priority desc, (select count(*) from jobs r where r.state = 'running' and r.tenant = j.tenant), j.run_after, j.created_at
        limit p_count for update skip locked),
    claimed as (
        update jobs j set state = 'running', worker = p_worker, attempt = j.attempt + 1, started_at = now(), stage = null, step = null, steps = null,
            cancel_requested_at = null, cancel_reason = null
        from ready where j.id = ready.id returning j.*),
    tries as (insert into attempts (job, attempt, worker) select c.id, c.attempt, p_worker from claimed c)
    select * from claimed;
end $$;

-- The fence: locks the job if this attempt owns it.
create function atelier.own(p_job uuid, p_attempt int) returns atelier.jobs language sql set search_path = atelier, pg_temp as $$
    select * from jobs where id = p_job and attempt = p_attempt and state = 'running' for update
$$;

-- Writes down news of an attempt: its first word, its progress, metrics, a checkpoint. Gives owned, cancelling.
create function atelier.record(p_job uuid, p_attempt int, p_started jsonb, p_progress jsonb, p_metrics jsonb, p_checkpoint jsonb)
returns table (owned boolean, cancelling boolean) language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs;
begin
    select * into v_job from own(p_job, p_attempt);
    if v_job.id is null then return query select false, false; return; end if;
    if p_started is not null then
        update attempts set engine = p_started->>'engine', backbone = p_started->>'backbone' where attempts.job = p_job and attempts.attempt = p_attempt;
        perform say(v_job, 'started', jsonb_build_object('engine', p_started->>'engine', 'backbone', p_started->>'backbone'));
    end if;
    if p_progress is not null then
        update jobs set stage = p_progress->>'stage', step = (p_progress->>'step')::int, steps = (p_progress->>'steps')::int where id = p_job;
        update attempts set last_step = (p_progress->>'step')::int where attempts.job = p_job and attempts.attempt = p_attempt;
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

-- Ends an attempt. p_outcome: completed, failed, crashed, interrupted, cancelled. Gives owned and the job's state afterwards.
create function atelier.finish(p_job uuid, p_attempt int, p_outcome text, p_consequence text, p_code text, p_message text, p_problems jsonb,
    p_result jsonb, p_artifacts jsonb, p_log_tail text, p_peak bigint, p_cpu double precision)
returns table (owned boolean, state text) language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
    v_state job_state;
    v_failures int;
    v_wait double precision;
    v_adapter text;
begin
    select * into v_job from own(p_job, p_attempt);
    if v_job.id is null then return query select false, null::text; return; end if;
    v_failures := v_job.failures + (case when p_outcome in ('failed', 'crashed') then 1 else 0 end);
    v_state := case
        when p_outcome = 'completed' then 'completed'
        when p_outcome = 'cancelled' or (v_job.cancel_requested_at is not null) then 'cancelled'
        when p_outcome = 'interrupted' then 'available'
        when p_consequence in ('rejected', 'fatal') or v_failures >= v_job.max_attempts then 'discarded'
        else 'retryable' end;
    -- Full jitter over an exponential from two seconds to ten minutes.
    v_wait := case when v_state = 'retryable' then (0.5 + random() / 2) * least(600, 2 * 2 ^ least(v_failures - 1, 20)) else 0 end;
    update attempts a set ended_at = now(), outcome = p_outcome::attempt_outcome, error_code = p_code, error_message = p_message, problems = p_problems,
        log_tail = p_log_tail, peak_memory_bytes = p_peak, processor_seconds = p_cpu where a.job = p_job and a.attempt = p_attempt;
    update jobs j set state = v_state, worker = null, failures = v_failures, run_after = now() + v_wait * interval '1 second',
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

-- A heartbeat. Gives the worker's jobs with what somebody wants of them; no row at all means that the worker was given up.
create function atelier.beat(p_worker uuid) returns table (job uuid, attempt int, cancelling boolean, known boolean)
language plpgsql set search_path = atelier, pg_temp as $$
begin
    update workers w set beat_at = now() where w.id = p_worker and w.gone_at is null;
    if not found then return query select null::uuid, null::int, false, false; return; end if;
    return query select null::uuid, null::int, false, true;
    return query select j.id, j.attempt, j.cancel_requested_at is not null, true from jobs j where j.worker = p_worker and j.state = 'running';
end $$;

create function atelier.register(p_id uuid, p_name text, p_host text, p_state_directory text, p_pid int, p_slots int) returns int
language plpgsql set search_path = atelier, pg_temp as $$
declare v_count int := 0; v_worker uuid;
begin
    -- The state folder is locked by its daemon: whoever was registered with it on this host is dead.
    for v_worker in update workers w set gone_at = now() where w.gone_at is null and w.host = p_host and w.state_directory = p_state_directory returning w.id loop
        v_count := v_count + rescue(v_worker, 'the daemon died or was restarted');
    end loop;
    insert into workers (id, name, host, state_directory, pid, slots) values (p_id, p_name, p_host, p_state_directory, p_pid, p_slots);
    return v_count;
end $$;

-- Gives the jobs of a dead worker back, not charged; one that outlived ten daemons is discarded.
create function atelier.rescue(p_worker uuid, p_reason text) returns int language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs; v_count int := 0;
begin
    for v_job in select * from jobs j where j.worker = p_worker and j.state = 'running' for update loop
        update attempts a set ended_at = now(), outcome = 'lost', error_code = 'daemon.lost', error_message = p_reason where a.job = v_job.id and a.attempt = v_job.attempt;
        update jobs j set worker = null, rescues = j.rescues + 1, run_after = now(),
            state = case when j.cancel_requested_at is not null then 'cancelled' when j.rescues + 1 >= 10 then 'discarded' else 'available' end::job_state,
            finalized_at = case when j.cancel_requested_at is not null or j.rescues + 1 >= 10 then now() end,
            error_code = 'daemon.lost', error_message = p_reason
            where j.id = v_job.id returning * into v_job;
        perform say(v_job, case v_job.state when 'available' then 'rescued' else v_job.state::text end, jsonb_build_object('reason', p_reason));
        v_count := v_count + 1;
    end loop;
    if v_count > 0 then perform pg_notify('atelier_jobs', ''); end if;
    return v_count;
end $$;

create function atelier.rescue_expired(p_lease double precision) returns int language plpgsql set search_path = atelier, pg_temp as $$
declare v_worker uuid; v_count int := 0;
begin
    -- Nobody could beat while the database was down.
    if now() - pg_postmaster_start_time() < p_lease * interval '1 second' then return 0; end if;
    for v_worker in update workers w set gone_at = now() where w.id in
        (select k.id from workers k where k.gone_at is null and k.beat_at < now() - p_lease * interval '1 second' for update skip locked) returning w.id loop
        v_count := v_count + rescue(v_worker, 'the daemon gave no sign of life');
    end loop;
    return v_count;
end $$;

create function atelier.leave(p_worker uuid) returns int language plpgsql set search_path = atelier, pg_temp as $$
begin
    update workers set gone_at = now() where id = p_worker and gone_at is null;
    return rescue(p_worker, 'the daemon stopped');
end $$;

-- Jobs that waited past their deadline.
create function atelier.expire() returns int language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs; v_count int := 0;
begin
    for v_job in select * from jobs j where j.state in ('available', 'scheduled', 'retryable') and j.deadline < now() for update skip locked loop
        update jobs j set state = 'discarded', finalized_at = now(), error_code = 'job.deadline', error_message = 'waited past its deadline' where j.id = v_job.id returning * into v_job;
        perform say(v_job, 'discarded', jsonb_build_object('error', jsonb_build_object('code', v_job.error_code, 'message', v_job.error_message)));
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

-- For people: cancels a job. Gives its state afterwards; a running one is asked to stop and stays running until it has.
create function atelier.cancel(p_job uuid, p_reason text default null) returns text language plpgsql set search_path = atelier, pg_temp security definer as $$
declare v_job jobs;
begin
    select * into v_job from jobs j where j.id = p_job for update;
    if not found then return null; end if;
    if v_job.state = 'running' then
        update jobs j set cancel_requested_at = coalesce(j.cancel_requested_at, now()), cancel_reason = p_reason where j.id = p_job;
        perform pg_notify('atelier_control', p_job::text);
        return 'running';
    elsif v_job.state in ('available', 'scheduled', 'retryable') then
        update jobs j set state = 'cancelled', finalized_at = now(), cancel_reason = p_reason where j.id = p_job returning * into v_job;
        perform say(v_job, 'cancelled', jsonb_strip_nulls(jsonb_build_object('reason', p_reason)));
    end if;
    return v_job.state::text;
end $$;

-- For people: tries a discarded, cancelled or waiting job again now, from its last checkpoint or from scratch. Gives whether it did.
create function atelier.retry(p_job uuid, p_from_scratch boolean default false) returns boolean language plpgsql set search_path = atelier, pg_temp security definer as $$
declare v_job jobs;
begin
    select * into v_job from jobs j where j.id = p_job and j.state in ('discarded', 'cancelled', 'retryable') for update;
    if not found then return false; end if;
    if p_from_scratch then delete from checkpoints c where c.job = p_job; end if;
    update jobs j set state = 'available', finalized_at = null, failures = 0, rescues = 0, run_after = now(), deadline = null, cancel_requested_at = null, cancel_reason = null
        where j.id = p_job returning * into v_job;
    perform say(v_job, 'retried', jsonb_build_object('from_scratch', p_from_scratch));
    perform pg_notify('atelier_jobs', '');
    return true;
end $$;

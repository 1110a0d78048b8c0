-- What an attempt writes. Each of these gives false and changes nothing when the attempt no longer owns its job.

-- The fence: locks the job if this attempt owns it.
create or replace function atelier.lock_attempt(p_job uuid, p_attempt int) returns atelier.jobs
language sql set search_path = atelier, pg_temp as $$
    select *
    from jobs
    where id = p_job and attempt = p_attempt and state = 'running'
    for update
$$;

-- Writes down where an attempt is. How long its job still takes is told by the pace of the present stage: drawing does
-- not go at the pace of learning, and what was done before a resume took none of this attempt's time.
create or replace function atelier.record_progress(p_job atelier.jobs, p_progress jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_step int := (p_progress->>'step')::int;
    v_is_new boolean := p_job.stage is distinct from p_progress->>'stage';
begin
    if p_progress ? 'stage' then
        update jobs set stage = p_progress->>'stage', step = v_step, steps = (p_progress->>'steps')::int,
            stage_began_at = case when v_is_new then now() else stage_began_at end,
            stage_first_step = case when v_is_new then v_step else stage_first_step end
            where id = p_job.id;
    end if;
    update attempts a set last_step = coalesce(v_step, a.last_step),
        peak_memory_bytes = greatest(a.peak_memory_bytes, (p_progress->>'memory')::bigint)
        where a.job = p_job.id and a.attempt = p_job.attempt;
end $$;

-- Writes down an attempt's metrics, the last value given for a step.
create or replace function atelier.record_metrics(p_job atelier.jobs, p_metrics jsonb) returns void
language sql set search_path = atelier, pg_temp as $$
    insert into metrics (job, attempt, step, name, value)
        select distinct on (v.key, (m->>'step')::int)
            (p_job).id, (p_job).attempt, (m->>'step')::int, v.key, v.value::double precision
        from jsonb_array_elements(p_metrics) with ordinality e(m, n),
            jsonb_each_text(m->'values') v
        order by v.key, (m->>'step')::int, n desc
        on conflict (job, name, step) do update
            set value = excluded.value, attempt = excluded.attempt, at = now()
$$;

-- Writes down a checkpoint. The last two stay: the newest, and the one before it in case the newest cannot be read.
create or replace function atelier.record_checkpoint(p_job atelier.jobs, p_checkpoint jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
begin
    insert into checkpoints (job, attempt, step, path, sha256, bytes)
        values (
            p_job.id, p_job.attempt, (p_checkpoint->>'step')::int, p_checkpoint->>'path', p_checkpoint->>'sha256',
            (p_checkpoint->>'bytes')::bigint)
        on conflict do nothing;
    delete from checkpoints c
        where c.job = p_job.id and (c.attempt, c.step) not in (
            select k.attempt, k.step
            from checkpoints k
            where k.job = p_job.id
            order by k.attempt desc, k.step desc
            limit 2);
end $$;

-- Writes down artifacts of a job; gives the names of those that are new. What is made again, after a resume, is there
-- already.
create or replace function atelier.add_artifacts(p_job atelier.jobs, p_artifacts jsonb) returns setof text
language sql set search_path = atelier, pg_temp as $$
    insert into artifacts (job, name, role, media_type, sha256, bytes, prompt, seed)
        select (p_job).id, a->>'name', a->>'role', a->>'mediaType', a->>'sha256', (a->>'bytes')::bigint, a->>'prompt',
            (a->>'seed')::numeric
        from jsonb_array_elements(coalesce(p_artifacts, '[]')) a
        on conflict do nothing
        returning name
$$;

-- Writes down what a job made before its end: pictures of what is learnt so far, and what a student will learn from.
-- The former are told of, and of the latter the sheets.
create or replace function atelier.record_artifacts(p_job atelier.jobs, p_artifacts jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_new text[] := array(select add_artifacts(p_job, p_artifacts));
begin
    perform give_artifacts(
        p_job.tenant,
        array(select a.sha256 from artifacts a where a.job = p_job.id and a.name = any (v_new)));
    perform emit_event(p_job, 'preview', jsonb_build_object('artifact', a))
        from jsonb_array_elements(artifact_list(p_job.id)) a
        where a->>'name' = any (v_new) and a->>'role' in ('preview', 'proxies');
end $$;

-- Writes down what an attempt tells: that it started, its progress, metrics, a checkpoint, artifacts. Gives owned,
-- cancelling.
create or replace function atelier.record(
    p_job uuid, p_attempt int, p_started jsonb, p_progress jsonb, p_metrics jsonb, p_checkpoint jsonb,
    p_artifacts jsonb default null)
returns table (owned boolean, cancelling boolean)
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
begin
    select * into v_job from lock_attempt(p_job, p_attempt);
    if v_job.id is null then
        return query select false, false;
        return;
    end if;
    if p_started is not null then
        update attempts a set engine = p_started->>'engine', backbone = p_started->>'backbone'
            where a.job = p_job and a.attempt = p_attempt;
        perform emit_event(
            v_job, 'started',
            jsonb_build_object('engine', p_started->>'engine', 'backbone', p_started->>'backbone'));
    end if;
    if p_progress is not null then
        perform record_progress(v_job, p_progress);
    end if;
    if p_metrics is not null then
        perform record_metrics(v_job, p_metrics);
    end if;
    if p_checkpoint is not null then
        perform record_checkpoint(v_job, p_checkpoint);
    end if;
    if p_artifacts is not null then
        perform record_artifacts(v_job, p_artifacts);
    end if;
    return query select true, v_job.cancel_requested_at is not null;
end $$;

-- The state a job has after an attempt that ended so; p_failures and p_rescues count it already. A host's fault under a
-- running engine, or what this database refuses for good before one, costs no attempt, but not without end: it counts
-- like a daemon that died.
create or replace function atelier.state_after(
    p_job atelier.jobs, p_outcome text, p_consequence text, p_failures int, p_rescues int)
returns atelier.job_state
language sql immutable set search_path = atelier, pg_temp as $$
    select case
        when p_outcome = 'completed' then 'completed'
        when p_outcome = 'cancelled' or (p_job).cancel_requested_at is not null then 'cancelled'
        when p_rescues > (p_job).rescues and p_rescues >= 10 then 'discarded'
        when p_rescues > (p_job).rescues then 'retryable'
        when p_outcome = 'interrupted' then 'available'
        when p_consequence in ('rejected', 'fatal') or p_failures >= (p_job).max_attempts then 'discarded'
        else 'retryable' end::job_state
$$;

-- The concepts a job learns, as its body has them.
create or replace function atelier.concepts_of(p_spec jsonb) returns jsonb
language sql immutable set search_path = atelier, pg_temp as $$
    select coalesce(p_spec->'concepts', jsonb_build_array(p_spec->'concept'))
$$;

-- Writes down what a completed job made, and the concepts it learnt.
create or replace function atelier.keep_artifacts(p_job atelier.jobs, p_artifacts jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_adapter text;
begin
    perform add_artifacts(p_job, p_artifacts);
    perform give_artifacts(p_job.tenant, array(select a.sha256 from artifacts a where a.job = p_job.id));
    if p_job.kind <> 'personalize' then
        return;
    end if;
    select a.sha256 into v_adapter
        from artifacts a
        where a.job = p_job.id and a.role = 'adapter'
        limit 1;
    if v_adapter is not null then
        insert into concepts (tenant, name, version, role, model, adapter_sha256, job)
            select p_job.tenant, c->>'name', 1, c->>'role', p_job.spec->>'model', v_adapter, p_job.id
            from jsonb_array_elements(concepts_of(p_job.spec)) c;
    end if;
end $$;

-- A job's artifacts as its outcome lists them.
create or replace function atelier.artifact_list(p_job uuid) returns jsonb
language sql stable set search_path = atelier, pg_temp as $$
    select coalesce(
        jsonb_agg(
            jsonb_strip_nulls(jsonb_build_object(
                'name', a.name,
                'role', a.role,
                'media_type', a.media_type,
                'sha256', a.sha256,
                'bytes', a.bytes,
                'prompt', a.prompt))
            order by a.name),
        '[]')
    from artifacts a
    where a.job = p_job
$$;

-- Emits how an attempt ended; p_wait is how many seconds a retry waits.
create or replace function atelier.emit_end(
    p_job atelier.jobs, p_code text, p_message text, p_problems jsonb, p_wait double precision)
returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_error jsonb := jsonb_build_object('code', p_code, 'message', p_message);
begin
    case p_job.state
        when 'completed' then
            perform emit_event(
                p_job, 'completed',
                jsonb_build_object('result', p_job.result, 'artifacts', artifact_list(p_job.id))
                    || case when p_job.spec ? 'attach' then jsonb_build_object('attach', p_job.spec->'attach')
                        else '{}' end);
        when 'retryable' then
            perform emit_event(
                p_job, 'retrying',
                jsonb_build_object('error', v_error, 'seconds', round(p_wait::numeric, 1)));
        when 'available' then
            perform emit_event(p_job, 'interrupted', jsonb_build_object('reason', p_message));
        else
            perform emit_event(
                p_job, p_job.state::text,
                jsonb_strip_nulls(jsonb_build_object(
                    'error', v_error || jsonb_build_object('problems', p_problems),
                    'reason', p_job.cancel_reason)));
    end case;
end $$;

-- Ends an attempt. p_outcome: completed, failed, crashed, interrupted, cancelled. Gives owned and the job's state
-- afterwards. What was interrupted keeps its place among those that wait. Who lost the answer and asks again is owned
-- too, if what it says is what stands, or became a cancelled job's end: the first time was the one that counted.
create or replace function atelier.finish(
    p_job uuid, p_attempt int, p_outcome text, p_consequence text, p_code text, p_message text, p_problems jsonb,
    p_result jsonb, p_artifacts jsonb, p_log_tail text, p_peak bigint, p_cpu double precision)
returns table (owned boolean, state text)
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
    v_state job_state;
    v_failures int;
    v_rescues int;
    v_wait double precision := 0;
    v_is_completed boolean := p_outcome = 'completed';
    v_code text;
    v_message text;
begin
    select * into v_job from lock_attempt(p_job, p_attempt);
    if v_job.id is null then
        return query
            select a.job is not null, j.state::text
            from (values (p_job)) asked(job)
                left join attempts a on a.job = asked.job and a.attempt = p_attempt
                    and (a.outcome = p_outcome::attempt_outcome and a.error_code is not distinct from p_code
                        or v_is_completed and a.outcome = 'cancelled')
                    and a.log_tail is not distinct from p_log_tail
                left join jobs j on j.id = a.job;
        return;
    end if;
    -- Who was told that the job stops was told the truth, however far it was.
    if v_is_completed and v_job.cancel_requested_at is not null then
        v_is_completed := false;
        p_outcome := 'cancelled';
        p_code := 'job.cancelled';
        p_message := 'cancelled on request';
    end if;
    v_failures := v_job.failures + (p_outcome in ('failed', 'crashed'))::int;
    v_rescues := v_job.rescues + (p_outcome = 'interrupted' and p_code is not distinct from 'host.fault')::int;
    v_state := state_after(v_job, p_outcome, p_consequence, v_failures, v_rescues);
    -- Whatever came between and ended the attempt, a job that was to be cancelled ended as it was asked to.
    v_code := case when v_state = 'cancelled' then 'job.cancelled' else p_code end;
    v_message := case when v_state = 'cancelled' then 'cancelled on request' else p_message end;
    if v_state = 'retryable' then
        -- Jitter over an exponential from two seconds to ten minutes.
        v_wait := (0.5 + random() / 2) * least(600, 2 * 2 ^ least(v_failures + v_rescues - 1, 20));
    end if;
    update attempts a set ended_at = now(), outcome = p_outcome::attempt_outcome, error_code = p_code,
        error_message = p_message, problems = p_problems, log_tail = p_log_tail, peak_memory_bytes = p_peak,
        processor_seconds = p_cpu
        where a.job = p_job and a.attempt = p_attempt;
    update jobs j set state = v_state, worker = null, failures = v_failures, rescues = v_rescues,
        run_after = case when v_state = 'retryable' then now() + v_wait * interval '1 second' else j.run_after end,
        finalized_at = case when v_state in ('completed', 'cancelled', 'discarded') then now() end,
        result = case when v_is_completed then coalesce(p_result, '{}') end,
        error_code = case when not v_is_completed then v_code end,
        error_message = case when not v_is_completed then v_message end
        where j.id = p_job
        returning * into v_job;
    if v_is_completed then
        perform keep_artifacts(v_job, p_artifacts);
        perform correct_estimates(v_job, p_peak);
    end if;
    perform emit_end(v_job, v_code, v_message, case when v_state <> 'cancelled' then p_problems end, v_wait);
    if v_state in ('completed', 'cancelled') then
        delete from checkpoints c where c.job = p_job;
    end if;
    if v_state = 'available' then
        perform pg_notify('atelier_jobs', '');
    end if;
    return query select true, v_state::text;
end $$;

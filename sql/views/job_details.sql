-- One job with all that hangs on it, for who asks for it by its id: what is in parentheses is only looked for then.
create or replace view dashboard.job_details as
    select j.id as job, j.number, j.message_id, j.tenant, j.kind, j.state::text, j.priority, j.spec, j.attempt,
        j.failures, j.rescues, j.max_attempts, j.run_after, j.deadline, j.reply_to, j.correlation_id, j.traceparent,
        j.cancel_requested_at, j.cancel_reason, j.stage, j.step, j.steps, j.result, j.error_code, j.error_message,
        j.created_at, j.started_at, j.finalized_at, j.model, j.model_digest,
        coalesce(j.spec->'concept', j.spec->'concepts'->0)->>'name' as concept, j.spec->>'method' as method,
        j.spec->'images' as images, j.spec->'prompts' as prompts,
        (select w.name from atelier.workers w where w.id = j.worker) as worker,
        case when j.state = 'running' then round(coalesce(
            extract(epoch from now() - j.stage_began_at) * (j.steps - j.step)
                / nullif(j.step - j.stage_first_step, 0),
            case when j.estimate is not null then greatest(
                0, (j.estimate->>'seconds')::numeric - extract(epoch from now() - j.started_at)) end)::numeric, 1) end
            as eta_seconds,
        j.state in ('available', 'scheduled', 'retryable') and j.model is not null
            and not coalesce(h.is_enough, false) as lacks_worker,
        (select coalesce(jsonb_agg(to_jsonb(a) || jsonb_build_object('worker', w.name) order by a.attempt), '[]')
            from atelier.attempts a
                join atelier.workers w on w.id = a.worker
            where a.job = j.id) as attempts,
        (select coalesce(
                jsonb_agg(
                    to_jsonb(f) || jsonb_build_object('seed', f.seed::text)
                    order by f.created_at, f.name), '[]')
            from atelier.artifacts f
            where f.job = j.id) as artifacts,
        (select coalesce(jsonb_agg(jsonb_build_object('event', e.event, 'at', e.at) order by e.id), '[]')
            from atelier.job_events e
            where e.job = j.id) as events,
        (select coalesce(jsonb_agg(to_jsonb(s) order by s.concept, s.metric), '[]')
            from atelier.scores s
            where s.job = j.id) as scores,
        -- Of a job that learnt several the first one's.
        (select max(c.version)
            from atelier.concepts c
            where c.job = j.id and c.deleted_at is null
                and c.name = coalesce(j.spec->'concept'->>'name', j.spec->'concepts'->0->>'name')) as version,
        regexp_replace(j.further_models, '@\S*', '', 'g') as further_models,
        j.estimate - '{counted_seconds,counted_bytes}'::text[] as estimate,
        case when j.state in ('available', 'scheduled', 'retryable') and j.model is not null
                and not coalesce(h.is_enough, false)
            then case when h.is_room is null then 'worker.model' when not h.is_room then 'worker.memory'
                else 'worker.disk' end end as lacks,
        h.largest_memory_bytes,
        j.state in ('available', 'scheduled', 'retryable') and j.model is not null and h.is_room is null and exists (
            select
            from atelier.workers w
            where w.gone_at is null and not exists (
                select
                from string_to_table(regexp_replace(j.needs, '@\S*', '', 'g'), ' ') n(model)
                where n.model not in (select m.model from atelier.worker_models m where m.worker = w.id)))
            as holds_other_weights,
        -- As dashboard.job_rows has it.
        (select round(extract(epoch from sum(coalesce(a.ended_at, now()) - a.started_at))::numeric, 1)
            from atelier.attempts a
            where a.job = j.id) as ran_seconds,
        -- What its acceptance told; its result has more.
        (select e.detail->'warnings'
            from atelier.job_events e
            where e.job = j.id and e.event = 'accepted'
            order by e.id
            limit 1) as warnings,
        case when j.state <> 'running' then null
            when j.step <> j.stage_first_step then 'stage'
            when j.estimate is not null then 'job' end as eta_of,
        h.largest_disk_bytes
    from atelier.jobs j,
        -- The living workers that hold all its models, and whether one of them has the memory, and the disk besides.
        lateral (
            select max(w.memory_bytes) as largest_memory_bytes,
                max(w.disk_bytes) filter (where f.is_room) as largest_disk_bytes, bool_or(f.is_room) as is_room,
                bool_or(f.is_room and (
                    coalesce((j.estimate->>'disk_bytes')::bigint <= w.disk_bytes, true)
                    or exists (select from atelier.checkpoints c where c.job = j.id))) as is_enough
            from atelier.workers w,
                lateral (
                    select coalesce(
                        0.75 * (j.estimate->>'memory_bytes')::double precision <= w.memory_bytes, true) as is_room) f
            where w.gone_at is null and not exists (
                select
                from string_to_table(j.needs, ' ') n(need)
                where not exists (
                    select
                    from atelier.worker_models m
                    where m.worker = w.id and n.need in (m.model || '@', m.model || '@' || m.digest)))) h;
comment on view dashboard.job_details is 'Everything about a job; to be asked by its id.';

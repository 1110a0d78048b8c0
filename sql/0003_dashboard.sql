-- The dashboard: one view, one panel. Their names and columns are what dashboards may rely on; the tables are not.
create schema dashboard;

create view dashboard.queue as
    select kind, state::text, count(*) as jobs, min(created_at) as oldest, round(extract(epoch from now() - min(created_at))::numeric, 1) as oldest_seconds
    from atelier.jobs where finalized_at is null group by kind, state order by kind, state;

create view dashboard.jobs as
    select id as job, tenant, kind, state::text, attempt, failures, max_attempts, spec->'concept'->>'name' as concept, created_at, started_at, finalized_at,
        round(extract(epoch from coalesce(finalized_at, now()) - created_at)::numeric, 1) as seconds, error_code, error_message
    from atelier.jobs order by created_at desc;

create view dashboard.running as
    select j.id as job, j.tenant, j.kind, j.attempt, j.stage, j.step, j.steps, round(100.0 * j.step / nullif(j.steps, 0), 1) as percent,
        round(extract(epoch from now() - j.started_at)::numeric, 1) as seconds,
        round((extract(epoch from now() - j.started_at) * (j.steps - j.step) / nullif(j.step, 0))::numeric, 1) as eta_seconds,
        j.cancel_requested_at is not null as cancelling, w.name as worker, round(extract(epoch from now() - w.beat_at)::numeric, 1) as beat_age_seconds,
        (select max(a.peak_memory_bytes) from atelier.attempts a where a.job = j.id) as peak_memory_bytes
    from atelier.jobs j join atelier.workers w on w.id = j.worker where j.state = 'running' order by j.started_at;

create view dashboard.failures as
    select a.error_code, count(*) as attempts, count(distinct a.job) as jobs, max(a.ended_at) as last_at,
        (array_agg(a.error_message order by a.ended_at desc))[1] as last_message, (array_agg(a.job order by a.ended_at desc))[1] as last_job
    from atelier.attempts a where a.outcome in ('failed', 'crashed', 'lost') group by a.error_code order by last_at desc;

create view dashboard.throughput as
    select date_trunc('hour', finalized_at) as hour, kind, state::text, count(*) as jobs from atelier.jobs where finalized_at > now() - interval '7 days' group by 1, 2, 3 order by 1 desc;

create view dashboard.latency as
    select kind, count(*) as jobs,
        percentile_cont(0.5) within group (order by extract(epoch from started_at - created_at)) as wait_p50, percentile_cont(0.95) within group (order by extract(epoch from started_at - created_at)) as wait_p95,
        percentile_cont(0.5) within group (order by extract(epoch from finalized_at - started_at)) as run_p50, percentile_cont(0.95) within group (order by extract(epoch from finalized_at - started_at)) as run_p95
    from atelier.jobs where state = 'completed' and finalized_at > now() - interval '1 day' group by kind;

create view dashboard.concepts as
    select tenant, name, version, role, model, adapter_sha256, job, created_at from atelier.concepts order by tenant, name, version desc;

create view dashboard.quality as
    select j.id as job, j.tenant, j.spec->'concept'->>'name' as concept, m.key as metric, m.value as value, j.finalized_at
    from atelier.jobs j, jsonb_each(coalesce(j.result->'metrics', '{}')) m where j.state = 'completed' order by j.finalized_at desc, m.key;

create view dashboard.workers as
    select id as worker, name, host, pid, slots, started_at, round(extract(epoch from now() - beat_at)::numeric, 1) as beat_age_seconds, gone_at,
        (select count(*) from atelier.jobs j where j.worker = w.id) as running from atelier.workers w order by started_at desc;

create view dashboard.outbox as
    select count(*) filter (where confirmed_at is null) as waiting, round(extract(epoch from now() - min(created_at) filter (where confirmed_at is null))::numeric, 1) as oldest_seconds,
        count(*) filter (where confirmed_at > now() - interval '1 hour') as confirmed_last_hour, max(last_error) filter (where confirmed_at is null) as an_error from atelier.outbox;

create view dashboard.storage as
    select role, count(*) as artifacts, sum(bytes) as bytes from atelier.artifacts group by role order by role;

create view dashboard.rejections as
    select tenant, message_id, kind, problems, at from atelier.rejections order by at desc;

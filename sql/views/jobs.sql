create or replace view dashboard.jobs as
    select id as job, tenant, kind, state::text, attempt, failures, max_attempts,
        coalesce(spec->'concept', spec->'concepts'->0)->>'name' as concept, created_at, started_at, finalized_at,
        round(extract(epoch from coalesce(finalized_at, now()) - created_at)::numeric, 1) as seconds,
        error_code, error_message
    from atelier.jobs
    order by created_at desc;

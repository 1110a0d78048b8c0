-- A job as a line of a list. What a list is narrowed by comes from the row itself.
create or replace view dashboard.job_rows as
    select j.id as job, j.number, j.message_id, j.tenant, j.kind, j.state::text, j.priority, j.attempt, j.failures,
        j.stage, j.step, j.steps, round(100.0 * j.step / nullif(j.steps, 0)) as percent,
        case when j.state in ('discarded', 'cancelled', 'retryable') then j.error_code end as error_code,
        j.error_message, j.model, j.spec->>'method' as method,
        coalesce(j.spec->'concept', j.spec->'concepts'->0)->>'name' as concept,
        j.spec->'prompts'->>0 as prompt, j.created_at, j.started_at, j.finalized_at,
        round(extract(epoch from coalesce(j.finalized_at, now()) - j.created_at)::numeric, 1) as seconds,
        -- What its engines had it for, all attempts together.
        (select round(extract(epoch from sum(coalesce(a.ended_at, now()) - a.started_at))::numeric, 1)
            from atelier.attempts a
            where a.job = j.id) as ran_seconds
    from atelier.jobs j;
comment on view dashboard.job_rows is 'Jobs, a line each; whoever wants the newest asks for them by created_at.';

create or replace view dashboard.running as
    select j.id as job, j.tenant, j.kind, j.attempt, j.stage, j.step, j.steps,
        round(100.0 * j.step / nullif(j.steps, 0), 1) as percent,
        round(extract(epoch from now() - j.started_at)::numeric, 1) as seconds,
        round(coalesce(
            extract(epoch from now() - j.stage_began_at) * (j.steps - j.step)
                / nullif(j.step - j.stage_first_step, 0),
            case when j.estimate is not null then greatest(
                0, (j.estimate->>'seconds')::numeric - extract(epoch from now() - j.started_at)) end)::numeric, 1)
            as eta_seconds,
        j.cancel_requested_at is not null as cancelling, w.name as worker,
        round(extract(epoch from now() - w.beat_at)::numeric, 1) as beat_age_seconds,
        (select max(a.peak_memory_bytes) from atelier.attempts a where a.job = j.id) as peak_memory_bytes,
        j.estimate - '{counted_seconds,counted_bytes}'::text[] as estimate,
        case when j.step <> j.stage_first_step then 'stage' when j.estimate is not null then 'job' end as eta_of
    from atelier.jobs j
        join atelier.workers w on w.id = j.worker
    where j.state = 'running'
    order by j.started_at;
comment on column dashboard.running.eta_seconds is
    'Until the end of the present stage, at the pace of this attempt''s steps of it; before its second report until '
    'the end of the job, by its estimate. eta_of says which.';

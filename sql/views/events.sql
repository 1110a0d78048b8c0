-- What happened, in the order it was written down, for who counts it as it comes: after the last number that was seen.
create or replace view dashboard.events as
    select e.id as number, e.at, e.event, j.tenant, j.kind, e.detail->'error'->>'code' as code,
        extract(epoch from j.started_at - j.created_at) as wait_seconds,
        extract(epoch from j.finalized_at - j.started_at) as run_seconds,
        case when e.event in ('completed', 'discarded', 'cancelled') then (
            select sum(a.processor_seconds)
            from atelier.attempts a
            where a.job = j.id) end as processor_seconds,
        j.message_id
    from atelier.job_events e
        join atelier.jobs j on j.id = e.job;
comment on view dashboard.events is
    'Events of jobs with waits and runs: from created to the last start, and from there to the end.';

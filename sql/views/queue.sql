-- Each part is what an index of waiting or running jobs holds: finished ones are not looked at.
create or replace view dashboard.queue as
    select kind, state::text, count(*) as jobs, min(created_at) as oldest,
        round(extract(epoch from now() - min(created_at))::numeric, 1) as oldest_seconds
    from (
        select kind, state, created_at from atelier.jobs where state = 'available' and kind <> 'probe'
        union all
        select kind, state, created_at from atelier.jobs where state = 'available' and kind = 'probe'
        union all
        select kind, state, created_at from atelier.jobs where state in ('scheduled', 'retryable')
        union all
        select kind, state, created_at from atelier.jobs where state = 'running') j
    group by kind, state
    order by kind, state;

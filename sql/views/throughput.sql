-- Hours that are over as they were counted, and what ended since.
create or replace view dashboard.throughput as
    select hour, kind, state::text, jobs
    from atelier.hours
    where hour > now() - interval '7 days'
    union all
    select date_trunc('hour', finalized_at), kind, state::text, count(*)
    from atelier.jobs
    where finalized_at >= coalesce((select max(hour) + interval '1 hour' from atelier.hours), '-infinity')
        and finalized_at > now() - interval '7 days'
    group by 1, 2, 3
    order by 1 desc, 2, 3;

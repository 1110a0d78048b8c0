create or replace view dashboard.latency as
    select kind, count(*) as jobs,
        percentile_cont(0.5) within group (order by extract(epoch from started_at - created_at)) as wait_p50,
        percentile_cont(0.95) within group (order by extract(epoch from started_at - created_at)) as wait_p95,
        percentile_cont(0.5) within group (order by extract(epoch from finalized_at - started_at)) as run_p50,
        percentile_cont(0.95) within group (order by extract(epoch from finalized_at - started_at)) as run_p95
    from atelier.jobs
    where state = 'completed' and finalized_at > now() - interval '1 day'
    group by kind;

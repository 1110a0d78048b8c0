-- What people look for when something fails; JobPage marks the same attempts, and the index attempts_failed is of them.
create or replace view dashboard.failures as
    select a.error_code, count(*) as attempts, count(distinct a.job) as jobs, max(a.ended_at) as last_at,
        (array_agg(a.error_message order by a.ended_at desc))[1] as last_message,
        (array_agg(a.job order by a.ended_at desc))[1] as last_job
    from atelier.attempts a
    where a.outcome in ('failed', 'crashed', 'lost') or a.error_code = 'host.fault'
    group by a.error_code
    order by last_at desc;

create or replace view dashboard.workers as
    select id as worker, name, host, pid, slots, started_at,
        round(extract(epoch from now() - beat_at)::numeric, 1) as beat_age_seconds, gone_at,
        (select count(*) from atelier.jobs j where j.worker = w.id and j.state = 'running') as running, paused,
        fault
    from atelier.workers w
    order by started_at desc;

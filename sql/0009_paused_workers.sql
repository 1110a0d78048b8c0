-- Whether a daemon is paused, so that one who wonders why nothing starts can see it. The heartbeat says it.
alter table atelier.workers add column paused boolean not null default false;
create function atelier.beat(p_worker uuid, p_paused boolean) returns table (job uuid, attempt int, cancelling boolean, known boolean)
language plpgsql set search_path = atelier, pg_temp as $$
begin
    update workers w set paused = p_paused where w.id = p_worker and w.paused <> p_paused;
    return query select * from beat(p_worker);
end $$;
revoke all on function atelier.beat(uuid, boolean) from public;
grant execute on function atelier.beat(uuid, boolean) to atelier_daemon;

create or replace view dashboard.workers as
    select id as worker, name, host, pid, slots, started_at, round(extract(epoch from now() - beat_at)::numeric, 1) as beat_age_seconds, gone_at,
        (select count(*) from atelier.jobs j where j.worker = w.id) as running, paused from atelier.workers w order by started_at desc;

create or replace view dashboard.outbox as
    select w.waiting, w.oldest_seconds,
        (select count(*)
            from atelier.outbox
            where created_at > now() - interval '1 day'
                and confirmed_at > now() - interval '1 hour') as confirmed_last_hour,
        w.an_error, s.set_aside, s.set_aside_error
    from (
        select count(*) as waiting,
            round(extract(epoch from now() - min(created_at))::numeric, 1) as oldest_seconds,
            max(last_error) as an_error
        from atelier.outbox
        where confirmed_at is null and set_aside_at is null) w,
        (
        select count(*) as set_aside, max(last_error) as set_aside_error
        from atelier.outbox
        where set_aside_at is not null) s;

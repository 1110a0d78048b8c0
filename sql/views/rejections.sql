create or replace view dashboard.rejections as
    select tenant, message_id, kind, problems, at
    from atelier.rejections
    order by at desc;

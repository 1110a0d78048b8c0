create or replace view dashboard.rejections as
    select tenant, message_id, kind, problems, at, id as number, octet_length(body) as kept_bytes,
        encode(substring(body from 1 for 2048), 'escape') as beginning
    from atelier.rejections
    order by at desc;

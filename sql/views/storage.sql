create or replace view dashboard.storage as
    select 'artifact: ' || role as what, count(*) as rows, sum(bytes)::bigint as bytes, min(created_at) as oldest
    from atelier.artifacts
    group by role
    union all
    select 'table: ' || c.relname, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid),
        case c.relname
            when 'jobs' then (select min(created_at) from atelier.jobs)
            when 'rejections' then (select min(at) from atelier.rejections) end
    from pg_class c
    where c.relnamespace = 'atelier'::regnamespace and c.relkind = 'r'
    order by bytes desc, what;
comment on view dashboard.storage is
    'Rows and bytes by what takes them; rows of tables are PostgreSQL''s estimate.';

-- What is kept how long. Everything is deleted in small batches, so that nobody waits for a long lock or a long transaction; what a
-- concept came from is kept as long as the concept's row, which is for ever: a version is never given twice.

-- Deletes at most p_limit rows of each sort that ended so many days ago; null keeps a sort for ever. Gives how many of what.
create function atelier.prune(p_completed_days double precision, p_discarded_days double precision, p_probe_days double precision,
    p_message_days double precision, p_rejection_days double precision, p_limit int)
returns table (what text, count int) language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_sort record;
    v_count int;
begin
    for v_sort in
        select * from (values ('completed', false, p_completed_days), ('cancelled', false, p_completed_days), ('discarded', false, p_discarded_days),
            ('completed', true, p_probe_days), ('cancelled', true, p_probe_days), ('discarded', true, p_probe_days)) as s(state, is_probe, days)
        where s.days is not null
    loop
        -- What hangs on the job goes with it.
        delete from jobs j where j.id in (
            select d.id from jobs d
            where d.finalized_at < now() - v_sort.days * interval '1 day' and d.state = v_sort.state::job_state and (d.kind = 'probe') = v_sort.is_probe
                and not exists (select from concepts c where c.job = d.id)
                -- A message that did not leave yet must not be the only one to know of it.
                and d.id not in (select o.job from outbox o where o.confirmed_at is null and o.job is not null)
            order by d.finalized_at limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        return query select v_sort.state || case when v_sort.is_probe then ' probes' else ' jobs' end, v_count;
    end loop;
    if p_message_days is not null then
        delete from outbox o where o.id in (
            select d.id from outbox d
            where d.created_at < now() - p_message_days * interval '1 day' and d.confirmed_at < now() - p_message_days * interval '1 day'
            limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        return query select 'sent messages', v_count;
    end if;
    if p_rejection_days is not null then
        delete from rejections r where r.id in (
            select d.id from rejections d where d.at < now() - p_rejection_days * interval '1 day' order by d.at limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        return query select 'rejections', v_count;
    end if;
end $$;
-- Sent messages are found by their age, in blocks, instead of by an index that every one of them would have to be written to.
create index outbox_created on atelier.outbox using brin (created_at) with (pages_per_range = 16, autosummarize = on);
create index rejections_at on atelier.rejections (at);

-- Which artifacts of a list nobody refers to: no job made it, none needs it as a reference picture, no concept stands on it.
create function atelier.unreferenced(p_digests text[]) returns setof text language sql stable set search_path = atelier, pg_temp as $$
    select d from unnest(p_digests) d
    where not exists (select from artifacts a where a.sha256 = d)
        and not exists (select from concepts c where c.adapter_sha256 = d)
        and not exists (select from jobs j where j.spec ? 'images' and j.spec->'images' @> jsonb_build_array(jsonb_build_object('artifact', 'sha256:' || d)))
$$;
create index jobs_images on atelier.jobs using gin ((spec->'images') jsonb_path_ops) where spec ? 'images';
create index concepts_adapter on atelier.concepts (adapter_sha256);

revoke all on function atelier.prune(double precision, double precision, double precision, double precision, double precision, int),
    atelier.unreferenced(text[]) from public;
grant execute on function atelier.prune(double precision, double precision, double precision, double precision, double precision, int),
    atelier.unreferenced(text[]) to atelier_daemon;

-- What takes how much: artifacts by role, and the tables with their indexes.
drop view dashboard.storage;
create view dashboard.storage as
    select 'artifact: ' || role as what, count(*) as rows, sum(bytes)::bigint as bytes, min(created_at) as oldest from atelier.artifacts group by role
    union all
    select 'table: ' || c.relname, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid),
        case c.relname when 'jobs' then (select min(created_at) from atelier.jobs) when 'rejections' then (select min(at) from atelier.rejections) end
    from pg_class c where c.relnamespace = 'atelier'::regnamespace and c.relkind = 'r'
    order by bytes desc, what;
comment on view dashboard.storage is 'Rows and bytes by what takes them; rows of tables are PostgreSQL''s estimate.';
grant select on dashboard.storage to atelier_daemon, atelier_admin, atelier_reader;

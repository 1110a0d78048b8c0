-- What is kept how long. Everything is deleted in small batches, so that nobody waits for a long lock or a long
-- transaction; what a concept came from is kept as long as the concept's row, which is for ever: a version is never
-- given twice.

-- Deletes at most p_limit rows of each sort that ended so many days ago; null keeps a sort for ever. Gives how many of
-- what.
create or replace function atelier.prune(
    p_completed_days double precision, p_discarded_days double precision, p_probe_days double precision,
    p_message_days double precision, p_rejection_days double precision, p_limit int)
returns table (what text, count int)
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_sort record;
    v_count int;
begin
    for v_sort in
        select *
        from (values
            ('completed', false, p_completed_days),
            ('cancelled', false, p_completed_days),
            ('discarded', false, p_discarded_days),
            ('completed', true, p_probe_days),
            ('cancelled', true, p_probe_days),
            ('discarded', true, p_probe_days)) as s(state, is_probe, days)
        where s.days is not null
    loop
        -- What hangs on the job goes with it. Two statements, for probes are found by an index of their own. A message
        -- that did not leave yet must not be the only one to know of its job.
        if v_sort.is_probe then
            delete from jobs j
                where j.id in (
                    select d.id
                    from jobs d
                    where d.finalized_at < now() - v_sort.days * interval '1 day'
                        and d.state = v_sort.state::job_state
                        and d.kind = 'probe'
                        and not exists (select from outbox o where o.job = d.id and o.confirmed_at is null)
                    order by d.finalized_at
                    limit p_limit
                    for update skip locked);
        else
            delete from jobs j
                where j.id in (
                    select d.id
                    from jobs d
                    where d.finalized_at < now() - v_sort.days * interval '1 day'
                        and d.state = v_sort.state::job_state
                        and d.kind <> 'probe'
                        and not exists (select from concepts c where c.job = d.id)
                        and not exists (select from outbox o where o.job = d.id and o.confirmed_at is null)
                        and not is_leading(d)
                    order by d.finalized_at
                    limit p_limit
                    for update skip locked);
        end if;
        get diagnostics v_count = row_count;
        return query select v_sort.state || case when v_sort.is_probe then ' probes' else ' jobs' end, v_count;
    end loop;
    if p_message_days is not null then
        delete from outbox o
            where o.id in (
                select d.id
                from outbox d
                where d.created_at < now() - p_message_days * interval '1 day'
                    and d.confirmed_at < now() - p_message_days * interval '1 day'
                limit p_limit
                for update skip locked);
        get diagnostics v_count = row_count;
        return query select 'sent messages', v_count;
    end if;
    if p_rejection_days is not null then
        delete from rejections r
            where r.id in (
                select d.id
                from rejections d
                where d.at < now() - p_rejection_days * interval '1 day'
                order by d.at
                limit p_limit
                for update skip locked);
        get diagnostics v_count = row_count;
        return query select 'rejections', v_count;
    end if;
end $$;

-- Which artifacts of a list nobody refers to: no job made it, none needs it as a reference picture, no concept stands
-- on it.
create or replace function atelier.unreferenced(p_digests text[]) returns setof text
language sql stable set search_path = atelier, pg_temp as $$
    select d
    from unnest(p_digests) d
    where not exists (select from artifacts a where a.sha256 = d)
        and not exists (select from concepts c where c.adapter_sha256 = d)
        and not exists (
            select
            from jobs j
            where j.spec ? 'images'
                and j.spec->'images' @> jsonb_build_array(jsonb_build_object('artifact', 'sha256:' || d)))
$$;

-- Counts what ended in the hours that are over, once; what ends later is counted when it is looked at. Hours are waited
-- for a minute: who ended a job at an hour's end may have committed a moment later.
create or replace function atelier.count_hours() returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_count int;
begin
    perform pg_advisory_xact_lock(hashtextextended('atelier.hours', 0));
    insert into hours (hour, kind, state, jobs)
        select date_trunc('hour', j.finalized_at), j.kind, j.state, count(*)
        from jobs j
        where j.finalized_at >= coalesce((select max(h.hour) + interval '1 hour' from hours h), '-infinity')
            and j.finalized_at < date_trunc('hour', now() - interval '1 minute')
        group by 1, 2, 3;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- What is kept how long. Everything is deleted in small batches, so that nobody waits for a long lock or a long
-- transaction; what a concept came from is kept as long as the concept.

-- Deletes at most p_limit jobs, probes aside, that ended in this state so many days ago, with all that hangs on them;
-- gives how many. A message that did not leave yet must not be the only one to know of its job.
create or replace function atelier.prune_jobs(p_state atelier.job_state, p_days double precision, p_limit int)
returns int
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off as $$
declare
    v_seen int;
    v_deleted int;
    v_count int := 0;
begin
    for v_round in 1..20 loop
        with over_time as materialized (
            select d.id,
                is_leading(d) or exists (
                    select from concepts c where c.job = d.id and c.deleted_at is null) as is_kept
            from jobs d
            where d.state = p_state and d.kind <> 'probe' and d.finalized_at is not null
                and greatest(d.finalized_at, d.kept_at) < now() - p_days * interval '1 day'
                and not exists (
                    select
                    from outbox o
                    where o.job = d.id and o.confirmed_at is null and o.set_aside_at is null)
            order by greatest(d.finalized_at, d.kept_at)
            limit p_limit - v_count
            for update of d skip locked),
        kept as (
            update jobs j set kept_at = now()
            from over_time t
            where t.id = j.id and t.is_kept),
        deleted as (
            delete from jobs j
            using over_time t
            where t.id = j.id and not t.is_kept
            returning j.id)
        select (select count(*) from over_time), (select count(*) from deleted) into v_seen, v_deleted;
        v_count := v_count + v_deleted;
        exit when v_seen = 0 or v_count >= p_limit;
    end loop;
    return v_count;
end $$;

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
            ('completed', p_completed_days),
            ('cancelled', p_completed_days),
            ('discarded', p_discarded_days)) as s(state, days)
        where s.days is not null
    loop
        return query select v_sort.state || ' jobs', prune_jobs(v_sort.state::job_state, v_sort.days, p_limit);
    end loop;
    for v_sort in
        select *
        from unnest(array['completed', 'cancelled', 'discarded']) as s(state)
        where p_probe_days is not null
    loop
        delete from jobs j
            where j.id in (
                select d.id
                from jobs d
                where d.finalized_at < now() - p_probe_days * interval '1 day'
                    and d.state = v_sort.state::job_state
                    and d.kind = 'probe'
                    and not exists (
                        select
                        from outbox o
                        where o.job = d.id and o.confirmed_at is null and o.set_aside_at is null)
                order by d.finalized_at
                limit p_limit
                for update skip locked);
        get diagnostics v_count = row_count;
        return query select v_sort.state || ' probes', v_count;
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
    -- What was set aside is there for people to see, as long as what was discarded.
    if p_discarded_days is not null then
        delete from outbox o
            where o.id in (
                select d.id
                from outbox d
                where d.set_aside_at < now() - p_discarded_days * interval '1 day'
                order by d.set_aside_at
                limit p_limit
                for update skip locked);
        get diagnostics v_count = row_count;
        return query select 'messages set aside', v_count;
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

-- Deletes the worker that was gone first, so many days ago, of those that no attempt names any more, with the models it
-- held; gives whether there was one. No index tells a worker's attempts, for every attempt would be written to it: all
-- are looked through to find it, and attempts and jobs once more to let it go. So this is asked seldom.
create or replace function atelier.prune_worker(p_days double precision) returns boolean
language plpgsql set search_path = atelier, pg_temp security definer as $$
begin
    with named as materialized (
        select distinct a.worker from attempts a)
    delete from workers w
        where w.id in (
            select d.id
            from workers d
            where d.gone_at < now() - p_days * interval '1 day' and d.id not in (select n.worker from named n)
            order by d.gone_at
            limit 1
            for update skip locked);
    return found;
end $$;

-- Counts what ended in the hours that are over, once; what ends later is counted when it is looked at. Hours are waited
-- for a minute: who ended a job at an hour's end may have committed a moment later. Hours that were counted while the
-- clock was ahead are counted again when they are over: until then they would hide all that ends.
create or replace function atelier.count_hours() returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_count int;
begin
    perform pg_advisory_xact_lock(hashtextextended('atelier.hours', 0));
    delete from hours h where h.hour >= date_trunc('hour', now());
    insert into hours (hour, kind, state, jobs)
        select date_trunc('hour', j.finalized_at), j.kind, j.state, count(*)
        from jobs j
        where j.finalized_at >= coalesce((select max(h.hour) + interval '1 hour' from hours h), '-infinity')
            and j.finalized_at < date_trunc('hour', now() - interval '1 minute')
        group by 1, 2, 3;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

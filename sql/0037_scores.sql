-- The leaderboard compares what can be compared, and keeps what it shows.
create or replace function atelier.keep_scores() returns trigger language plpgsql set search_path = atelier, pg_temp as $$
begin
    insert into scores (job, concept, method, model, suite, metric, encoder, value, half_width)
        select new.id, r->>'concept', r->>'method', new.spec->>'model', coalesce(r->>'suite', new.result->>'suite', 'own'), split_part(s.key, '.', 1),
            substr(s.key, strpos(s.key, '.') + 1), s.value::double precision, (r->'intervals'->>s.key)::double precision
        from jsonb_array_elements(new.result->'table') r, jsonb_each_text(r->'scores') s
        on conflict do nothing;
    return null;
end $$;
comment on column atelier.scores.suite is 'The prompts: a suite''s name, with how many of how many where some were left out, `own` for a job''s own prompts, `quick` for the few that end a personalization.';

-- Of prompts that are each job's own there is no rank.
create or replace view dashboard.leaderboard as
    with latest as (
        select distinct on (j.tenant, s.concept, s.method, s.model, s.suite, s.metric, s.encoder)
            s.concept, j.tenant, s.method, s.model, s.suite, s.metric, s.encoder, s.value, j.finalized_at
        from atelier.scores s join atelier.jobs j on j.id = s.job where s.suite <> 'own'
        order by j.tenant, s.concept, s.method, s.model, s.suite, s.metric, s.encoder, j.finalized_at desc)
    select suite, metric || '.' || encoder as metric, method, model, count(*) as concepts, avg(value) as mean, stddev_samp(value) as deviation,
        rank() over (partition by suite, metric, encoder order by case when metric = 'pres' then avg(value) else -avg(value) end) as place,
        max(finalized_at) as latest_at
    from latest group by suite, metric, encoder, method, model order by suite, metric, encoder, place, method, model;
comment on view dashboard.leaderboard is 'Methods beside each other, suite by suite and metric by metric: the mean over the concepts each was tried on, by their latest figures.';

-- Evaluations that the leaderboard shows stay while nothing newer is there; their number is that of concepts, methods and suites.
create function atelier.is_leading(p_job atelier.jobs) returns boolean language sql stable set search_path = atelier, pg_temp as $$
    select p_job.kind = 'evaluate' and exists (
        select from scores s where s.job = p_job.id and s.suite <> 'own' and not exists (
            select from scores t join jobs k on k.id = t.job
            where t.concept = s.concept and t.method = s.method and t.model = s.model and t.suite = s.suite and t.metric = s.metric and t.encoder = s.encoder
                and k.tenant = p_job.tenant and k.finalized_at > p_job.finalized_at))
$$;
revoke all on function atelier.is_leading(atelier.jobs) from public;
create index scores_concept on atelier.scores (concept, suite, metric);

-- Probes of a day are looked for among probes, not among all that has ended.
create index jobs_final_probes on atelier.jobs (finalized_at) where kind = 'probe' and finalized_at is not null;
create or replace function atelier.prune(p_completed_days double precision, p_discarded_days double precision, p_probe_days double precision,
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
        -- What hangs on the job goes with it. Two statements, for probes are found by an index of their own.
        if v_sort.is_probe then
            delete from jobs j where j.id in (
                select d.id from jobs d
                where d.finalized_at < now() - v_sort.days * interval '1 day' and d.state = v_sort.state::job_state and d.kind = 'probe'
                    -- A message that did not leave yet must not be the only one to know of it.
                    and not exists (select from outbox o where o.job = d.id and o.confirmed_at is null)
                order by d.finalized_at limit p_limit for update skip locked);
        else
            delete from jobs j where j.id in (
                select d.id from jobs d
                where d.finalized_at < now() - v_sort.days * interval '1 day' and d.state = v_sort.state::job_state and d.kind <> 'probe'
                    and not exists (select from concepts c where c.job = d.id)
                    and not exists (select from outbox o where o.job = d.id and o.confirmed_at is null)
                    and not is_leading(d)
                order by d.finalized_at limit p_limit for update skip locked);
        end if;
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

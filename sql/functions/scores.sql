-- What evaluations found, in rows.

create or replace function atelier.keep_scores() returns trigger
language plpgsql set search_path = atelier, pg_temp as $$
begin
    insert into scores (job, concept, method, model, suite, metric, encoder, value, half_width)
        select new.id, r->>'concept', r->>'method', new.spec->>'model',
            coalesce(r->>'suite', new.result->>'suite', 'own'),
            split_part(s.key, '.', 1), substr(s.key, strpos(s.key, '.') + 1),
            s.value::double precision, (r->'intervals'->>s.key)::double precision
        from jsonb_array_elements(new.result->'table') r,
            jsonb_each_text(r->'scores') s
        on conflict do nothing;
    return null;
end $$;
comment on function atelier.keep_scores() is 'Writes a completed job''s table of scores down in rows.';
create or replace trigger keep_scores after update of state on atelier.jobs
    for each row when (new.state = 'completed' and jsonb_typeof(new.result->'table') = 'array')
    execute function atelier.keep_scores();

-- Whether the leaderboard shows an evaluation: nothing newer is there. Their number is that of concepts, methods and
-- suites.
create or replace function atelier.is_leading(p_job atelier.jobs) returns boolean
language sql stable set search_path = atelier, pg_temp as $$
    select p_job.kind = 'evaluate' and exists (
        select
        from scores s
        where s.job = p_job.id and s.suite <> 'own' and not exists (
            select
            from scores t
                join jobs k on k.id = t.job
            where t.concept = s.concept and t.method = s.method and t.model = s.model and t.suite = s.suite
                and t.metric = s.metric and t.encoder = s.encoder
                and k.tenant = p_job.tenant and k.finalized_at > p_job.finalized_at))
$$;

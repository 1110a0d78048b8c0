-- What evaluations found: one row for each concept and metric of a completed job whose result has a table of scores.
create table atelier.scores (
    job uuid not null references atelier.jobs on delete cascade,
    concept text not null,
    method text not null,
    model text not null,
    suite text not null,
    metric text not null,
    encoder text not null,
    value double precision not null,
    half_width double precision check (half_width >= 0),
    primary key (job, concept, metric, encoder)
);
comment on table atelier.scores is 'Scores of concepts, by metric and by the encoder that measured it: figures of two encoders are never compared.';
comment on column atelier.scores.suite is 'The prompts: a suite''s name, `own` for a job''s own prompts, `quick` for the few that end a personalization.';
comment on column atelier.scores.half_width is 'Half of the 95 % interval over seeds; null of a single seed.';

create function atelier.keep_scores() returns trigger language plpgsql set search_path = atelier, pg_temp as $$
begin
    insert into scores (job, concept, method, model, suite, metric, encoder, value, half_width)
        select new.id, r->>'concept', r->>'method', new.spec->>'model', coalesce(new.result->>'suite', 'own'), split_part(s.key, '.', 1),
            substr(s.key, strpos(s.key, '.') + 1), s.value::double precision, (r->'intervals'->>s.key)::double precision
        from jsonb_array_elements(new.result->'table') r, jsonb_each_text(r->'scores') s
        on conflict do nothing;
    return null;
end $$;
comment on function atelier.keep_scores() is 'Writes a completed job''s table of scores down in rows.';
revoke all on function atelier.keep_scores() from public;
grant select, insert on atelier.scores to atelier_daemon;
grant select on atelier.scores to atelier_admin;
create trigger keep_scores after update of state on atelier.jobs for each row
    when (new.state = 'completed' and jsonb_typeof(new.result->'table') = 'array') execute function atelier.keep_scores();

-- The newest figures first, by the index of what ended: whoever asks for a thousand rows waits for no more than those.
create or replace view dashboard.quality as
    select j.id as job, j.tenant, m.concept, m.metric, m.value, j.finalized_at, m.method, m.model, m.suite, m.half_width
    from atelier.jobs j, lateral (
        select j.spec->'concept'->>'name' as concept, e.key as metric, e.value, j.spec->>'method' as method, j.spec->>'model' as model, null::text as suite,
            null::double precision as half_width
        from jsonb_each(coalesce(j.result->'metrics', '{}')) e where j.kind <> 'evaluate'
        union all
        select s.concept, s.metric || '.' || s.encoder, to_jsonb(s.value), s.method, s.model, s.suite, s.half_width
        from atelier.scores s where s.job = j.id and j.kind = 'evaluate') m
    where j.state = 'completed' and j.finalized_at is not null order by j.finalized_at desc, m.metric;

-- Methods beside each other: of every concept its latest figures, the mean over concepts with its deviation, best first (of PRES and
-- nothing else less is better).
create view dashboard.leaderboard as
    with latest as (
        select distinct on (j.tenant, s.concept, s.method, s.model, s.suite, s.metric, s.encoder)
            s.concept, j.tenant, s.method, s.model, s.suite, s.metric, s.encoder, s.value, j.finalized_at
        from atelier.scores s join atelier.jobs j on j.id = s.job
        order by j.tenant, s.concept, s.method, s.model, s.suite, s.metric, s.encoder, j.finalized_at desc)
    select suite, metric || '.' || encoder as metric, method, model, count(*) as concepts, avg(value) as mean, stddev_samp(value) as deviation,
        rank() over (partition by suite, metric, encoder order by case when metric = 'pres' then avg(value) else -avg(value) end) as place,
        max(finalized_at) as latest_at
    from latest group by suite, metric, encoder, method, model order by suite, metric, encoder, place, method, model;
grant select on dashboard.leaderboard to atelier_daemon, atelier_admin, atelier_reader;

-- The newest figures first, by the index of what ended: whoever asks for a thousand rows waits for no more than those.
-- A job's are means over its concepts: of what was measured of each there is its own, of the rest the job's for each.
create or replace view dashboard.quality as
    select j.id as job, j.tenant, m.concept, m.metric, m.value, j.finalized_at, m.method, m.model, m.suite,
        m.half_width
    from atelier.jobs j,
        lateral (
            select o->>'name' as concept, e.key as metric, e.value, j.spec->>'method' as method,
                j.spec->>'model' as model, null::text as suite, null::double precision as half_width
            from jsonb_each(coalesce(j.result->'metrics', '{}')) e,
                jsonb_array_elements(coalesce(j.spec->'concepts', jsonb_build_array(j.spec->'concept'))) o
            where j.kind <> 'evaluate'
                and not exists (
                    select
                    from atelier.scores s
                    where s.job = j.id and s.metric || '.' || s.encoder = e.key)
            union all
            select s.concept, s.metric || '.' || s.encoder, to_jsonb(s.value), s.method, s.model, s.suite, s.half_width
            from atelier.scores s
            where s.job = j.id) m
    where j.state = 'completed' and j.finalized_at is not null
    order by j.finalized_at desc, m.metric, m.concept;
comment on view dashboard.quality is
    'The figures of completed jobs: a row for each metric of each concept, without a concept one for each metric.';

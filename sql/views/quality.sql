-- The newest figures first, by the index of what ended: whoever asks for a thousand rows waits for no more than those.
create or replace view dashboard.quality as
    select j.id as job, j.tenant, m.concept, m.metric, m.value, j.finalized_at, m.method, m.model, m.suite,
        m.half_width
    from atelier.jobs j,
        lateral (
            select coalesce(j.spec->'concept', j.spec->'concepts'->0)->>'name' as concept, e.key as metric, e.value,
                j.spec->>'method' as method,
                j.spec->>'model' as model, null::text as suite, null::double precision as half_width
            from jsonb_each(coalesce(j.result->'metrics', '{}')) e
            where j.kind <> 'evaluate'
            union all
            select s.concept, s.metric || '.' || s.encoder, to_jsonb(s.value), s.method, s.model, s.suite, s.half_width
            from atelier.scores s
            where s.job = j.id and j.kind = 'evaluate') m
    where j.state = 'completed' and j.finalized_at is not null
    order by j.finalized_at desc, m.metric;

create or replace view dashboard.warnings as
    select j.id as job, j.tenant, coalesce(j.spec->'concept', j.spec->'concepts'->0)->>'name' as concept,
        j.spec->>'method' as method,
        j.spec->>'model' as model, w.warning, j.finalized_at
    from atelier.jobs j,
        jsonb_array_elements_text(j.result->'warnings') w(warning)
    where j.state = 'completed' and jsonb_typeof(j.result->'warnings') = 'array' and j.finalized_at is not null
    order by j.finalized_at desc;
comment on view dashboard.warnings is
    'Warnings of completed jobs, newest first: a class that drifted towards the concept, pictures that grow alike.';

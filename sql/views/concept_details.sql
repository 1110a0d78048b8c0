-- Versions of concepts with what was asked for and what came of it.
create or replace view dashboard.concept_details as
    select c.tenant, c.name, c.version, c.role, c.model, c.adapter_sha256, c.job, c.created_at,
        (
            select o->>'class'
            from jsonb_array_elements(coalesce(j.spec->'concepts', jsonb_build_array(j.spec->'concept'))) o
            where o->>'name' = c.name) as class,
        j.spec->>'method' as method, j.spec->'options' as options,
        -- Its own alone, where the job learnt several.
        (
            select jsonb_agg(i.image order by i.number)
            from jsonb_array_elements(j.spec->'images') with ordinality i(image, number)
            where not exists (
                select
                from jsonb_array_elements(j.spec->'concepts') o
                where o->>'name' = c.name and not coalesce(o->'images', '[]') @> to_jsonb(i.number - 1))) as references,
        -- A job's are means over its concepts: of what was measured of each there is its own.
        ((j.result->'metrics') - array(
            select s.metric || '.' || s.encoder
            from atelier.scores s
            where s.job = c.job)) || (
            select coalesce(jsonb_object_agg(s.metric || '.' || s.encoder, s.value), '{}')
            from atelier.scores s
            where s.job = c.job and s.concept = c.name) as metrics,
        j.result->'warnings' as warnings,
        c.version = max(c.version) over (partition by c.tenant, c.name, c.model) as newest,
        (select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'name', a.name, 'role', a.role, 'sha256', a.sha256, 'bytes', a.bytes, 'prompt', a.prompt,
                        'seed', a.seed::text, 'media_type', a.media_type)
                    order by a.created_at, a.name), '[]')
            from atelier.artifacts a
            where a.job = c.job) as artifacts
    from atelier.concepts c
        join atelier.jobs j on j.id = c.job
    where c.deleted_at is null;
comment on view dashboard.concept_details is 'Concepts, a row a version: references, pictures, metrics, files.';

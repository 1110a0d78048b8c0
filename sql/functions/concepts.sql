-- Versions of concepts.

-- Two jobs that end in the same moment and learnt the same name would both take the next version: the second would be
-- refused and lose what it learnt. Versions are given one transaction after the other, by the lock on their row.
create or replace function atelier.number_concept() returns trigger
language plpgsql set search_path = atelier, pg_temp as $$
begin
    insert into concept_versions as v (name_sha256, last, tenant)
        values (sha256(convert_to(new.tenant || chr(31) || new.name, 'UTF8')), 1, new.tenant)
        on conflict (name_sha256) do update set last = v.last + 1, tenant = excluded.tenant
        returning v.last into new.version;
    return new;
end $$;
comment on function atelier.number_concept() is
    'Gives a concept the next version of its name, whatever the insert says.';
create or replace trigger number_concept before insert on atelier.concepts
    for each row execute function atelier.number_concept();

-- For people: the adapter of another program becomes the next version of a tenant's concept; p_spec says what it is as
-- a personalization would. Its bytes are in the folder of artifacts. Gives the version.
create or replace function atelier.import_concept(p_tenant text, p_spec jsonb, p_sha256 text, p_bytes bigint)
returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_job uuid := gen_random_uuid();
    v_version int;
begin
    insert into jobs (id, message_id, tenant, kind, state, spec, model, result, started_at, finalized_at)
        values (
            v_job, 'import ' || v_job, p_tenant, 'import', 'completed', p_spec, p_spec->>'model',
            '{"imported": true}', now(), now());
    insert into artifacts (job, name, role, media_type, sha256, bytes)
        values (
            v_job, (p_spec->'concept'->>'name') || '.safetensors', 'adapter', 'application/vnd.safetensors', p_sha256,
            p_bytes);
    perform give_artifacts(p_tenant, array[p_sha256]);
    insert into concepts (tenant, name, version, role, model, adapter_sha256, job)
        values (
            p_tenant, p_spec->'concept'->>'name', 1, p_spec->'concept'->>'role', p_spec->>'model', p_sha256, v_job)
        returning version into v_version;
    return v_version;
end $$;

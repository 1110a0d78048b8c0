-- Artifacts are a tenant's own, and what is deleted is erased.
create table atelier.tenant_artifacts (
    tenant text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    primary key (tenant, sha256)
);
comment on table atelier.tenant_artifacts is
    'Which tenant has which artifact: it sent it, or a job of it made it. Another tenant''s is as one that nobody has.';
create index tenant_artifacts_sha256 on atelier.tenant_artifacts (sha256);
insert into atelier.tenant_artifacts (tenant, sha256)
    select j.tenant, a.sha256
    from atelier.artifacts a
        join atelier.jobs j on j.id = a.job
    union
    select j.tenant, substr(i->>'artifact', 8)
    from atelier.jobs j, jsonb_array_elements(j.spec->'images') i
    where jsonb_typeof(j.spec->'images') = 'array' and i->>'artifact' ~ '^sha256:[0-9a-f]{64}$';

create table atelier.erasures (
    sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
    asked_at timestamptz not null default now()
);
comment on table atelier.erasures is
    'Artifacts whose last reference was deleted: a daemon removes their files within minutes, and then the row.';

create table atelier.concept_versions (
    name_sha256 bytea primary key,
    last integer not null check (last > 0)
);
comment on table atelier.concept_versions is
    'The last version given to a tenant''s concept, by the SHA-256 of tenant, U+001F and name: a version is never '
    'given twice, and an erased name is not kept for that.';
insert into atelier.concept_versions (name_sha256, last)
    select sha256(convert_to(tenant || chr(31) || name, 'UTF8')), max(version)
    from atelier.concepts
    group by tenant, name;
comment on column atelier.concepts.deleted_at is
    'Versions before deleted concepts so; now the row goes with its job. What has it is pruned like any job.';

-- What a tenant's erasure has to find says whose it is: versions that were given, files that are to go.
alter table atelier.concept_versions add column tenant text check (tenant <> '');
comment on column atelier.concept_versions.tenant is
    'Whose; null where nothing is left that tells, until the name is learnt again. It goes with the tenant.';
update atelier.concept_versions v set tenant = k.tenant
    from (
        select c.tenant, c.name
        from atelier.concepts c
        union
        select j.tenant, n->>'name'
        from atelier.jobs j,
            jsonb_array_elements(
                case jsonb_typeof(j.spec->'concepts') when 'array' then j.spec->'concepts'
                    else jsonb_build_array(j.spec->'concept') end) n
        where j.kind in ('personalize', 'import')) k
    where v.name_sha256 = sha256(convert_to(k.tenant || chr(31) || k.name, 'UTF8'));
create index concept_versions_tenant on atelier.concept_versions (tenant);

alter table atelier.erasures add column tenants text[] not null default '{}';
comment on column atelier.erasures.tenants is
    'Who had it and let it go: the erasure of such a tenant is not over before the file is gone.';
update atelier.erasures e set tenants = array(
    select distinct t.tenant
    from atelier.tenant_erasures t
    where t.ended_at is null and e.sha256 = any (t.digests));

-- Pruned jobs left to their tenants what only they had needed.
delete from atelier.tenant_artifacts t
    where not exists (
            select
            from atelier.artifacts a
                join atelier.jobs j on j.id = a.job
            where a.sha256 = t.sha256 and j.tenant = t.tenant)
        and not exists (
            select from atelier.concepts c where c.adapter_sha256 = t.sha256 and c.tenant = t.tenant)
        and not exists (
            select
            from atelier.jobs j
            where j.tenant = t.tenant and j.spec ? 'images'
                and j.spec->'images' @> jsonb_build_array(jsonb_build_object('artifact', 'sha256:' || t.sha256)));

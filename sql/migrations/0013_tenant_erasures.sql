-- That a tenant was erased is written down; what it was is not.
create table atelier.tenant_erasures (
    id bigint generated always as identity primary key,
    tenant text not null check (tenant <> ''),
    asked_by text not null,
    asked_at timestamptz not null default now(),
    ended_at timestamptz,
    jobs integer not null default 0,
    concepts integer not null default 0,
    rejections integer not null default 0,
    artifacts integer,
    digests text[] not null default '{}',
    constraint ended_without_digests check (ended_at is null or digests = '{}'),
    constraint ended_has_artifacts check ((ended_at is null) = (artifacts is null))
);
comment on table atelier.tenant_erasures is
    'One row for each time a tenant was erased, kept for ever: who asked, when it was over, how much it was.';
comment on column atelier.tenant_erasures.asked_by is 'The PostgreSQL login that asked.';
comment on column atelier.tenant_erasures.digests is
    'Files that are to go from the folder of artifacts; forgotten as soon as they are gone.';
create index tenant_erasures_tenant on atelier.tenant_erasures (tenant);

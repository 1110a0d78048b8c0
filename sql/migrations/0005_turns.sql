-- Jobs that need a model wait for a worker that has it, and jobs that wait rise.
alter table atelier.jobs
    add column model text check (model <> '' and model !~ '@'),
    add column model_digest text check (model_digest <> ''),
    add column needs text not null
        generated always as (
            case when model is null then '' else model || '@' || coalesce(model_digest, '') end) stored,
    add constraint digest_of_a_model check (model_digest is null or model is not null);
comment on column atelier.jobs.model is 'The model that does it; null: any worker does.';
comment on column atelier.jobs.model_digest is
    'The digest of that model''s files, as the worker''s catalogue tells it; null: any files of that name.';
comment on column atelier.jobs.needs is 'model@digest, or nothing: what jobs with the same needs are found by.';

create table atelier.worker_models (
    worker uuid not null references atelier.workers on delete cascade,
    model text not null check (model <> '' and model !~ '@'),
    digest text not null check (digest <> ''),
    primary key (worker, model, digest)
);
comment on table atelier.worker_models is 'Which models a worker holds: it claims no job that needs another.';

create table atelier.tenants (
    tenant text primary key,
    claimed_at timestamptz not null
) with (fillfactor = 70);
comment on table atelier.tenants is 'When each tenant last had its turn: a job of it was claimed.';

-- The heads of all that waits, by the groups that a claim looks at.
drop index atelier.jobs_ready;
create index jobs_ready on atelier.jobs (tenant, needs, kind, priority, run_after, number)
    where state = 'available' and kind <> 'probe';

drop function if exists atelier.claim(uuid, int);

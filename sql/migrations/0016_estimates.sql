-- What a job will take, said before it begins: counted by an engine, priced by what each host was measured to do, and
-- corrected by what jobs of its kind really took.
create table atelier.host_rates (
    host text primary key,
    version int not null,
    threads int not null check (threads > 0),
    rates jsonb not null check (jsonb_typeof(rates) = 'object'),
    resident_bytes bigint not null check (resident_bytes >= 0),
    measured_at timestamptz not null default now()
);
comment on table atelier.host_rates is
    'How much of each kind of work a host does a second, as its engine measured when its first daemon began.';

create table atelier.estimate_ratios (
    kind text not null,
    method text not null,
    model text not null,
    jobs int not null check (jobs > 0),
    seconds double precision not null check (seconds > 0),
    memory double precision not null check (memory > 0),
    primary key (kind, method, model)
);
comment on table atelier.estimate_ratios is
    'What jobs really took by what was counted for them: running medians, which a single strange job moves little.';

alter table atelier.workers add column memory_bytes bigint check (memory_bytes > 0);
comment on column atelier.workers.memory_bytes is 'The most that one engine may take there; null where nobody knows.';
alter table atelier.jobs add column estimate jsonb check (jsonb_typeof(estimate) = 'object');
comment on column atelier.jobs.estimate is
    'seconds, memory_bytes and disk_bytes as they were told when it was accepted, the number of jobs they were '
    'corrected by, and what was counted before that.';

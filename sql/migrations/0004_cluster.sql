-- What holds for all daemons together, and history that outlives its jobs.
create table atelier.cluster (
    single boolean primary key default true check (single),
    paused boolean not null default false,
    changes bigint not null default 0,
    changed_at timestamptz not null default now(),
    shared_mark uuid
);
insert into atelier.cluster default values;
comment on table atelier.cluster is 'What holds for all daemons together: one row.';
comment on column atelier.cluster.paused is
    'Outlives the daemons: a new one must not find itself at work after an upgrade under a pause.';
comment on column atelier.cluster.changes is 'Counts pauses and resumptions, so that old news never undoes newer.';
comment on column atelier.cluster.shared_mark is
    'The mark in the shared folder''s file `cluster`, which tells that folder from an empty mount point.';

create table atelier.hours (
    hour timestamptz not null,
    kind text not null,
    state atelier.job_state not null,
    jobs bigint not null check (jobs > 0),
    primary key (hour, kind, state)
);
comment on table atelier.hours is
    'How many jobs ended in an hour, by kind and state: history, also of jobs that were retried or pruned since.';

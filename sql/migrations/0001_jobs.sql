-- Jobs, their attempts and what those write down. The database refuses illegal states; times are the database's own, so
-- that hosts' clocks do not matter.
create schema if not exists atelier;
create schema if not exists dashboard;

create type atelier.job_state as enum (
    'available', 'scheduled', 'running', 'retryable', 'completed', 'cancelled', 'discarded');
create type atelier.attempt_outcome as enum (
    'completed', 'failed', 'crashed', 'interrupted', 'cancelled', 'lost');

create table atelier.workers (
    id uuid primary key,
    name text not null,
    host text not null,
    state_directory text not null,
    pid integer not null,
    slots smallint not null check (slots > 0),
    started_at timestamptz not null default now(),
    beat_at timestamptz not null default now(),
    gone_at timestamptz,
    paused boolean not null default false
) with (fillfactor = 50);
comment on table atelier.workers is
    'One row for each start of a daemon; beat_at is its heartbeat, gone_at when it left or was given up.';

create table atelier.jobs (
    id uuid primary key default gen_random_uuid(),
    message_id text not null check (octet_length(message_id) between 1 and 128),
    tenant text not null check (tenant <> ''),
    kind text not null check (kind in ('personalize', 'generate', 'compose', 'evaluate', 'probe')),
    state atelier.job_state not null default 'available',
    priority smallint not null default 0 check (priority between 0 and 9),
    spec jsonb not null,
    attempt integer not null default 0 check (attempt >= 0),
    failures integer not null default 0 check (failures >= 0),
    rescues integer not null default 0 check (rescues >= 0),
    max_attempts integer not null default 3 check (max_attempts between 1 and 100),
    worker uuid references atelier.workers,
    run_after timestamptz not null default now(),
    deadline timestamptz,
    reply_to text,
    correlation_id text,
    traceparent text,
    cancel_requested_at timestamptz,
    cancel_reason text,
    stage text,
    step integer,
    steps integer,
    result jsonb,
    error_code text,
    error_message text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finalized_at timestamptz,
    number bigint generated always as identity,
    stage_began_at timestamptz,
    stage_first_step integer,
    unique (tenant, message_id),
    constraint owned_while_running check ((state = 'running') = (worker is not null)),
    constraint finalized_when_final
        check ((finalized_at is not null) = (state in ('completed', 'cancelled', 'discarded'))),
    constraint completed_has_result check (state <> 'completed' or result is not null),
    constraint discarded_has_error check (state <> 'discarded' or error_code is not null)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
comment on column atelier.jobs.attempt is
    'Counts claims; the number of the current claim is the fence of everything it writes.';
comment on column atelier.jobs.failures is
    'Counts what was the job''s fault; at max_attempts it is discarded. A drain or a dead daemon does not count.';
comment on column atelier.jobs.rescues is
    'Counts daemons that died over it and hosts that failed under it; at ten it is discarded, for it may be what kills '
    'them.';
comment on column atelier.jobs.number is 'The order of arrival, where times are the same.';
comment on column atelier.jobs.stage_began_at is
    'When this attempt first said something of its present stage, at step stage_first_step.';
-- What is ready is found by an index of its own for probes, so that neither waits behind the other's backlog.
create index jobs_ready on atelier.jobs (tenant, priority desc, run_after, number)
    where state = 'available' and kind <> 'probe';
create index jobs_ready_probes on atelier.jobs (priority desc, number)
    where state = 'available' and kind = 'probe';
create index jobs_due on atelier.jobs (run_after)
    where state in ('scheduled', 'retryable');
create index jobs_deadline on atelier.jobs (deadline)
    where deadline is not null and state in ('available', 'scheduled', 'retryable');
create index jobs_running on atelier.jobs (worker)
    where state = 'running';
create index jobs_final on atelier.jobs (finalized_at)
    where finalized_at is not null;
create index jobs_final_probes on atelier.jobs (finalized_at)
    where kind = 'probe' and finalized_at is not null;
create index jobs_created on atelier.jobs (created_at);
create index jobs_images on atelier.jobs using gin ((spec->'images') jsonb_path_ops)
    where spec ? 'images';

create table atelier.attempts (
    job uuid not null references atelier.jobs on delete cascade,
    attempt integer not null check (attempt > 0),
    worker uuid not null references atelier.workers,
    started_at timestamptz not null default now(),
    ended_at timestamptz,
    outcome atelier.attempt_outcome,
    engine text,
    backbone text,
    resumed_from_step integer,
    last_step integer,
    error_code text,
    error_message text,
    problems jsonb,
    log_tail text,
    peak_memory_bytes bigint,
    processor_seconds double precision,
    primary key (job, attempt),
    constraint ended_has_outcome check ((ended_at is null) = (outcome is null))
);
comment on table atelier.attempts is
    'Each try of a job, for ever: who, when, how it ended and what the engine said last.';
create index attempts_failed on atelier.attempts (error_code, ended_at)
    where outcome in ('failed', 'crashed', 'lost');

create table atelier.job_events (
    id bigint generated always as identity primary key,
    job uuid not null references atelier.jobs on delete cascade,
    event text not null,
    detail jsonb not null default '{}',
    at timestamptz not null default now()
);
create index job_events_job on atelier.job_events (job, id);

create table atelier.checkpoints (
    job uuid not null references atelier.jobs on delete cascade,
    attempt integer not null,
    step integer not null,
    path text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes bigint not null check (bytes >= 0),
    created_at timestamptz not null default now(),
    primary key (job, attempt, step)
);

create table atelier.metrics (
    job uuid not null references atelier.jobs on delete cascade,
    attempt integer not null,
    step integer not null,
    name text not null,
    value double precision not null,
    at timestamptz not null default now(),
    primary key (job, name, step)
);
comment on table atelier.metrics is
    'One value a step: an attempt that repeats a step after its checkpoint overwrites it.';

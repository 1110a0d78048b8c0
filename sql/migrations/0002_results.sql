-- What jobs made: artifacts, concepts, scores.
create table atelier.artifacts (
    job uuid not null references atelier.jobs on delete cascade,
    name text not null,
    role text not null,
    media_type text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes bigint not null check (bytes >= 0),
    prompt text,
    seed numeric,
    created_at timestamptz not null default now(),
    primary key (job, name)
);
comment on table atelier.artifacts is
    'Bytes are in the artifact folder under their SHA-256; the row says what they are and which job made them.';
create index artifacts_sha256 on atelier.artifacts (sha256);

create table atelier.concepts (
    tenant text not null,
    name text not null,
    version integer not null check (version > 0),
    role text not null check (role in ('subject', 'style')),
    model text not null,
    adapter_sha256 text not null check (adapter_sha256 ~ '^[0-9a-f]{64}$'),
    job uuid not null unique references atelier.jobs on delete cascade,
    created_at timestamptz not null default now(),
    deleted_at timestamptz,
    primary key (tenant, name, version)
);
comment on table atelier.concepts is
    'What was learnt; the highest version of a name on a job''s model that is not deleted is the one the job means.';
create index concepts_adapter on atelier.concepts (adapter_sha256);

create table atelier.scores (
    job uuid not null references atelier.jobs on delete cascade,
    concept text not null,
    method text not null,
    model text not null,
    suite text not null,
    metric text not null,
    encoder text not null,
    value double precision not null,
    half_width double precision check (half_width >= 0),
    primary key (job, concept, metric, encoder)
);
comment on table atelier.scores is
    'Scores of concepts, by metric and by the encoder that measured it: figures of two encoders are never compared.';
comment on column atelier.scores.suite is
    'The prompts: a suite''s name, with how many of how many where some were left out, `own` for a job''s own prompts, '
    '`quick` for the few that end a personalization.';
comment on column atelier.scores.half_width is 'Half of the 95 % interval over seeds; null of a single seed.';
create index scores_concept on atelier.scores (concept, suite, metric);

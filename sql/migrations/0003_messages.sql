-- Messages that could not be jobs, and messages that leave.
create table atelier.rejections (
    id bigint generated always as identity primary key,
    tenant text not null,
    message_id text,
    kind text,
    problems jsonb not null check (jsonb_typeof(problems) = 'array' and jsonb_array_length(problems) > 0),
    body bytea not null,
    at timestamptz not null default now()
);
comment on column atelier.rejections.body is
    'What came, or its first 64 KiB and a line with the length and SHA-256 of all of it.';
create unique index rejections_once on atelier.rejections (tenant, message_id, sha256(body))
    where message_id is not null;
create index rejections_at on atelier.rejections (at);

create table atelier.outbox (
    id bigint generated always as identity primary key,
    event_id uuid not null default gen_random_uuid(),
    job uuid,
    event text not null,
    exchange text not null check (exchange in ('events', '')),
    routing_key text not null,
    correlation_id text,
    body jsonb not null,
    created_at timestamptz not null default now(),
    tries integer not null default 0,
    next_try timestamptz not null default now(),
    confirmed_at timestamptz,
    last_error text
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
comment on table atelier.outbox is
    'Messages that were decided in a transaction and leave with publisher confirms; event_id is the AMQP message_id, '
    'the same on every try. Exchange "" is the default one: a reply.';
-- What was refused before does not go before what was never sent.
create index outbox_waiting on atelier.outbox ((tries > 0), id)
    where confirmed_at is null;
-- Sent messages are found by their age, in blocks, instead of by an index that every one of them would be written to.
create index outbox_created on atelier.outbox using brin (created_at) with (pages_per_range = 16, autosummarize = on);

-- A message that the broker will not take is counted against itself and set aside; what a rejection stores is bounded.
alter table atelier.outbox
    add column set_aside_at timestamptz,
    add constraint sent_or_set_aside check (confirmed_at is null or set_aside_at is null),
    add constraint set_aside_for_a_reason check (set_aside_at is null or last_error is not null);
comment on column atelier.outbox.tries is
    'How often it was published; what was refused goes behind what was never sent.';
comment on column atelier.outbox.next_try is 'Put off so long after each refusal.';
comment on column atelier.outbox.set_aside_at is
    'The broker refused it too often, for what last_error says; it is tried again only by resend_set_aside.';
drop index atelier.outbox_waiting;
create index outbox_waiting on atelier.outbox ((tries > 0), id)
    where confirmed_at is null and set_aside_at is null;
create index outbox_set_aside on atelier.outbox (set_aside_at)
    where set_aside_at is not null;

-- Not of the rows that are there: what they hold came before the bounds.
alter table atelier.rejections
    add constraint bounded_problems
        check (jsonb_array_length(problems) <= 51 and octet_length(problems::text) <= 512 * 1024) not valid,
    add constraint bounded_names
        check (octet_length(tenant) <= 1024 and octet_length(message_id) <= 1024 and octet_length(kind) <= 1024)
        not valid,
    add constraint bounded_body check (octet_length(body) <= 66 * 1024) not valid;

-- Whether the house is paused outlives its daemons: who paused before an upgrade must not find the new daemon at work, and a daemon that
-- did not listen yet hears of it with its next heartbeat. Each change has a number, so that old news never undoes newer.
create table atelier.house (
    single boolean primary key default true check (single),
    paused boolean not null default false,
    changes bigint not null default 0,
    changed_at timestamptz not null default now());
insert into atelier.house default values;
comment on table atelier.house is 'What holds for all daemons together: one row.';
create function atelier.pause(p_paused boolean) returns table (paused boolean, changes bigint) language sql
security definer set search_path = atelier, pg_temp as $$
    update house h set paused = p_paused, changes = h.changes + 1, changed_at = now() returning h.paused, h.changes
$$;
comment on function atelier.pause(boolean) is 'Lets the daemons start no new work (true) or start work again (false); they hear of it with their next heartbeat.';
revoke all on function atelier.pause(boolean) from public;
grant execute on function atelier.pause(boolean) to atelier_daemon, atelier_admin;
grant select on atelier.house to atelier_daemon, atelier_admin;

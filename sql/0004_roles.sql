-- Roles: the daemon does what it needs, an admin calls functions, a reader sees the views. They are per cluster, so they may exist.
do $$ begin
    if not exists (select from pg_roles where rolname = 'atelier_daemon') then create role atelier_daemon; end if;
    if not exists (select from pg_roles where rolname = 'atelier_admin') then create role atelier_admin; end if;
    if not exists (select from pg_roles where rolname = 'atelier_reader') then create role atelier_reader; end if;
end $$;
revoke all on all functions in schema atelier from public;
grant usage on schema atelier to atelier_daemon, atelier_admin;
grant select, insert, update on all tables in schema atelier to atelier_daemon;
grant delete on atelier.checkpoints to atelier_daemon;
grant execute on all functions in schema atelier to atelier_daemon;
grant usage on schema dashboard to atelier_daemon, atelier_admin, atelier_reader;
grant select on all tables in schema dashboard to atelier_daemon, atelier_admin, atelier_reader;
grant select on all tables in schema atelier to atelier_admin;
grant execute on function atelier.cancel(uuid, text), atelier.retry(uuid, boolean) to atelier_admin;

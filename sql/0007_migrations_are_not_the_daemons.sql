-- Which migrations were applied the daemon may read; to change that is the owner's. Where psql ran the files there is no such table.
do $$ begin
    if to_regclass('atelier.schema_migrations') is not null then
        revoke insert, update, delete on atelier.schema_migrations from atelier_daemon;
    end if;
end $$;

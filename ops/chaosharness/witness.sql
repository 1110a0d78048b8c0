-- The harness's own eye in the database: every write about a job, in the order it was done, with its transaction. What
-- is written here rolls back with what it tells of. Order is by number, never by time, for clocks jump.
create schema chaos;
create table chaos.seen (
    number bigint generated always as identity primary key,
    transaction xid8 not null default pg_current_xact_id(),
    what text not null,
    job uuid not null,
    attempt integer,
    before text,
    after text
);

create function chaos.see_job() returns trigger
language plpgsql security definer set search_path = chaos, pg_temp as $$ begin
    if tg_op = 'UPDATE' then
        if old.state is distinct from new.state or old.attempt <> new.attempt then
            insert into seen (what, job, attempt, before, after)
                values ('job', new.id, new.attempt, old.state, new.state);
        end if;
    else
        insert into seen (what, job, attempt, after) values ('job', new.id, new.attempt, new.state);
    end if;
    return null;
end $$;
create function chaos.see_attempt() returns trigger
language plpgsql security definer set search_path = chaos, pg_temp as $$ begin
    insert into seen (what, job, attempt, before, after)
        values ('attempt', new.job, new.attempt, case when tg_op = 'UPDATE' then old.outcome end, new.outcome);
    return null;
end $$;
create function chaos.see_write() returns trigger
language plpgsql security definer set search_path = chaos, pg_temp as $$ begin
    insert into seen (what, job, attempt) values (tg_table_name, new.job, (to_jsonb(new)->>'attempt')::int);
    return null;
end $$;

create trigger chaos after insert or update on atelier.jobs for each row execute function chaos.see_job();
create trigger chaos after insert or update on atelier.attempts for each row execute function chaos.see_attempt();
create trigger chaos after insert or update on atelier.metrics for each row execute function chaos.see_write();
create trigger chaos after insert or update on atelier.checkpoints for each row execute function chaos.see_write();
create trigger chaos after insert or update on atelier.artifacts for each row execute function chaos.see_write();
create trigger chaos after insert or update on atelier.concepts for each row execute function chaos.see_write();

-- What a statement says that takes too long, without the wait: a trigger that a fault lays on a message.
create function chaos.time_out() returns trigger language plpgsql as $$
begin
    raise exception 'canceling statement due to statement timeout' using errcode = 'query_canceled';
end $$;

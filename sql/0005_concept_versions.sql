-- Two jobs that end in the same moment and learnt the same name would both take the next version: the second would be refused
-- and lose what it learnt. Versions are given one transaction after the other.
create function atelier.number_concept() returns trigger language plpgsql set search_path = atelier, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(new.tenant || chr(31) || new.name, 0));
    -- A statement of its own, so that it sees what was committed while this one waited.
    select coalesce(max(c.version), 0) + 1 into new.version from concepts c where c.tenant = new.tenant and c.name = new.name;
    return new;
end $$;
revoke all on function atelier.number_concept() from public;
comment on function atelier.number_concept() is 'Gives a concept the next version of its name, whatever the insert says.';
create trigger number_concept before insert on atelier.concepts for each row execute function atelier.number_concept();

-- Versions of concepts.

-- Two jobs that end in the same moment and learnt the same name would both take the next version: the second would be
-- refused and lose what it learnt. Versions are given one transaction after the other.
create or replace function atelier.number_concept() returns trigger
language plpgsql set search_path = atelier, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(new.tenant || chr(31) || new.name, 0));
    -- A statement of its own, so that it sees what was committed while this one waited.
    select coalesce(max(c.version), 0) + 1 into new.version
        from concepts c
        where c.tenant = new.tenant and c.name = new.name;
    return new;
end $$;
comment on function atelier.number_concept() is
    'Gives a concept the next version of its name, whatever the insert says.';
create or replace trigger number_concept before insert on atelier.concepts
    for each row execute function atelier.number_concept();

-- For people: deletes one version of a concept, or all of them: prompts do not find it any more. Its row stays, for its
-- version is never given to another adapter. Gives how many.
create or replace function atelier.delete_concept(p_tenant text, p_name text, p_version int default null) returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_count int;
begin
    update concepts c set deleted_at = now()
        where c.tenant = p_tenant and c.name = p_name and c.deleted_at is null
            and (p_version is null or c.version = p_version);
    get diagnostics v_count = row_count;
    return v_count;
end $$;

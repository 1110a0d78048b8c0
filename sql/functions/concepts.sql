-- Versions of concepts.

-- Two jobs that end in the same moment and learnt the same name would both take the next version: the second would be
-- refused and lose what it learnt. Versions are given one transaction after the other, by the lock on their row.
create or replace function atelier.number_concept() returns trigger
language plpgsql set search_path = atelier, pg_temp as $$
begin
    insert into concept_versions as v (name_sha256, last)
        values (sha256(convert_to(new.tenant || chr(31) || new.name, 'UTF8')), 1)
        on conflict (name_sha256) do update set last = v.last + 1
        returning v.last into new.version;
    return new;
end $$;
comment on function atelier.number_concept() is
    'Gives a concept the next version of its name, whatever the insert says.';
create or replace trigger number_concept before insert on atelier.concepts
    for each row execute function atelier.number_concept();

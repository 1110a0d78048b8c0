-- A concept can be deleted: prompts do not find it any more. Its row stays, for its version is never given to another adapter, and so do
-- the job that learnt it and that job's artifacts.
alter table atelier.concepts add column deleted_at timestamptz;
comment on table atelier.concepts is 'What was learnt; the highest version of a name that is not deleted is the one prompts mean.';

create or replace view dashboard.concepts as
    select tenant, name, version, role, model, adapter_sha256, job, created_at from atelier.concepts where deleted_at is null order by tenant, name, version desc;

-- For people: deletes one version of a concept, or all of them. Gives how many.
create function atelier.delete_concept(p_tenant text, p_name text, p_version int default null) returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare v_count int;
begin
    update concepts c set deleted_at = now()
        where c.tenant = p_tenant and c.name = p_name and c.deleted_at is null and (p_version is null or c.version = p_version);
    get diagnostics v_count = row_count;
    return v_count;
end $$;
revoke all on function atelier.delete_concept(text, text, int) from public;
grant execute on function atelier.delete_concept(text, text, int) to atelier_admin;

-- Erasure: what is deleted is gone, from the tables at once and from the folder of artifacts within minutes.

-- Which artifacts of a list a tenant has.
create or replace function atelier.held(p_tenant text, p_digests text[]) returns setof text
language sql stable set search_path = atelier, pg_temp as $$
    select t.sha256
    from tenant_artifacts t
    where t.tenant = p_tenant and t.sha256 = any (p_digests)
$$;

-- Which artifacts of a list nobody refers to: no job made it, none needs it as a reference picture, no concept stands
-- on it.
create or replace function atelier.unreferenced(p_digests text[]) returns setof text
language sql stable set search_path = atelier, pg_temp as $$
    select d
    from unnest(p_digests) d
    where not exists (select from artifacts a where a.sha256 = d)
        and not exists (select from concepts c where c.adapter_sha256 = d)
        and not exists (
            select
            from jobs j
            where j.spec ? 'images'
                and j.spec->'images' @> jsonb_build_array(jsonb_build_object('artifact', 'sha256:' || d)))
$$;

-- Every artifact that a job made or needs.
create or replace function atelier.artifacts_of(p_job atelier.jobs) returns text[]
language sql stable set search_path = atelier, pg_temp as $$
    select array(
        select a.sha256 from artifacts a where a.job = (p_job).id
        union
        select c.adapter_sha256 from concepts c where c.job = (p_job).id
        union
        select substr(i->>'artifact', 8)
        from jsonb_array_elements(
            case jsonb_typeof((p_job).spec->'images') when 'array' then (p_job).spec->'images' else '[]' end) i
        where i->>'artifact' ~ '^sha256:[0-9a-f]{64}$')
$$;

-- Takes artifacts from a tenant unless another job or concept of it needs them; whose last reference that was is to be
-- removed from the folder.
create or replace function atelier.take_artifacts(p_tenant text, p_digests text[]) returns void
language plpgsql set search_path = atelier, pg_temp as $$
begin
    delete from tenant_artifacts t
        where t.tenant = p_tenant and t.sha256 = any (p_digests)
            and not exists (
                select
                from artifacts a
                    join jobs j on j.id = a.job
                where a.sha256 = t.sha256 and j.tenant = p_tenant)
            and not exists (
                select from concepts c where c.adapter_sha256 = t.sha256 and c.tenant = p_tenant)
            and not exists (
                select
                from jobs j
                where j.tenant = p_tenant and j.spec ? 'images'
                    and j.spec->'images' @> jsonb_build_array(jsonb_build_object('artifact', 'sha256:' || t.sha256)));
    insert into erasures (sha256)
        select u from unreferenced(p_digests) u
        on conflict do nothing;
end $$;

-- For people: erases a job with all that hangs on it: attempts, events, metrics, checkpoints, scores, the concept it
-- learnt, messages that wait or were sent, rejections of its message id, and its pictures and adapter unless another
-- job or concept of the tenant needs them. Gives `deleted`; the state of a job that has not ended and is to be
-- cancelled first; null where there is no such job.
create or replace function atelier.delete_job(p_job uuid) returns text
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_job jobs;
    v_digests text[];
begin
    select * into v_job from jobs j where j.id = p_job for update;
    if not found then
        return null;
    elsif v_job.finalized_at is null then
        return v_job.state::text;
    end if;
    v_digests := artifacts_of(v_job);
    delete from outbox o
        where o.job = p_job
            or o.job is null and o.body->>'tenant' = v_job.tenant and o.body->>'message_id' = v_job.message_id;
    delete from rejections r where r.tenant = v_job.tenant and r.message_id = v_job.message_id;
    delete from jobs j where j.id = p_job;
    perform take_artifacts(v_job.tenant, v_digests);
    return 'deleted';
end $$;

-- For people: erases one version of a concept, or all of them, each with the job that learnt it. The next one learnt
-- gets a version that was never given. Gives how many.
create or replace function atelier.delete_concept(p_tenant text, p_name text, p_version int default null) returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_job uuid;
    v_count int := 0;
begin
    for v_job in
        select c.job
        from concepts c
        where c.tenant = p_tenant and c.name = p_name and (p_version is null or c.version = p_version)
        order by c.version
    loop
        v_count := v_count + (delete_job(v_job) = 'deleted')::int;
    end loop;
    return v_count;
end $$;

-- The artifacts that are to be removed now, the oldest first; what somebody refers to again is not.
create or replace function atelier.erasable(p_limit int) returns setof text
language plpgsql set search_path = atelier, pg_temp security definer as $$
begin
    delete from erasures e where not exists (select from unreferenced(array[e.sha256]));
    return query select e.sha256 from erasures e order by e.asked_at limit p_limit;
end $$;

-- Those artifacts are in the folder no more.
create or replace function atelier.erased(p_digests text[]) returns void
language sql set search_path = atelier, pg_temp security definer as $$
    delete from erasures e where e.sha256 = any (p_digests);
    delete from tenant_artifacts t where t.sha256 in (select unreferenced(p_digests));
$$;

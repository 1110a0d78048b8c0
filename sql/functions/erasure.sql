-- Erasure: what is deleted is gone, from the tables at once and from the folder of artifacts within minutes.

-- Which artifacts of a list a tenant has.
create or replace function atelier.held(p_tenant text, p_digests text[]) returns setof text
language sql stable set search_path = atelier, pg_temp as $$
    select t.sha256
    from tenant_artifacts t
    where t.tenant = p_tenant and t.sha256 = any (p_digests)
$$;

-- Gives artifacts to a tenant. A row that is there already is held too, so that nobody takes it before the job that
-- needs it is there to be seen.
create or replace function atelier.give_artifacts(p_tenant text, p_digests text[]) returns void
language sql set search_path = atelier, pg_temp as $$
    insert into tenant_artifacts (tenant, sha256)
        select distinct p_tenant, d
        from unnest(p_digests) d
        order by d
        on conflict (tenant, sha256) do update set sha256 = excluded.sha256
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

-- Whether a job or concept of a tenant needs an artifact.
create or replace function atelier.is_needed(p_tenant text, p_digest text) returns boolean
language sql stable set search_path = atelier, pg_temp as $$
    select exists (
            select
            from artifacts a
                join jobs j on j.id = a.job
            where a.sha256 = p_digest and j.tenant = p_tenant)
        or exists (
            select from concepts c where c.adapter_sha256 = p_digest and c.tenant = p_tenant)
        or exists (
            select
            from jobs j
            where j.tenant = p_tenant and j.spec ? 'images'
                and j.spec->'images' @> jsonb_build_array(jsonb_build_object('artifact', 'sha256:' || p_digest)))
$$;

-- Takes artifacts from a tenant unless another job or concept of it needs them; whose last reference that was is to be
-- removed from the folder.
create or replace function atelier.take_artifacts(p_tenant text, p_digests text[]) returns void
language plpgsql set search_path = atelier, pg_temp as $$
begin
    -- Whoever takes one in at this moment holds its row until its job is there: then the job is seen below.
    perform from tenant_artifacts t
        where t.tenant = p_tenant and t.sha256 = any (p_digests)
        order by t.sha256
        for update;
    delete from tenant_artifacts t
        where t.tenant = p_tenant and t.sha256 = any (p_digests) and not is_needed(t.tenant, t.sha256);
    insert into erasures as e (sha256, tenants)
        select distinct u, array[p_tenant] from unreferenced(p_digests) u
        order by u
        on conflict (sha256) do update
            set tenants = array(select unnest(e.tenants) union select unnest(excluded.tenants));
end $$;

-- Takes artifacts from every tenant of whom no job needs them any more: pruning took the last, and other tenants may
-- need them still.
create or replace function atelier.let_go(p_digests text[]) returns void
language plpgsql set search_path = atelier, pg_temp security definer as $$
begin
    perform from tenant_artifacts t
        where t.sha256 = any (p_digests) and not is_needed(t.tenant, t.sha256)
        order by t.tenant, t.sha256
        for update;
    delete from tenant_artifacts t where t.sha256 = any (p_digests) and not is_needed(t.tenant, t.sha256);
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

-- Erases what a job has learnt and drawn, and leaves the job itself with the pictures it was sent: its concepts, its
-- adapter and all it made, scores, curves, checkpoints, what it answered.
create or replace function atelier.forget_job(p_job uuid) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
    v_digests text[];
begin
    select * into v_job from jobs j where j.id = p_job for update;
    v_digests := array(
        select a.sha256 from artifacts a where a.job = p_job
        union
        select c.adapter_sha256 from concepts c where c.job = p_job);
    delete from concepts c where c.job = p_job;
    delete from artifacts a where a.job = p_job;
    delete from scores s where s.job = p_job;
    delete from metrics m where m.job = p_job;
    delete from checkpoints c where c.job = p_job;
    delete from outbox o where o.job = p_job;
    -- What was answered stands in the job's history too, and in what its engine said.
    update job_events e set detail = '{}' where e.job = p_job and e.detail <> '{}';
    update attempts a set log_tail = null where a.job = p_job and a.log_tail is not null;
    update jobs j set result = '{"deleted": true}' where j.id = p_job and j.result is not null;
    insert into job_events (job, event) values (p_job, 'concept_deleted');
    perform take_artifacts(v_job.tenant, v_digests);
end $$;

-- For people: erases one version of a concept, or all of them: what its job learnt and drew. The job stays, with the
-- pictures it was learnt from, unless p_references says that they go too, those aside that another job or concept of
-- the tenant needs. The next one learnt gets a version that was never given. Gives how many.
drop function if exists atelier.delete_concept(text, text, int);
create or replace function atelier.delete_concept(
    p_tenant text, p_name text, p_version int default null, p_references boolean default false)
returns int
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
        if p_references then
            v_count := v_count + (delete_job(v_job) = 'deleted')::int;
        else
            perform forget_job(v_job);
            v_count := v_count + 1;
        end if;
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

-- Everything there is of a tenant, a line for each sort; a tenant of whom nothing remains has zeros.
create or replace function atelier.remains_of(p_tenant text) returns table (what text, count bigint)
language sql stable security definer set search_path = atelier, pg_temp as $$
    select 'jobs that have not ended', count(*)
        from jobs j where j.tenant = p_tenant and j.finalized_at is null
    union all
    select 'jobs that have ended', count(*)
        from jobs j where j.tenant = p_tenant and j.finalized_at is not null
    union all
    select 'concepts', count(*) from concepts c where c.tenant = p_tenant
    union all
    select 'versions given to concepts', count(*) from concept_versions v where v.tenant = p_tenant
    union all
    select 'pictures, adapters and other files', count(*) from tenant_artifacts t where t.tenant = p_tenant
    union all
    select 'files that are still to be removed from the disk', count(*)
        from erasures e
        where p_tenant = any (e.tenants)
    union all
    select 'rejected messages', count(*) from rejections r where r.tenant = p_tenant
    union all
    select 'messages to it', count(*)
        from outbox o where o.body->>'tenant' = p_tenant
    union all
    select 'turns', count(*) from tenants t where t.tenant = p_tenant
$$;

-- For people: erases the next p_limit jobs of a tenant, and, once there are none, all else that is its own; gives how
-- many jobs it has left. Jobs that have not ended are cancelled; a running one is gone once its engine has stopped, so
-- this is called until it gives 0. Each call is a transaction of its own and locks that tenant's rows alone: others'
-- jobs run on. The row in tenant_erasures, which stays, says who asked and how much it was.
create or replace function atelier.erase_tenant(p_erasure bigint, p_limit int) returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_tenant text;
    v_jobs uuid[];
    v_digests text[];
    v_concepts int;
    v_rejections int := 0;
    v_left int;
begin
    select t.tenant into strict v_tenant from tenant_erasures t where t.id = p_erasure for update;
    v_jobs := array(
        select n.id
        from (
            select j.id from jobs j
            where j.tenant = v_tenant
            order by j.finalized_at nulls first
            limit p_limit) n
        order by n.id);
    -- Each is locked with this, ended or not, in the order of their ids, as rescue does.
    perform cancel(u.id, 'the tenant is erased') from unnest(v_jobs) u(id);
    v_jobs := array(select j.id from jobs j where j.id = any (v_jobs) and j.finalized_at is not null);
    v_digests := array(select distinct d from jobs j, unnest(artifacts_of(j)) d where j.id = any (v_jobs));
    select count(*) into v_concepts from concepts c where c.job = any (v_jobs);
    -- No index tells a job's messages: all of these jobs' are looked for at once.
    delete from outbox o where o.job in (select u.id from unnest(v_jobs) u(id));
    delete from jobs j where j.id = any (v_jobs);
    select count(*) into v_left from jobs j where j.tenant = v_tenant;
    if v_left = 0 then
        v_digests := array(
            select unnest(v_digests) union select t.sha256 from tenant_artifacts t where t.tenant = v_tenant);
        delete from rejections r where r.tenant = v_tenant;
        get diagnostics v_rejections = row_count;
        delete from outbox o where o.body->>'tenant' = v_tenant;
        delete from tenants t where t.tenant = v_tenant;
        delete from concept_versions v where v.tenant = v_tenant;
    end if;
    perform take_artifacts(v_tenant, v_digests);
    update tenant_erasures t
        set jobs = t.jobs + cardinality(v_jobs), concepts = t.concepts + v_concepts,
            rejections = t.rejections + v_rejections,
            digests = array(select unnest(t.digests) union select unnest(v_digests))
        where t.id = p_erasure;
    return v_left;
end $$;

-- For people: begins to erase a tenant, or goes on where an erasure was interrupted; gives the number of the row that
-- tells of it.
create or replace function atelier.begin_erasure(p_tenant text) returns bigint
language plpgsql security definer set search_path = atelier, pg_temp as $$
declare
    v_id bigint;
begin
    select t.id into v_id
        from tenant_erasures t
        where t.tenant = p_tenant and t.ended_at is null
        order by t.id
        limit 1;
    if v_id is null then
        insert into tenant_erasures (tenant, asked_by) values (p_tenant, session_user) returning id into v_id;
    end if;
    return v_id;
end $$;

-- For people: says that nothing of a tenant remains, if that is so; gives whether it is. Its digests are forgotten.
create or replace function atelier.end_erasure(p_erasure bigint) returns boolean
language plpgsql security definer set search_path = atelier, pg_temp as $$
begin
    update tenant_erasures t
        set ended_at = now(), artifacts = cardinality(t.digests), digests = '{}'
        where t.id = p_erasure
            and not exists (select from remains_of(t.tenant) r where r.count > 0);
    return found;
end $$;

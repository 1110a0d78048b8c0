-- What jobs will take, and what is learnt from what they took.

-- Says what a worker may take of memory, and how fast its host is where that was measured now.
create or replace function atelier.calibrate(p_worker uuid, p_host text, p_memory bigint, p_rates jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
begin
    update workers w set memory_bytes = p_memory
        where w.id = p_worker and w.memory_bytes is distinct from p_memory;
    if p_rates is null then
        return;
    end if;
    insert into host_rates (host, version, threads, rates, resident_bytes)
        select p_host, (p_rates->>'version')::int, (p_rates->>'threads')::int, jsonb_object_agg(r.key, r.value),
            (p_rates->>'resident_bytes')::bigint
        from jsonb_each(p_rates->'rates') r
        where r.value::text::double precision > 0
        on conflict (host) do update set version = excluded.version, threads = excluded.threads,
            rates = excluded.rates, resident_bytes = excluded.resident_bytes, measured_at = now();
end $$;

-- What a job of that cost takes on a host; null where the host is not measured, or not for a kind of work the job
-- takes.
create or replace function atelier.estimate(p_cost jsonb, p_host text, p_kind text, p_method text, p_model text)
returns jsonb
language sql stable set search_path = atelier, pg_temp as $$
    select jsonb_build_object(
        'seconds', round((c.seconds * coalesce(r.seconds, 1))::numeric, 1),
        'memory_bytes', round((c.memory * coalesce(r.memory, 1))::numeric),
        'disk_bytes', (p_cost->>'disk_bytes')::bigint,
        'jobs', coalesce(r.jobs, 0),
        'counted_seconds', round(c.seconds::numeric, 3),
        'counted_bytes', c.memory)
    from host_rates h,
        lateral (
            select sum(w.value::double precision / (h.rates->>w.key)::double precision) as seconds,
                bool_and(h.rates ? w.key) as is_known,
                (p_cost->>'memory_bytes')::bigint + h.resident_bytes as memory
            from jsonb_each_text(p_cost->'work') w) c
        left join estimate_ratios r
            on r.kind = p_kind and r.method = coalesce(p_method, '') and r.model = p_model
    where h.host = p_host and c.is_known
$$;

-- As it is told: without what was counted before it was corrected. The view job_details says it itself: who reads views
-- may call no function.
create or replace function atelier.told_estimate(p_estimate jsonb) returns jsonb
language sql immutable as $$
    select p_estimate - '{counted_seconds,counted_bytes}'::text[]
$$;

-- Whether a job fits into so much memory, as far as anybody knows: an estimate may be a quarter too high, and no job is
-- kept from where it could be done. So say the views job_details and without_worker themselves, whose readers may call
-- no function, and MemoryProblem in Swift.
create or replace function atelier.fits(p_estimate jsonb, p_memory bigint) returns boolean
language sql immutable as $$
    select p_estimate is null or p_memory is null or 0.75 * (p_estimate->>'memory_bytes')::double precision <= p_memory
$$;

-- Whether a job finds the room for what it keeps. Nothing corrects that, so it is held against what is free as it is:
-- a job that finds too little ends amid its work. What goes on from a checkpoint has taken its room before, and is not
-- held against it. So say the views job_details and without_worker, doctor, and FreeDisk in Swift.
create or replace function atelier.has_room(p_estimate jsonb, p_disk bigint) returns boolean
language sql immutable as $$
    select coalesce((p_estimate->>'disk_bytes')::bigint <= p_disk, true)
$$;

-- Whether a job goes on from a checkpoint. No part of the plan of who asks: a claim looks at checkpoints only for a job
-- that finds no room.
create or replace function atelier.goes_on(p_job uuid) returns boolean
language plpgsql stable set search_path = atelier, pg_temp as $$
begin
    return exists (select from checkpoints c where c.job = p_job);
end $$;

-- A running median a step nearer to what was found: half of a power of e at first, then less and less.
create or replace function atelier.nearer_median(p_median double precision, p_found double precision, p_jobs int)
returns double precision
language sql immutable as $$
    select case
        when p_found > p_median then least(p_found, p_median * exp(greatest(0.05, 0.5 / sqrt(p_jobs))))
        else greatest(p_found, p_median * exp(-greatest(0.05, 0.5 / sqrt(p_jobs)))) end
$$;

-- Learns from a completed job what others of its kind take. One that was resumed did only a part.
create or replace function atelier.correct_estimates(p_job atelier.jobs, p_peak bigint) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_seconds double precision := (p_job.estimate->>'counted_seconds')::double precision;
    v_bytes double precision := (p_job.estimate->>'counted_bytes')::double precision;
begin
    if p_job.attempt <> 1 or p_job.model is null or not (v_seconds > 0 and v_bytes > 0) then
        return;
    end if;
    v_seconds := extract(epoch from p_job.finalized_at - p_job.started_at) / v_seconds;
    v_bytes := coalesce(nullif(p_peak, 0), v_bytes) / v_bytes;
    insert into estimate_ratios as r (kind, method, model, jobs, seconds, memory)
        values (
            p_job.kind, coalesce(p_job.spec->>'method', ''), p_job.model, 1,
            greatest(0.01, least(100, v_seconds)), greatest(0.1, least(10, v_bytes)))
        on conflict (kind, method, model) do update set jobs = least(r.jobs + 1, 1000000),
            seconds = nearer_median(r.seconds, excluded.seconds, r.jobs),
            memory = nearer_median(r.memory, excluded.memory, r.jobs);
end $$;

-- How much memory an engine takes is known while it runs, not only when it has ended.
create or replace function atelier.record(p_job uuid, p_attempt int, p_started jsonb, p_progress jsonb, p_metrics jsonb, p_checkpoint jsonb)
returns table (owned boolean, cancelling boolean) language plpgsql set search_path = atelier, pg_temp as $$
declare v_job jobs;
begin
    select * into v_job from own(p_job, p_attempt);
    if v_job.id is null then return query select false, false; return; end if;
    if p_started is not null then
        update attempts set engine = p_started->>'engine', backbone = p_started->>'backbone' where attempts.job = p_job and attempts.attempt = p_attempt;
        perform say(v_job, 'started', jsonb_build_object('engine', p_started->>'engine', 'backbone', p_started->>'backbone'));
    end if;
    if p_progress is not null then
        if p_progress ? 'stage' then
            update jobs set stage = p_progress->>'stage', step = (p_progress->>'step')::int, steps = (p_progress->>'steps')::int where id = p_job;
        end if;
        update attempts set last_step = coalesce((p_progress->>'step')::int, last_step), peak_memory_bytes = greatest(peak_memory_bytes, (p_progress->>'memory')::bigint) where attempts.job = p_job and attempts.attempt = p_attempt;
    end if;
    if p_metrics is not null then
        insert into metrics (job, attempt, step, name, value)
            select distinct on (v.key, (m->>'step')::int) p_job, p_attempt, (m->>'step')::int, v.key, v.value::double precision
            from jsonb_array_elements(p_metrics) with ordinality e(m, n), jsonb_each_text(m->'values') v order by v.key, (m->>'step')::int, n desc
            on conflict (job, name, step) do update set value = excluded.value, attempt = excluded.attempt, at = now();
    end if;
    if p_checkpoint is not null then
        insert into checkpoints (job, attempt, step, path, sha256, bytes)
            values (p_job, p_attempt, (p_checkpoint->>'step')::int, p_checkpoint->>'path', p_checkpoint->>'sha256', (p_checkpoint->>'bytes')::bigint)
            on conflict do nothing;
        -- The last two stay: the newest, and the one before it in case the newest cannot be read.
        delete from checkpoints c where c.job = p_job and (c.attempt, c.step) not in
            (select k.attempt, k.step from checkpoints k where k.job = p_job order by k.attempt desc, k.step desc limit 2);
    end if;
    return query select true, v_job.cancel_requested_at is not null;
end $$;

-- The database's clock may be set back. What was written while it was ahead must not be waited for: a heartbeat from the future would
-- keep a dead worker's jobs for so long, and nothing waits for its next try longer than ten minutes.
create or replace function atelier.rescue_expired(p_lease double precision) returns int language plpgsql set search_path = atelier, pg_temp as $$
declare v_worker uuid; v_count int := 0;
begin
    -- Nobody could beat while the database was down.
    if now() between pg_postmaster_start_time() and pg_postmaster_start_time() + p_lease * interval '1 second' then return 0; end if;
    update workers w set beat_at = now() where w.gone_at is null and w.beat_at > now() + p_lease * interval '1 second';
    update jobs j set run_after = now() where j.state = 'retryable' and j.run_after > now() + interval '11 minutes';
    update outbox o set next_try = now() where o.confirmed_at is null and o.next_try > now() + interval '11 minutes';
    for v_worker in update workers w set gone_at = now() where w.id in
        (select k.id from workers k where k.gone_at is null and k.beat_at < now() - p_lease * interval '1 second' for update skip locked) returning w.id loop
        v_count := v_count + rescue(v_worker, 'the daemon gave no sign of life');
    end loop;
    return v_count;
end $$;

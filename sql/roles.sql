-- Who may do what: the daemon what it needs, an admin calls functions, a reader sees the views. Applied again with
-- every migration: what is new has no grants, and what was restored may have lost them. Roles are per cluster, so they
-- may exist, or be made by another database's migration at this moment.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['atelier_daemon', 'atelier_admin', 'atelier_reader'] loop
        if not exists (select from pg_roles where rolname = v_role) then
            execute format('create role %I', v_role);
        end if;
    end loop;
exception
    when duplicate_object or unique_violation then
        raise exception using errcode = 'unique_violation', message = 'the roles are being made by another migration';
    when insufficient_privilege then
        raise exception using errcode = 'insufficient_privilege', message = format(
            'the roles atelier_daemon, atelier_admin and atelier_reader are missing and %I may not create them; '
            'create them as a superuser, or let it: alter role %I createrole', current_user, current_user);
end $$;

grant usage on schema atelier to atelier_daemon, atelier_admin;
grant usage on schema dashboard to atelier_daemon, atelier_admin, atelier_reader;

revoke all on all tables in schema atelier from atelier_daemon, atelier_admin;
grant select on all tables in schema atelier to atelier_daemon, atelier_admin;
grant insert, update on
    atelier.workers, atelier.jobs, atelier.attempts, atelier.job_events, atelier.checkpoints, atelier.artifacts,
    atelier.concepts, atelier.metrics, atelier.rejections, atelier.outbox, atelier.worker_models, atelier.tenants,
    atelier.tenant_artifacts, atelier.concept_versions, atelier.host_rates, atelier.estimate_ratios
    to atelier_daemon;
grant insert on atelier.scores to atelier_daemon;
grant delete on atelier.checkpoints, atelier.worker_models to atelier_daemon;
grant select on all tables in schema dashboard to atelier_daemon, atelier_admin, atelier_reader;

revoke all on all functions in schema atelier from public, atelier_daemon, atelier_admin;
grant execute on function
    atelier.escaped_word(text),
    atelier.routing_word(text),
    atelier.event_body(atelier.jobs, text, jsonb),
    atelier.emit_event(atelier.jobs, text, jsonb),
    atelier.emit_events(uuid[], text, jsonb),
    atelier.emit_details(uuid[], text, jsonb[]),
    atelier.json_differences(jsonb, jsonb, text, int),
    atelier.accept_all(jsonb),
    atelier.emit_duplicate(atelier.jobs, text, text),
    atelier.answer_again(text, text, jsonb, text, text),
    atelier.clipped(text, int),
    atelier.bounded_problems(jsonb),
    atelier.reject(text, text, text, jsonb, bytea, text, text),
    atelier.steps_waited(timestamptz),
    atelier.claim(uuid, int, text[], bigint),
    atelier.answer_probes(uuid, int, jsonb),
    atelier.seconds_until_due(),
    atelier.lock_attempt(uuid, int),
    atelier.record_progress(atelier.jobs, jsonb),
    atelier.record_metrics(atelier.jobs, jsonb),
    atelier.record_checkpoint(atelier.jobs, jsonb),
    atelier.add_artifacts(atelier.jobs, jsonb),
    atelier.record_artifacts(atelier.jobs, jsonb),
    atelier.record(uuid, int, jsonb, jsonb, jsonb, jsonb, jsonb),
    atelier.state_after(atelier.jobs, text, text, int, int),
    atelier.concepts_of(jsonb),
    atelier.keep_artifacts(atelier.jobs, jsonb),
    atelier.artifact_list(uuid),
    atelier.emit_end(atelier.jobs, text, text, jsonb, double precision),
    atelier.finish(
        uuid, int, text, text, text, text, jsonb, jsonb, jsonb, text, bigint, double precision),
    atelier.outbox_batch(int, bigint, boolean),
    atelier.outbox_unsent(bigint, text, int),
    atelier.register(uuid, text, text, text, int, int),
    atelier.register_models(uuid, jsonb),
    atelier.calibrate(uuid, text, bigint, jsonb),
    atelier.estimate(jsonb, text, text, text, text),
    atelier.told_estimate(jsonb),
    atelier.fits(jsonb, bigint),
    atelier.has_room(jsonb, bigint),
    atelier.goes_on(uuid),
    atelier.nearer_median(double precision, double precision, int),
    atelier.correct_estimates(atelier.jobs, bigint),
    atelier.beat(uuid, boolean, text),
    atelier.rescue(uuid[], text),
    atelier.rescue_expired(double precision),
    atelier.return_to_now(interval),
    atelier.leave(uuid),
    atelier.expire(),
    atelier.cancel(uuid, text),
    atelier.can_be_retried(atelier.job_state),
    atelier.retry(uuid, boolean),
    atelier.pause(boolean, bigint, double precision),
    atelier.shared_mark(uuid),
    atelier.prune(double precision, double precision, double precision, double precision, double precision, int),
    atelier.prune_worker(double precision),
    atelier.held(text, text[]),
    atelier.give_artifacts(text, text[]),
    atelier.unreferenced(text[]),
    atelier.erasable(int),
    atelier.erased(text[]),
    atelier.let_go(text[]),
    atelier.count_hours()
    to atelier_daemon;
grant execute on function
    atelier.cancel(uuid, text),
    atelier.can_be_retried(atelier.job_state),
    atelier.retry(uuid, boolean),
    atelier.rebindings(text, text),
    atelier.rebound_models(text, text),
    atelier.rebind(uuid, text),
    atelier.pause(boolean, bigint, double precision),
    atelier.delete_job(uuid),
    atelier.delete_concept(text, text, int, boolean),
    atelier.import_concept(text, jsonb, text, bigint),
    atelier.remains_of(text),
    atelier.begin_erasure(text),
    atelier.erase_tenant(bigint, int),
    atelier.end_erasure(bigint),
    atelier.resend_set_aside(bigint[]),
    atelier.estimate(jsonb, text, text, text, text)
    to atelier_admin;

-- To create the roles took a right that is not needed any more.
do $$ begin
    if (select rolcreaterole and not rolsuper from pg_roles where rolname = current_user) then
        execute format('alter role %I nocreaterole', current_user);
    end if;
exception
    -- From PostgreSQL 16 on only who administers a role may take this right from it.
    when insufficient_privilege then null;
end $$;

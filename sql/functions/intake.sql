-- Messages become jobs or rejections.

-- Accepts messages: one job for each (tenant, message id). Gives, for each message by its place from 1, `accepted`, or
-- `duplicate` with the first one's id. All or none of them. A lifetime is reckoned by this clock, from when the message
-- came.
create or replace function atelier.accept_all(p_messages jsonb) returns table (place int, verdict text, job uuid)
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_places int[];
    v_fresh uuid[];
    v_message record;
    v_job jobs;
begin
    with given as (
        select distinct on (m.tenant, m.message_id) m.*, e.ordinality::int as place
        from jsonb_array_elements(p_messages) with ordinality e,
            lateral jsonb_to_record(e.value) as m(
                tenant text, message_id text, kind text, spec jsonb, priority int, run_after timestamptz,
                deadline timestamptz, expires_in double precision, reply_to text, correlation_id text,
                traceparent text, max_attempts int, model text, model_digest text)
        order by m.tenant, m.message_id, e.ordinality),
    fresh as (
        insert into jobs (
            tenant, message_id, kind, spec, priority, run_after, deadline, reply_to, correlation_id, traceparent,
            max_attempts, model, model_digest, state)
        select g.tenant, g.message_id, g.kind, g.spec, g.priority, coalesce(g.run_after, now()),
            coalesce(g.deadline, now() + g.expires_in * interval '1 second'),
            g.reply_to, g.correlation_id, g.traceparent, g.max_attempts, g.model, g.model_digest,
            case when g.run_after > now() then 'scheduled' else 'available' end::job_state
        from given g
        order by g.place
        on conflict (tenant, message_id) do nothing
        returning id, number, tenant, message_id)
    select array_agg(g.place order by f.number), array_agg(f.id order by f.number)
        into v_places, v_fresh
        from fresh f
            join given g on g.tenant = f.tenant and g.message_id = f.message_id;
    if v_fresh is not null then
        perform emit_events(v_fresh, 'accepted', '{}');
        perform pg_notify('atelier_jobs', '');
        return query select f.place, 'accepted', f.id from unnest(v_places, v_fresh) f(place, id);
    end if;
    if coalesce(cardinality(v_fresh), 0) = jsonb_array_length(p_messages) then
        return;
    end if;
    for v_message in
        select e.ordinality::int as place, e.value->>'tenant' as tenant, e.value->>'message_id' as message_id,
            e.value->>'reply_to' as reply_to, e.value->>'correlation_id' as correlation_id
        from jsonb_array_elements(p_messages) with ordinality e
        where e.ordinality::int <> all (coalesce(v_places, '{}'))
        order by e.ordinality
    loop
        select * into strict v_job
            from jobs j
            where j.tenant = v_message.tenant and j.message_id = v_message.message_id;
        v_job.reply_to := coalesce(v_message.reply_to, v_job.reply_to);
        v_job.correlation_id := coalesce(v_message.correlation_id, v_job.correlation_id);
        perform emit_event(v_job, 'duplicate', jsonb_strip_nulls(jsonb_build_object('result', v_job.result)));
        return query select v_message.place, 'duplicate', v_job.id;
    end loop;
end $$;

-- Writes down a message that cannot be a job, and answers. One that is published again is answered again; listeners
-- have heard of it. One that is delivered again is answered under the id it was answered under before.
create or replace function atelier.reject(
    p_tenant text, p_message_id text, p_kind text, p_problems jsonb, p_body bytea, p_reply_to text,
    p_correlation_id text)
returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_body jsonb := jsonb_build_object(
        'version', 1,
        'event', 'rejected',
        'message_id', p_message_id,
        'tenant', p_tenant,
        'kind', p_kind,
        'state', 'rejected',
        'problems', p_problems,
        'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
    v_correlation text := coalesce(p_correlation_id, p_message_id);
    v_answer uuid := md5(jsonb_build_array(
        p_tenant, p_message_id, encode(sha256(p_body), 'hex'), p_reply_to, v_correlation)::text)::uuid;
begin
    insert into rejections (tenant, message_id, kind, problems, body)
        values (p_tenant, p_message_id, p_kind, p_problems, p_body)
        on conflict do nothing;
    if found then
        insert into outbox (event, exchange, routing_key, correlation_id, body)
            values (
                'rejected', 'events',
                routing_word(p_tenant) || '.' || routing_word(coalesce(p_kind, '')) || '.rejected',
                v_correlation, v_body);
    end if;
    if p_reply_to is not null then
        insert into outbox (event_id, event, exchange, routing_key, correlation_id, body)
            values (v_answer, 'rejected', '', p_reply_to, v_correlation, v_body);
    end if;
    perform pg_notify('atelier_outbox', '');
end $$;

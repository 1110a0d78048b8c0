-- Messages become jobs or rejections.

-- Where two JSON values differ: JSON pointers, the deepest that tell it, but of so many steps at most. Equal is what
-- jsonb calls so: the order of members and the way numbers are written do not count.
create or replace function atelier.json_differences(p_first jsonb, p_second jsonb, p_pointer text, p_steps int)
returns setof text
language plpgsql immutable set search_path = atelier, pg_temp as $$
declare
    v_step record;
begin
    if p_first = p_second then
        return;
    elsif p_steps > 0 and jsonb_typeof(p_first) = 'object' and jsonb_typeof(p_second) = 'object' then
        for v_step in
            select coalesce(a.key, b.key) as name, a.value as first, b.value as second
            from jsonb_each(p_first) a
                full join jsonb_each(p_second) b on b.key = a.key
            order by 1
        loop
            return query select *
                from json_differences(
                    v_step.first, v_step.second,
                    p_pointer || '/' || replace(replace(v_step.name, '~', '~0'), '/', '~1'), p_steps - 1);
        end loop;
    elsif p_steps > 0 and jsonb_typeof(p_first) = 'array' and jsonb_typeof(p_second) = 'array'
        and jsonb_array_length(p_first) = jsonb_array_length(p_second) then
        for v_step in
            select a.value as first, b.value as second, a.ordinality - 1 as name
            from jsonb_array_elements(p_first) with ordinality a
                join jsonb_array_elements(p_second) with ordinality b using (ordinality)
        loop
            return query select *
                from json_differences(v_step.first, v_step.second, p_pointer || '/' || v_step.name, p_steps - 1);
        end loop;
    elsif p_first is distinct from p_second then
        return next p_pointer;
    end if;
end $$;

-- Accepts messages: one job for each (tenant, message id). Gives, for each message by its place from 1, `accepted`;
-- `duplicate` with the first one's id; or `conflict` with that, where the first one had another body, and where they
-- differ. All or none of them; of a conflict nothing is written. A lifetime is reckoned by this clock, from when the
-- message came, and ends at expires_at where that is sooner; the pictures it brought are its tenant's; its warnings are
-- told with its acceptance.
create or replace function atelier.accept_all(p_messages jsonb)
returns table (place int, verdict text, job uuid, differences text[])
language plpgsql set search_path = atelier, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    v_places int[];
    v_fresh uuid[];
    v_details jsonb[];
    v_are_probes boolean;
    v_message record;
    v_job jobs;
begin
    with given as (
        select distinct on (m.tenant, m.message_id) m.*, e.ordinality::int as place
        from jsonb_array_elements(p_messages) with ordinality e,
            lateral jsonb_to_record(e.value) as m(
                tenant text, message_id text, kind text, spec jsonb, priority int, run_after timestamptz,
                deadline timestamptz, expires_in double precision, expires_at timestamptz, reply_to text,
                correlation_id text, traceparent text, max_attempts int, model text, model_digest text,
                further_models text, pictures jsonb, warnings jsonb, cost jsonb, host text)
        order by m.tenant, m.message_id, e.ordinality),
    fresh as (
        insert into jobs (
            tenant, message_id, kind, spec, priority, run_after, deadline, reply_to, correlation_id, traceparent,
            max_attempts, model, model_digest, further_models, estimate, state)
        select g.tenant, g.message_id, g.kind, g.spec, g.priority,
            -- A time that has passed is no waiting: it would count as priority.
            greatest(g.run_after, now()),
            coalesce(g.deadline, least(now() + g.expires_in * interval '1 second', g.expires_at)),
            g.reply_to, g.correlation_id, g.traceparent, g.max_attempts, g.model, g.model_digest,
            g.further_models,
            case when jsonb_typeof(g.cost) = 'object' then estimate(
                g.cost, g.host, g.kind, g.spec->>'method', g.model) end,
            case when g.run_after > now() then 'scheduled' else 'available' end::job_state
        from given g
        order by g.place
        on conflict (tenant, message_id) do nothing
        returning id, number, tenant, message_id, estimate),
    pictures as (
        insert into tenant_artifacts (tenant, sha256)
        select distinct f.tenant, p.sha256
        from fresh f
            join given g on g.tenant = f.tenant and g.message_id = f.message_id,
            lateral jsonb_array_elements_text(g.pictures) p(sha256)
        order by f.tenant, p.sha256
        -- As give_artifacts does, of many tenants at once.
        on conflict (tenant, sha256) do update set sha256 = excluded.sha256)
    select array_agg(g.place order by f.number), array_agg(f.id order by f.number),
            array_agg(
                case when jsonb_array_length(g.warnings) > 0 then jsonb_build_object('warnings', g.warnings)
                    else '{}' end
                || case when f.estimate is null then '{}'
                    else jsonb_build_object('estimate', told_estimate(f.estimate)) end
                order by f.number),
            bool_and(g.kind = 'probe')
        into v_places, v_fresh, v_details, v_are_probes
        from fresh f
            join given g on g.tenant = f.tenant and g.message_id = f.message_id;
    if v_fresh is not null then
        perform emit_details(v_fresh, 'accepted', v_details);
        -- Probes are no reason to look for what needs an engine.
        perform pg_notify('atelier_jobs', case when v_are_probes then 'probe' else '' end);
        return query select f.place, 'accepted', f.id, null::text[] from unnest(v_places, v_fresh) f(place, id);
    end if;
    if coalesce(cardinality(v_fresh), 0) = jsonb_array_length(p_messages) then
        return;
    end if;
    -- Held until they were answered for, so that nobody erases or ends them meanwhile; in the order of their ids, as
    -- rescue and erase_tenant do.
    perform from jobs j
            join jsonb_array_elements(p_messages) with ordinality e
                on j.tenant = e.value->>'tenant' and j.message_id = e.value->>'message_id'
        where e.ordinality::int <> all (coalesce(v_places, '{}'))
        order by j.id
        for no key update of j;
    for v_message in
        select e.ordinality::int as place, e.value->>'tenant' as tenant, e.value->>'message_id' as message_id,
            e.value->>'reply_to' as reply_to, e.value->>'correlation_id' as correlation_id, e.value->'spec' as spec
        from jsonb_array_elements(p_messages) with ordinality e
        where e.ordinality::int <> all (coalesce(v_places, '{}'))
        order by e.ordinality
    loop
        -- One that was erased a moment before is refused as what may succeed with the next try: then the message makes
        -- a job.
        select * into strict v_job
            from jobs j
            where j.tenant = v_message.tenant and j.message_id = v_message.message_id
            for no key update;
        if v_job.spec is distinct from v_message.spec then
            return query select v_message.place, 'conflict', v_job.id,
                array(select clipped(d, 300) from json_differences(v_job.spec, v_message.spec, '', 8) d limit 3);
            continue;
        end if;
        perform emit_duplicate(v_job, v_message.reply_to, v_message.correlation_id);
        return query select v_message.place, 'duplicate', v_job.id, null::text[];
    end loop;
end $$;

-- Answers a message that came again, where it asks now. The outcome of a job that has not ended goes there too: whoever
-- publishes again may have lost the connection that the first queue was of. Of an ended one it tells what its outcome
-- told; forget_job empties that, and then the result says that it was deleted.
create or replace function atelier.emit_duplicate(p_job atelier.jobs, p_reply_to text, p_correlation_id text)
returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_told jsonb;
begin
    p_job.reply_to := coalesce(p_reply_to, p_job.reply_to);
    p_job.correlation_id := coalesce(p_correlation_id, p_job.correlation_id);
    update jobs j set reply_to = p_job.reply_to, correlation_id = p_job.correlation_id
        where j.id = p_job.id and j.finalized_at is null and p_reply_to is not null;
    select e.detail - 'attach' into v_told
        from job_events e
        where e.job = p_job.id and e.event = p_job.state::text
        order by e.id desc
        limit 1;
    perform emit_event(
        p_job, 'duplicate',
        jsonb_strip_nulls(jsonb_build_object('result', p_job.result)) || coalesce(v_told, '{}'));
end $$;

-- Answers a message that could make no job any more, where it made one before: its model may be gone by now, or what is
-- allowed be less. Gives that job; null where none of its id has its body.
create or replace function atelier.answer_again(
    p_tenant text, p_message_id text, p_spec jsonb, p_reply_to text, p_correlation_id text)
returns uuid
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_job jobs;
begin
    select * into v_job
        from jobs j
        where j.tenant = p_tenant and j.message_id = p_message_id and j.spec = p_spec
        for no key update;
    if found then
        perform emit_duplicate(v_job, p_reply_to, p_correlation_id);
    end if;
    return v_job.id;
end $$;

-- A text, or its beginning where it is longer.
create or replace function atelier.clipped(p_text text, p_length int) returns text
language sql immutable as $$
    select case when length(p_text) > p_length then left(p_text, p_length - 1) || '…' else p_text end
$$;

-- Problems as a rejection tells them: the first fifty and how many there are, and no text without end;
-- what is so already stays as it is. What a stranger
-- wrote is in the pointer and in what was found; what is allowed is ours, and may be a list.
create or replace function atelier.bounded_problems(p_problems jsonb) returns jsonb
language sql immutable set search_path = atelier, pg_temp as $$
    select jsonb_agg(
            case when jsonb_typeof(e.problem) <> 'object' then e.problem
                else (
                    select jsonb_object_agg(
                        m.key, clipped(m.value, case m.key when 'allowed' then 600 else 300 end))
                    from jsonb_each_text(e.problem) m) end
            order by e.number)
        || case when jsonb_array_length(p_problems) <= 51 then '[]'
            else jsonb_build_array(jsonb_build_object(
                'pointer', '',
                'found', jsonb_array_length(p_problems) || ' problems',
                'allowed', 'none; the first 50 are listed')) end
    from jsonb_array_elements(p_problems) with ordinality e(problem, number)
    where e.number <= case when jsonb_array_length(p_problems) <= 51 then 51 else 50 end
$$;

-- Writes down a message that cannot be a job, and answers. One that is published again is answered again, and its row
-- is the newest; listeners have heard of it, unless the reasons are others now. One that is delivered again is answered
-- under the id it was answered under before.
create or replace function atelier.reject(
    p_tenant text, p_message_id text, p_kind text, p_problems jsonb, p_body bytea, p_reply_to text,
    p_correlation_id text)
returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_problems jsonb := bounded_problems(p_problems);
    v_body jsonb := jsonb_build_object(
        'version', 1,
        'event', 'rejected',
        'message_id', p_message_id,
        'tenant', p_tenant,
        'kind', p_kind,
        'state', 'rejected',
        'problems', v_problems,
        'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
    v_correlation text := coalesce(p_correlation_id, p_message_id);
    v_answer uuid := md5(jsonb_build_array(
        p_tenant, p_message_id, encode(sha256(p_body), 'hex'), p_reply_to, v_correlation, v_problems)::text)::uuid;
    v_known jsonb;
begin
    select r.problems into v_known
        from rejections r
        where r.tenant = p_tenant and r.message_id = p_message_id and sha256(r.body) = sha256(p_body);
    insert into rejections (tenant, message_id, kind, problems, body)
        values (p_tenant, p_message_id, p_kind, v_problems, p_body)
        on conflict (tenant, message_id, sha256(body)) where message_id is not null
            do update set id = default, problems = excluded.problems, at = excluded.at;
    if v_known is distinct from v_problems then
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

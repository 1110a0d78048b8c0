-- What is told of a job: a row of its history, and messages in the outbox.

-- The word of a text that is none as it is.
create or replace function atelier.escaped_word(p_text text) returns text
language sql immutable as $$
    select case when length(w.word) <= 100 then w.word else left(w.word, 99) || '~' end
    from (
        select string_agg(
            case when c.letter ~ '[A-Za-z0-9_-]' then c.letter
                else regexp_replace(upper(encode(convert_to(c.letter, 'UTF8'), 'hex')), '(..)', '%\1', 'g') end,
            '' order by c.number) as word
        from regexp_split_to_table(p_text, '') with ordinality c(letter, number)) w
$$;

-- A tenant or kind as a word of a routing key: letters, digits, - and _ are themselves, other bytes %XX, so that no two
-- texts share a word and no dot of a stranger's parts one. Only what is longer than 100 then is cut, with ~ at its end,
-- for a routing key has 255 bytes. Nothing is _. JobEvent.routingWord is the same in Swift. Without a query of its own,
-- so that it is inlined where a hundred are emitted at once, and without a regular expression, which takes as long as
-- all else of an event's body.
create or replace function atelier.routing_word(p_text text) returns text
language sql immutable as $$
    select case
        when p_text = '' then '_'
        when octet_length(p_text) <= 100
            and translate(lower(p_text collate "C"), 'abcdefghijklmnopqrstuvwxyz0123456789_-', '') = ''
            then p_text
        else atelier.escaped_word(p_text) end
$$;

-- Without a search path of its own, so that it can be inlined where a hundred are emitted at once.
create or replace function atelier.event_body(p_job atelier.jobs, p_event text, p_detail jsonb) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'version', 1,
        'event', p_event,
        'job', (p_job).id,
        'message_id', (p_job).message_id,
        'tenant', (p_job).tenant,
        'kind', (p_job).kind,
        'state', (p_job).state,
        'attempt', (p_job).attempt,
        'time', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || p_detail
$$;

-- Emits an event of a job to all, and its outcome to whom it is to be answered.
create or replace function atelier.emit_event(p_job atelier.jobs, p_event text, p_detail jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_body jsonb := event_body(p_job, p_event, p_detail);
    v_correlation text := coalesce(p_job.correlation_id, p_job.message_id);
begin
    insert into job_events (job, event, detail)
        values (p_job.id, p_event, p_detail);
    insert into outbox (job, event, exchange, routing_key, correlation_id, body)
        values (
            p_job.id, p_event, 'events',
            routing_word(p_job.tenant) || '.' || p_job.kind || '.' || p_event,
            v_correlation, v_body);
    if p_job.reply_to is not null and p_event in ('completed', 'discarded', 'cancelled', 'duplicate') then
        insert into outbox (job, event, exchange, routing_key, correlation_id, body)
            values (p_job.id, p_event, '', p_job.reply_to, v_correlation, v_body);
    end if;
    perform pg_notify('atelier_outbox', '');
end $$;

-- The same of many jobs, each with a detail of its own, in the order given.
create or replace function atelier.emit_details(p_jobs uuid[], p_event text, p_details jsonb[]) returns void
language plpgsql set search_path = atelier, pg_temp set enable_seqscan = off
set plan_cache_mode = force_generic_plan as $$
begin
    insert into job_events (job, event, detail)
        select u.id, p_event, u.detail
        from unnest(p_jobs, p_details) u(id, detail);
    insert into outbox (job, event, exchange, routing_key, correlation_id, body)
        select j.id, p_event, o.exchange, o.routing_key, coalesce(j.correlation_id, j.message_id),
            event_body(j, p_event, u.detail)
        from unnest(p_jobs, p_details) with ordinality u(id, detail, place)
            join jobs j on j.id = u.id,
            lateral (
                select 'events' as exchange, routing_word(j.tenant) || '.' || j.kind || '.' || p_event as routing_key
                union all
                select '', j.reply_to
                where j.reply_to is not null and p_event in ('completed', 'discarded', 'cancelled', 'duplicate')) o
        order by u.place;
    perform pg_notify('atelier_outbox', '');
end $$;

-- The same with one detail for all.
create or replace function atelier.emit_events(p_jobs uuid[], p_event text, p_detail jsonb) returns void
language plpgsql set search_path = atelier, pg_temp as $$
begin
    perform emit_details(p_jobs, p_event, array_fill(p_detail, array[cardinality(p_jobs)]));
end $$;

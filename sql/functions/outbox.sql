-- Messages that leave.

-- The oldest messages that are due, those never tried before or all others: at most so many, and no more bytes of
-- bodies than these, unless the first alone has more.
create or replace function atelier.outbox_batch(p_limit int, p_bytes bigint, p_is_doubtful boolean)
returns setof atelier.outbox
language plpgsql set search_path = atelier, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
    v_message outbox;
    v_bytes bigint := 0;
    v_count int := 0;
begin
    for v_message in
        select *
        from outbox o
        where o.confirmed_at is null and o.set_aside_at is null and o.next_try <= now()
            and (o.tries > 0) = p_is_doubtful
        order by o.id
        limit p_limit
    loop
        -- What is small is not compressed; the length of what is large is that of its text.
        v_bytes := v_bytes + case
            when pg_column_size(v_message.body) < 1000 then pg_column_size(v_message.body)
            else octet_length(v_message.body::text) end;
        exit when v_bytes > p_bytes and v_count > 0;
        v_count := v_count + 1;
        return next v_message;
    end loop;
end $$;

-- The broker did not take a message: it is put off, for longer each time. p_most says after how many tries it is set
-- aside, null: never. An answer that finds no queue for a day is given up: who asked has gone, and what is emitted to
-- all was sent besides. Gives first, again, given_up or set_aside.
create or replace function atelier.outbox_unsent(p_id bigint, p_reason text, p_most int) returns text
language plpgsql set search_path = atelier, pg_temp as $$
declare
    v_message outbox;
begin
    update outbox o set tries = o.tries + 1, last_error = left(p_reason, 1000),
        next_try = now() + least(600, 2 ^ least(o.tries, 10)) * interval '1 second',
        confirmed_at = case
            when o.exchange = '' and o.created_at < now() - interval '1 day' then now() end,
        set_aside_at = case
            when o.tries + 1 >= p_most and not (o.exchange = '' and o.created_at < now() - interval '1 day')
                then now() end
        where o.id = p_id and o.confirmed_at is null
        returning * into v_message;
    return case
        when v_message.set_aside_at is not null then 'set_aside'
        when v_message.confirmed_at is not null then 'given_up'
        when v_message.tries = 1 then 'first'
        else 'again' end;
end $$;

-- For people: tries messages that were set aside again, all of them where no ids are given. Gives how many.
create or replace function atelier.resend_set_aside(p_ids bigint[] default null) returns int
language plpgsql set search_path = atelier, pg_temp security definer as $$
declare
    v_count int;
begin
    update outbox o set set_aside_at = null, tries = 1, next_try = now()
        where o.set_aside_at is not null and (p_ids is null or o.id = any (p_ids));
    get diagnostics v_count = row_count;
    perform pg_notify('atelier_outbox', '');
    return v_count;
end $$;

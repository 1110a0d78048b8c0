create or replace view dashboard.models as
    select m.model, (array_agg(m.description->>'family'))[1] as family,
        (array_agg(m.description->>'version'))[1] as version, m.digest,
        count(*) filter (where w.gone_at is null) as workers,
        string_agg(distinct w.name, ', ') filter (where w.gone_at is null) as held_by
    from atelier.worker_models m
        join atelier.workers w on w.id = m.worker
    group by m.model, m.digest
    order by m.model, m.digest;
comment on view dashboard.models is
    'Models by name and digest, with the living workers that hold them; none: only dead ones did.';

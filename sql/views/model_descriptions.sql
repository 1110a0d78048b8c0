create or replace view dashboard.model_descriptions as
    select distinct on (m.model, m.digest) m.model, m.digest, m.description, w.gone_at is null as is_held
    from atelier.worker_models m
        join atelier.workers w on w.id = m.worker
    where m.description is not null
    order by m.model, m.digest, (w.gone_at is null) desc, w.started_at desc;
comment on view dashboard.model_descriptions is 'What models say of themselves: their model.json, as a worker read it.';

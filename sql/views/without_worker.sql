create or replace view dashboard.without_worker as
    select j.model, j.model_digest, j.kind, count(*) as jobs, min(j.created_at) as oldest
    from atelier.jobs j
    where j.state in ('available', 'scheduled', 'retryable') and j.model is not null
        and not exists (
            select
            from atelier.worker_models m
                join atelier.workers w on w.id = m.worker
            where w.gone_at is null and m.model = j.model
                and (j.model_digest is null or m.digest = j.model_digest))
    group by j.model, j.model_digest, j.kind
    order by oldest;
comment on view dashboard.without_worker is
    'Waiting jobs whose model no living worker holds, by model and kind: they wait until one registers it.';

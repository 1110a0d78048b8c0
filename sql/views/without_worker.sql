create or replace view dashboard.without_worker as
    with waiting as (
        select j.model, j.model_digest, j.kind, j.further_models, j.needs, count(*) as jobs,
            min(j.created_at) as oldest
        from atelier.jobs j
        where j.state in ('available', 'scheduled', 'retryable') and j.model is not null
        group by j.model, j.model_digest, j.kind, j.further_models, j.needs)
    select g.model, g.model_digest, g.kind, g.jobs, g.oldest,
        regexp_replace(g.further_models, '@\S*', '', 'g') as further_models
    from waiting g
    where not exists (
        select
        from atelier.workers w
        where w.gone_at is null and not exists (
            select
            from string_to_table(g.needs, ' ') n(need)
            where not exists (
                select
                from atelier.worker_models m
                where m.worker = w.id and n.need in (m.model || '@', m.model || '@' || m.digest))))
    order by g.oldest;
comment on view dashboard.without_worker is
    'Waiting jobs whose models no living worker holds, by model and kind: they wait until one registers them.';

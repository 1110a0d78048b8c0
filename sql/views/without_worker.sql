create or replace view dashboard.without_worker as
    with waiting as (
        select j.model, j.model_digest, j.kind, j.further_models, j.needs,
            (j.estimate->>'memory_bytes')::bigint as memory_bytes, d.bytes as disk_bytes, count(*) as jobs,
            min(j.created_at) as oldest
        from atelier.jobs j,
            -- What goes on from a checkpoint has taken its room before.
            lateral (
                select case when j.attempt = 0 or not exists (select from atelier.checkpoints c where c.job = j.id)
                    then (j.estimate->>'disk_bytes')::bigint end as bytes) d
        where j.state in ('available', 'scheduled', 'retryable') and j.model is not null
        group by j.model, j.model_digest, j.kind, j.further_models, j.needs,
            (j.estimate->>'memory_bytes')::bigint, d.bytes),
    -- Who holds the models, and the most that an engine may take there, and that is free on a disk there; what a worker
    -- does not say is enough.
    rooms as (
        select n.needs, count(w.id) as holders, max(coalesce(w.memory_bytes, 9223372036854775807)) as memory_bytes,
            max(coalesce(w.disk_bytes, 9223372036854775807)) as disk_bytes,
            -- Who holds models of those names, whatever their weights.
            (select count(*)
                from atelier.workers s
                where s.gone_at is null and not exists (
                    select
                    from string_to_table(regexp_replace(n.needs, '@\S*', '', 'g'), ' ') d(model)
                    where d.model not in (select m.model from atelier.worker_models m where m.worker = s.id)))
                as namesakes
        from (select distinct g.needs from waiting g) n
            left join atelier.workers w on w.gone_at is null and not exists (
                select
                from string_to_table(n.needs, ' ') d(need)
                where not exists (
                    select
                    from atelier.worker_models m
                    where m.worker = w.id and d.need in (m.model || '@', m.model || '@' || m.digest)))
        group by n.needs),
    lacking as (
        select g.*, r.namesakes, r.memory_bytes as largest_memory_bytes, r.disk_bytes as largest_disk_bytes,
            case when r.holders = 0 then 'worker.model'
                when 0.75 * g.memory_bytes > r.memory_bytes then 'worker.memory'
                when g.disk_bytes > r.disk_bytes then 'worker.disk' end as lacks
        from waiting g
            join rooms r on r.needs = g.needs)
    select g.model, g.model_digest, g.kind, sum(g.jobs)::bigint as jobs, min(g.oldest) as oldest,
        regexp_replace(g.further_models, '@\S*', '', 'g') as further_models,
        g.lacks,
        max(g.memory_bytes) filter (where g.lacks <> 'worker.model') as memory_bytes,
        max(g.largest_memory_bytes) filter (where g.lacks <> 'worker.model') as largest_memory_bytes,
        g.lacks = 'worker.model' and bool_or(g.namesakes > 0) as holds_other_weights,
        max(g.disk_bytes) filter (where g.lacks = 'worker.disk') as disk_bytes,
        max(g.largest_disk_bytes) filter (where g.lacks = 'worker.disk') as largest_disk_bytes
    from lacking g
    where g.lacks is not null
    group by g.model, g.model_digest, g.kind, g.further_models, g.lacks
    order by oldest;
comment on view dashboard.without_worker is
    'Waiting jobs that no living worker can do, by model and kind: none holds their models (worker.model), or none '
    'that does has the memory that they are estimated to take (worker.memory), or has free on its disk what they are '
    'estimated to keep (worker.disk). They wait until one does, or, where a '
    'living worker holds other weights under the same names, until they are rebound to those.';

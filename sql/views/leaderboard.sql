-- Of every concept its latest figures, the mean over concepts with its deviation, best first (of PRES and of
-- DINO to others less is better). Of prompts that are each job's own there is no rank.
create or replace view dashboard.leaderboard as
    with latest as (
        select distinct on (j.tenant, s.concept, s.method, s.model, s.suite, s.metric, s.encoder)
            s.concept, j.tenant, s.method, s.model, s.suite, s.metric, s.encoder, s.value, j.finalized_at
        from atelier.scores s
            join atelier.jobs j on j.id = s.job
        where s.suite <> 'own'
        order by j.tenant, s.concept, s.method, s.model, s.suite, s.metric, s.encoder, j.finalized_at desc)
    select suite, metric || '.' || encoder as metric, method, model, count(*) as concepts, avg(value) as mean,
        stddev_samp(value) as deviation,
        rank() over (
            partition by suite, metric, encoder
            order by case when metric in ('pres', 'dino_to_others') then avg(value) else -avg(value) end) as place,
        max(finalized_at) as latest_at
    from latest
    group by suite, metric, encoder, method, model
    order by suite, metric, encoder, place, method, model;
comment on view dashboard.leaderboard is
    'Methods beside each other, suite by suite and metric by metric: the mean over the concepts each was tried on, by '
    'their latest figures.';

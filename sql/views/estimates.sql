-- How long jobs of a kind took of late: the middle one of the last hundred, for who is about to ask for another.
create or replace view dashboard.estimates as
    with late as (
        select j.kind, j.spec->>'method' as method, j.model,
            extract(epoch from j.finalized_at - j.started_at) as seconds,
            coalesce((j.spec->'options'->>'iterations')::numeric, 0) as iterations,
            row_number() over (
                partition by j.kind, j.spec->>'method', j.model
                order by j.finalized_at desc) as place
        from (
            select *
            from atelier.jobs
            where finalized_at is not null
            order by finalized_at desc
            limit 2000) j
        where j.state = 'completed' and j.kind <> 'probe')
    select kind, method, model, count(*) as jobs,
        round((percentile_cont(0.5) within group (order by seconds))::numeric, 1) as seconds,
        percentile_disc(0.5) within group (order by iterations) as iterations
    from late
    where place <= 100
    group by kind, method, model;
comment on view dashboard.estimates is
    'Seconds that the middle one of late jobs took, and its iterations: 0 where it left them to the method.';

create or replace view dashboard.curves as
    select j.tenant, m.job, m.name, m.step, m.value
    from atelier.metrics m
        join atelier.jobs j on j.id = m.job;
comment on view dashboard.curves is 'What trainings measure as they go, a value a step; to be asked by its job.';

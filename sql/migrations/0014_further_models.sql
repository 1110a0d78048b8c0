-- A job may need more models than the one it names: an evaluation its encoders, a job that learns from proxies the
-- model that draws them. It is claimed where all of them are.
drop index atelier.jobs_ready;
alter table atelier.jobs
    drop column needs,
    add column further_models text check (further_models <> '');
alter table atelier.jobs
    add column needs text not null
        generated always as (
            case when model is null then '' else model || '@' || coalesce(model_digest, '') end
            || coalesce(' ' || further_models, '')) stored;
comment on column atelier.jobs.further_models is
    'What it needs besides its model: model@digest, or model@ for any digest, with a space between two.';
comment on column atelier.jobs.needs is
    'Each model@digest that does it, or nothing: what jobs with the same needs are found by.';
create index jobs_ready on atelier.jobs (tenant, needs, kind, priority, run_after, number)
    where state = 'available' and kind <> 'probe';

-- Evaluations that wait: the encoders their options name, or their model does.
update atelier.jobs j set further_models = e.clip || '@ ' || e.dino || '@'
    from (
        select k.id, coalesce(k.spec#>>'{options,clip}', m.description#>>'{encoders,clip}') as clip,
            coalesce(k.spec#>>'{options,dino}', m.description#>>'{encoders,dino}') as dino
        from atelier.jobs k
            left join lateral (
                select w.description
                from atelier.worker_models w
                where w.model = k.model and w.description is not null
                limit 1) m on true
        where k.kind = 'evaluate' and k.finalized_at is null) e
    where j.id = e.id and e.clip is not null and e.dino is not null;

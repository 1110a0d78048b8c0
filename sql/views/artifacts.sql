create or replace view dashboard.artifacts as
    select t.tenant, t.sha256, a.job, a.name, a.role, a.media_type, a.bytes, a.prompt, a.seed::text, a.created_at
    from atelier.tenant_artifacts t
        left join (
            atelier.artifacts a
            join atelier.jobs j on j.id = a.job) on a.sha256 = t.sha256 and j.tenant = t.tenant;
comment on view dashboard.artifacts is
    'Which tenant has which bytes, and of what jobs made what they are: pictures that were sent have no job.';

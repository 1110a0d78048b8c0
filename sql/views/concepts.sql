create or replace view dashboard.concepts as
    select tenant, name, version, role, model, adapter_sha256, job, created_at
    from atelier.concepts
    where deleted_at is null
    order by tenant, name, version desc;

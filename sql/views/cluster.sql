create or replace view dashboard.cluster as
    select paused, changed_at
    from atelier.cluster;
comment on view dashboard.cluster is 'Whether the daemons start new work: one row.';

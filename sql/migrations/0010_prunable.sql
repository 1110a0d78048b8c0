-- What may be pruned is found by an index; what is kept for good is looked at once in a time of keeping.
alter table atelier.jobs add column kept_at timestamptz;
comment on column atelier.jobs.kept_at is
    'When it outlived its time and was kept, for a concept or the leaderboard needs it; then it is kept as long again.';
create index jobs_prunable on atelier.jobs (state, greatest(finalized_at, kept_at))
    where finalized_at is not null and kind <> 'probe';

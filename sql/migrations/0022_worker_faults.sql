-- A worker says why it starts no new work though nobody paused it.
alter table atelier.workers
    add column fault text check (fault in ('disk', 'folder', 'attempt'));
comment on column atelier.workers.fault is
    'Why it starts no new work though nobody paused it: its disk is too full, the folder of artifacts is away, or an '
    'attempt could not be run there and it rests; null where it does.';

-- A worker says what is free where its jobs keep checkpoints and pictures, and claims none that would find too little.
alter table atelier.workers
    add column disk_bytes bigint check (disk_bytes >= 0);
comment on column atelier.workers.disk_bytes is
    'What was free where its jobs keep checkpoints and pictures when it last looked for work that waited; null where '
    'nobody knows.';
drop function if exists atelier.claim(uuid, int, text[]);

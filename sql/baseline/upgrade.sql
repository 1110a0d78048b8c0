-- A database that the files of SHA256SUMS made becomes what the migrations 0001 to 0004 make; the functions and views
-- are applied afterwards, as after any upgrade.
alter table atelier.house rename to cluster;
alter index atelier.house_pkey rename to cluster_pkey;
alter table atelier.cluster rename constraint house_single_check to cluster_single_check;
comment on column atelier.cluster.paused is
    'Outlives the daemons: a new one must not find itself at work after an upgrade under a pause.';
comment on column atelier.cluster.changes is 'Counts pauses and resumptions, so that old news never undoes newer.';
comment on column atelier.cluster.shared_mark is
    'The mark in the shared folder''s file `cluster`, which tells that folder from an empty mount point.';

drop function atelier.say(atelier.jobs, text, jsonb);
drop function atelier.say_all(uuid[], text, jsonb);
drop function atelier.own(uuid, int);
drop function atelier.word(text);
drop function atelier.beat(uuid);

-- One job can learn several concepts, which one adapter then knows.
alter table atelier.concepts drop constraint concepts_job_key;
create index concepts_job on atelier.concepts (job);

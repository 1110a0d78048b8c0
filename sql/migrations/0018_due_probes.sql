-- Probes that wait for their time are found beside any backlog of what else does.
create index jobs_due_probes on atelier.jobs (run_after)
    where state = 'scheduled' and kind = 'probe';

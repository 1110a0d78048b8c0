-- Adapters of other programs become concepts: what brought them in is a job that is completed from the first moment, so
-- that what is shown, kept and erased of what was learnt holds for them too.
alter table atelier.jobs
    drop constraint jobs_kind_check,
    add constraint jobs_kind_check
        check (kind in ('personalize', 'generate', 'compose', 'evaluate', 'probe', 'import'));

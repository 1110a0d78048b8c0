-- One name may be learnt on several models.
comment on table atelier.concepts is 'What was learnt; the highest version of a name on a job''s model that is not deleted is the one the job means.';

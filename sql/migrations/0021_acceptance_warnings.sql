-- A database without this file lacks dashboard.job_details.warnings, which programs of this version show: none of them
-- begins there.
comment on column atelier.jobs.reply_to is
    'Where its outcome goes: what the message said that asked for it last, before it ended.';

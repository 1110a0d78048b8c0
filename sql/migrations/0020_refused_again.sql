-- A database without this file lacks functions that daemons of this version call: none of them begins there.
comment on table atelier.rejections is
    'Messages that could not be jobs, one row for each body of a message id: why and when it was refused last.';

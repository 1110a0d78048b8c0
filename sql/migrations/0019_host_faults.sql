-- A host's fault is a failure that people look for, though it costs its job no attempt.
drop index atelier.attempts_failed;
create index attempts_failed on atelier.attempts (error_code, ended_at)
    where outcome in ('failed', 'crashed', 'lost') or error_code = 'host.fault';

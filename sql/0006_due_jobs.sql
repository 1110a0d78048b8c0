-- When is the next waiting job due? A daemon with a free slot asks after every claim that gave it too little.
create index jobs_due on atelier.jobs (run_after) where state in ('scheduled', 'retryable');
create function atelier.seconds_until_due() returns double precision language sql stable set search_path = atelier, pg_temp as $$
    select extract(epoch from min(run_after) - now())::double precision from jobs where state in ('scheduled', 'retryable')
$$;
comment on function atelier.seconds_until_due() is 'Seconds until the next scheduled or retryable job may be claimed; null where none waits.';
revoke all on function atelier.seconds_until_due() from public;
grant execute on function atelier.seconds_until_due() to atelier_daemon;

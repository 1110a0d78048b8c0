-- outbox_batch tells apart what was never tried and what goes one at a time.
drop function if exists atelier.outbox_batch(int, bigint);

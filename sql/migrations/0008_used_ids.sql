-- accept_all tells of a used message id with another body where that differs.
drop function if exists atelier.accept_all(jsonb);

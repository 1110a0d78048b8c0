-- record takes what a job made before its end too: previews, and what a student will learn from.
drop function if exists atelier.record(uuid, int, jsonb, jsonb, jsonb, jsonb);
drop function if exists atelier.record_preview(uuid, int, jsonb);

-- What models are, so that every daemon knows those of the others.
alter table atelier.worker_models
    add column description jsonb;
comment on column atelier.worker_models.description is
    'The model''s model.json: family, version, picture sizes, limits, encoders, sampling.';

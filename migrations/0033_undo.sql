-- What a person sends by hand from a page leaves a moment later, so that it can be taken back until then. An intent that was
-- taken back does not count; the one before it does again.
alter table intent
    add column leaves_at timestamptz,
    add column undone_at timestamptz,
    add column undone_by text,
    add constraint intent_undone_has_actor check ((undone_at is null) = (undone_by is null)),
    add constraint intent_undone_before_it_left check (undone_at is null or undone_at < leaves_at);

comment on column intent.leaves_at is 'When its effect may leave at the earliest; null for at once';
comment on column intent.undone_at is 'When it was taken back';
comment on column intent.undone_by is 'Name of the admin token that took it back';

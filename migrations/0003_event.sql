-- An event is a fact: something was told to us or found by us. Never updated, kept until its retention ends.
create table event (
    id uuid primary key,
    connection text not null,
    source text not null,
    topic text not null,
    kind text,
    subject text,
    received_at timestamptz not null,
    fingerprint bytea not null,
    body bytea not null,
    delivery_id uuid,

    -- The inbox answers 404 to a connection that the configuration does not name, so there is no foreign key:
    -- it would lock the same connection row from every webhook.
    constraint event_source_known check (source in ('mycashflow', 'ogoship', 'sweep', 'person')),
    constraint event_subject_iff_kind check ((subject is null) = (kind is null)),
    constraint event_subject_owes_a_delivery check ((subject is null) = (delivery_id is null)),
    constraint event_fingerprint_is_sha256 check (octet_length(fingerprint) = 32),
    constraint event_delivery_known foreign key (delivery_id) references delivery (id),
    constraint event_told_once unique (connection, source, fingerprint)
);

create index event_by_delivery on event (delivery_id) where delivery_id is not null;
create index event_by_subject on event (connection, subject, id desc) where subject is not null;

comment on table event is 'What we were told or found, once each; immutable';
comment on column event.id is 'UUIDv7: sorts by arrival';
comment on column event.connection is 'Which connection it came by';
comment on column event.source is 'mycashflow or ogoship (a verified webhook), sweep (found by us), person (asked by hand)';
comment on column event.topic is 'The sender''s own word, as order.created; "unknown" where none was given';
comment on column event.kind is 'Kind of its subject; null where we could not tell';
comment on column event.subject is 'What may be out of step; null where we could not tell: the event is kept all the same';
comment on column event.received_at is 'When we had all of it';
comment on column event.fingerprint is 'SHA-256 that makes a repeated telling the same event, see src/domain/event/dedup.rs';
comment on column event.body is 'The raw bytes as received; may hold personal data, never logged';
comment on column event.delivery_id is 'The debt it opened or whose news it became; null only without a subject';

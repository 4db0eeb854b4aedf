-- Events are facts: verified webhooks and what polls and operators added. They are kept until their retention ends.
--
-- Three foreign keys are left out on purpose: event and attempt to their task, task to its connection. Each row is written
-- by one statement together with the row that it names, and removed with it. As constraints they took a lookup and a row
-- lock for every webhook and attempt, a fifth of all work, and every writer locked the one connection row. The tests count
-- orphans at their end.
create table event (
    id uuid not null,
    connection text not null,
    source text not null,
    topic text not null,
    kind text,
    subject text,
    received_at timestamptz not null,
    fingerprint bytea not null,
    body bytea not null,
    task_id uuid,
    redacted_at timestamptz,

    constraint event_pkey primary key (id, connection),
    constraint event_source_known check (source in ('mycashflow', 'ogoship', 'poll', 'operator')),
    constraint event_subject_iff_kind check ((subject is null) = (kind is null)),
    constraint event_subject_iff_task check ((subject is null) = (task_id is null)),
    constraint event_fingerprint_is_sha256 check (octet_length(fingerprint) = 32),
    constraint event_redacted_is_empty check (redacted_at is null or octet_length(body) = 0),
    constraint event_fingerprint_unique unique (connection, source, fingerprint)
) with (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 5000,
    -- Inserted and, after retention, deleted: inserts count too, so that the visibility map stays whole.
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

-- An event's subject is its task's: events of a subject are found through their tasks.
create index event_by_task on event (task_id)
    where task_id is not null;

comment on table event is 'Verified facts, stored once each; immutable but for the redaction of the body';
comment on column event.id is 'UUIDv7: sorts by the time of receipt';
comment on column event.connection is 'Connection by which it came';
comment on column event.source is 'mycashflow or ogoship (a verified webhook), poll (found by us), operator (asked by hand)';
comment on column event.topic is 'The sender''s own word, as order.created; "unknown" where none was given';
comment on column event.kind is 'Kind of its subject; null where the event names none';
comment on column event.subject is 'What may be out of sync; null where the event names none: it is kept all the same';
comment on column event.received_at is 'When all of it had arrived';
comment on column event.fingerprint is 'SHA-256 that makes a repeated webhook the same event, see src/domain/event/dedup.rs';
comment on column event.body is 'The raw bytes as received; may hold personal data, never logged; redacted by retention once the task is closed';
comment on column event.task_id is 'The task that it opened or whose revision it raised; null only without a subject';
comment on column event.redacted_at is 'When its body was redacted, by retention or because a person''s data were erased';

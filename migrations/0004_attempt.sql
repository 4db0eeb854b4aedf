-- One row per attempt, written by the settle that ends it, or by the rescue of one that never came back. Append-only: from
-- these rows every order can say why it is in its state.
create table attempt (
    connection text not null,
    task_id uuid not null,
    number integer not null,
    claim_id uuid not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    outcome text not null,
    reason text,
    action text,
    idempotency_key text,
    detail text,
    calls jsonb not null default '[]',
    redacted_at timestamptz,

    constraint attempt_pkey primary key (task_id, number, connection),
    constraint attempt_number_positive check (number >= 1),
    constraint attempt_outcome_known check (
        outcome in (
            'acted', 'in_sync', 'skipped', 'waiting', 'retryable', 'snoozed', 'unknown', 'permanent',
            'connection_fault', 'lost', 'resolved'
        )
    ),
    constraint attempt_ends_after_start check (ended_at >= started_at),
    constraint attempt_key_requires_action check (idempotency_key is null or action is not null)
) with (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 5000,
    -- Inserted and, after retention, deleted: inserts count too, so that the visibility map stays whole.
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

-- Bodies and call records are most of all bytes. lz4 takes a tenth of pglz's time; a server built without it keeps pglz.
do $$
begin
    execute 'alter table event alter column body set compression lz4';
    execute 'alter table attempt alter column calls set compression lz4';
exception
    when feature_not_supported or syntax_error then null;
end
$$;

comment on table attempt is 'One try at a task: what was decided, sent and answered; append-only';
comment on column attempt.connection is 'Connection of the task: a distributed PostgreSQL keeps both in one place';
comment on column attempt.task_id is 'The task tried';
comment on column attempt.number is 'From 1; a snoozed attempt has its number too';
comment on column attempt.claim_id is 'The claim under which it ran';
comment on column attempt.started_at is 'When the claim was taken';
comment on column attempt.ended_at is 'When its outcome was known; for a lost one, when it was rescued';
comment on column attempt.outcome is 'What it came to, see src/domain/task/outcome.rs';
comment on column attempt.reason is 'Closed reason code; docs/problems.md explains each';
comment on column attempt.action is 'The one action decided on, as place or complete; null where none was needed';
comment on column attempt.idempotency_key is 'Key sent with the action: the same on every resend of the same action';
comment on column attempt.detail is 'Plain words for people; never names, addresses or secrets';
comment on column attempt.calls is 'The calls in order: vendor, method, path, status, milliseconds, how each failed';
comment on column attempt.redacted_at is 'When what was sent was taken out of its calls, by retention or erasure';

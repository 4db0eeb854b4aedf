-- The action ledger: what was begun at a vendor for each subject, in order. Append-only: an entry is inserted by the holder
-- of the claim BEFORE the call, and its end is written once, by the settle of that attempt, by a later read that found its
-- effect, or by a person. src/domain/task/action.rs says what is concluded from it.
create table action (
    connection text not null,
    subject text not null,
    number integer not null,
    kind text not null,
    target text not null default '',
    repeat smallint not null,
    task_id uuid not null,
    attempt integer not null,
    claim_id uuid not null,
    idempotency_key text not null,
    reference text,
    remote_id text,
    sent jsonb,
    sent_digest text,
    inputs jsonb,
    inputs_digest text,
    policy_digest text,
    state text not null,
    resolved_by text,
    reads smallint not null default 0,
    begun_at timestamptz not null,
    ended_at timestamptz,

    constraint action_pkey primary key (connection, subject, number),
    constraint action_connection_known foreign key (connection) references connection (name),
    constraint action_number_positive check (number >= 1),
    constraint action_kind_known check (
        kind in ('place', 'adopt', 'update', 'cancel', 'complete', 'complete_shipment', 'create')
    ),
    constraint action_state_known check (
        state in ('begun', 'unknown', 'applied', 'refused', 'not_sent', 'resolved_applied', 'resolved_not_applied')
    ),
    -- The last guard, whatever the code decides: what must happen once is never begun more often than this in the life of
    -- its subject. MAX_REPEATS in src/domain/task/action.rs is the same number.
    constraint action_repeats_bounded check (
        repeat >= 1 and (repeat <= 5 or kind not in ('place', 'complete', 'complete_shipment', 'create'))
    ),
    constraint action_ended_unless_begun check ((state = 'begun') = (ended_at is null)),
    constraint action_resolved_has_actor check (starts_with(state, 'resolved_') = (resolved_by is not null)),
    constraint action_order_has_reference check (
        kind not in ('place', 'adopt', 'update', 'cancel') or reference is not null
    ),
    constraint action_target_where_needed check (
        (kind in ('complete_shipment', 'create')) = (target <> '')
    ),
    constraint action_reads_not_negative check (reads >= 0)
) with (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 2000
);

comment on table action is 'What was begun at a vendor for each subject, in order; never removed while the subject is known';
comment on column action.connection is 'Connection of the subject';
comment on column action.subject is 'As order:1042';
comment on column action.number is 'Its place in the order of the subject''s actions, from 1: the order of claims, not of clocks';
comment on column action.kind is 'place, adopt, update, cancel, complete, complete_shipment or create';
comment on column action.target is 'What of the subject it concerns where there are several: a shipment''s id, an item; else empty';
comment on column action.repeat is 'Which of those of the same kind and target that may have been applied it is, from 1';
comment on column action.task_id is 'Task in which it was begun';
comment on column action.attempt is 'Number of the attempt';
comment on column action.claim_id is 'The claim under which it was begun';
comment on column action.idempotency_key is 'Key sent with it; empty where nothing was sent';
comment on column action.reference is 'Our reference at the warehouse, as sent: a later prefix does not change it';
comment on column action.remote_id is 'Its id at the vendor, where the vendor gave one';
comment on column action.sent is 'What was sent, every personal value masked';
comment on column action.sent_digest is 'SHA-256 of it';
comment on column action.inputs is 'The vendor''s data that it was made from, every personal value masked: a later read is compared with them';
comment on column action.inputs_digest is 'SHA-256 of them';
comment on column action.policy_digest is 'Digest of the rules by which sent was made from inputs';
comment on column action.state is 'begun, unknown, applied, refused, not_sent, resolved_applied or resolved_not_applied';
comment on column action.resolved_by is 'Who found out what happened, where a person did';
comment on column action.reads is 'Reads since its outcome became unknown that did not find its effect';
comment on column action.begun_at is 'When it was begun; for people';
comment on column action.ended_at is 'When its end was known; for people';

-- References are unique per merchant: each prefix belongs to one connection, for ever.
create table reference_prefix (
    merchant text not null,
    prefix text not null,
    connection text not null,
    created_at timestamptz not null,

    constraint reference_prefix_pkey primary key (merchant, prefix),
    constraint reference_prefix_connection_known foreign key (connection) references connection (name),
    constraint reference_prefix_merchant_is_sha256 check (merchant ~ '^[0-9a-f]{64}$')
);

-- Some systems change the case of a reference.
create unique index reference_prefix_in_any_case on reference_prefix (merchant, lower(prefix));

comment on table reference_prefix is 'The prefixes that each connection gave its references: orders keep the one under which they were sent';
comment on column reference_prefix.merchant is 'SHA-256 of the merchant''s id or key at the warehouse';
comment on column reference_prefix.prefix is 'The prefix, as configured';
comment on column reference_prefix.connection is 'The connection whose orders have it';
comment on column reference_prefix.created_at is 'When it was first configured';

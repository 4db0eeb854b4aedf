-- The outbox. A task is the one open obligation to bring a subject into sync at the opposite vendor. The constraints keep
-- the invariants of the state machine drawn in src/domain/task/transition.rs: the code obeys them, it does not keep them.
--
-- Keys of tables that grow with the merchants name the connection, so that a distributed PostgreSQL can keep all rows of
-- one connection in one place (docs/decisions/0007). The id stands first: a row is still found by it alone.
create table task (
    id uuid not null,
    number bigint not null generated always as identity,
    connection text not null,
    kind text not null,
    subject text not null,
    state text not null,
    reason text,
    priority smallint not null,
    failures integer not null default 0,
    attempts integer not null default 0,
    actions integer not null default 0,
    snoozes integer not null default 0,
    revision integer not null default 1,
    claimed_revision integer not null default 0,
    due_at timestamptz not null,
    claim_id uuid,
    claimed_by text,
    claimed_at timestamptz,
    leased_until timestamptz,
    replay_of uuid,
    created_at timestamptz not null,
    settled_at timestamptz,

    constraint task_pkey primary key (id, connection),
    constraint task_replay_of_known foreign key (replay_of, connection) references task (id, connection),
    constraint task_kind_known check (kind in ('order', 'stock', 'product')),
    constraint task_subject_matches_kind check (starts_with(subject, kind || ':')),
    constraint task_state_known check (
        state in ('pending', 'leased', 'in_doubt', 'done', 'skipped', 'dead', 'cancelled')
    ),
    constraint task_priority_range check (priority between 0 and 3),
    constraint task_leased_iff_claimed check (
        (state = 'leased')
        = (claim_id is not null and claimed_by is not null and claimed_at is not null and leased_until is not null)
    ),
    constraint task_unleased_has_no_claim check (
        state = 'leased'
        or (claim_id is null and claimed_by is null and claimed_at is null and leased_until is null)
    ),
    constraint task_closed_iff_settled check (
        (state in ('done', 'skipped', 'dead', 'cancelled')) = (settled_at is not null)
    ),
    constraint task_closed_has_reason check (state not in ('skipped', 'dead', 'cancelled') or reason is not null),
    constraint task_counts_not_negative check (
        failures >= 0 and actions >= 0 and snoozes >= 0 and attempts >= failures
    ),
    constraint task_revision_valid check (revision >= 1 and claimed_revision between 0 and revision)
) with (
    -- By number, not by share: a table that keeps years of closed tasks and rewrites a handful of rows a second would
    -- otherwise collect hundreds of thousands of dead rows before a vacuum.
    autovacuum_vacuum_scale_factor = 0.005,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_analyze_threshold = 5000
);

-- Where does an event of this subject go? And the invariant itself: one open task per subject.
create unique index task_open_by_subject on task (connection, subject)
    where state in ('pending', 'leased', 'in_doubt');
-- Read by the claim: equality on connection and priority, a range on due_at, so that future rows are never walked.
create index task_due on task (connection, priority, due_at)
    where state in ('pending', 'in_doubt');
-- Read by the rescue of expired leases.
create index task_lease_expiry on task (leased_until)
    where state = 'leased';
-- Read where old tasks are removed: does a task that stays replay this one?
create index task_by_replay_of on task (replay_of)
    where replay_of is not null;
-- Read, with task_open_by_subject, for the history of a subject. Only the closed version of a row is indexed: a task is
-- written three times in its life, and an index over all states would hold every version.
create index task_closed_by_subject on task (connection, subject, number desc)
    where settled_at is not null;
-- Read by the lists of what ended badly. Open tasks have indexes of their own, and nearly all others are done: a list of
-- those walks the primary key.
create index task_closed_not_done on task (state, id desc)
    where state in ('skipped', 'dead', 'cancelled');

comment on table task is 'The obligation to bring one subject into sync at the opposite vendor; at most one open per subject';
comment on column task.id is 'UUIDv7: sorts roughly by creation, as the clocks of the processes say';
comment on column task.number is 'Order of creation: which of a subject''s tasks is the latest. A sequence, since clocks of two processes differ';
comment on column task.connection is 'Connection of the subject';
comment on column task.kind is 'order, stock or product: the flow that runs it';
comment on column task.subject is 'kind:key, as order:1042, stock:ABC-1, product:77; the unit of ordering';
comment on column task.state is 'pending, leased, in_doubt (open); done, skipped, dead, cancelled (closed)';
comment on column task.reason is 'Closed reason code of the last settlement; docs/problems.md explains each';
comment on column task.priority is '0 live orders, 1 stock, 2 products, 3 what polls, syncs and replays found';
comment on column task.failures is 'Attempts that count towards the limit; a snooze takes its own back';
comment on column task.attempts is 'Claims ever taken; numbers the attempt rows';
comment on column task.actions is 'Actions performed since the last new event; bounds a pair of vendors that never converge';
comment on column task.snoozes is 'Attempts in a row that were snoozed and do not count as failures; bounds them';
comment on column task.revision is 'Counts the events of the subject while the task is open';
comment on column task.claimed_revision is 'The revision at the claim: a higher one at the settle makes the task due again';
comment on column task.due_at is 'Not claimed before this time';
comment on column task.claim_id is 'Fence: new at each claim; only its holder may settle';
comment on column task.claimed_by is 'Name of the worker process that holds the claim';
comment on column task.claimed_at is 'When the claim was taken';
comment on column task.leased_until is 'After this time the claim may be rescued: the attempt never came back, its outcome is unknown';
comment on column task.replay_of is 'The closed task that this one replays';
comment on column task.created_at is 'When it was opened';
comment on column task.settled_at is 'When it was closed; null while open';

create table intent (
    id uuid not null,
    number bigint not null generated always as identity,
    connection text not null,
    subject text not null,
    kind text not null,
    actor text not null,
    created_at timestamptz not null,

    constraint intent_pkey primary key (id, connection),
    constraint intent_connection_known foreign key (connection) references connection (name),
    constraint intent_kind_known check (kind in ('transfer', 'hold', 'release', 'cancel', 'adopt'))
) with (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 2000
);

create index intent_by_subject on intent (connection, subject, number desc);

comment on table intent is 'What operators asked for a subject; read by decide()';
comment on column intent.id is 'UUIDv7';
comment on column intent.number is 'The latest wins: a sequence, since clocks of two processes differ';
comment on column intent.connection is 'Connection of the subject';
comment on column intent.subject is 'kind:key';
comment on column intent.kind is 'transfer, hold, release, cancel or adopt';
comment on column intent.actor is 'Name of the admin token';
comment on column intent.created_at is 'When it was asked';

create table replay (
    id uuid not null,
    actor text not null,
    filter jsonb not null,
    tasks uuid[] not null,
    opened uuid[] not null,
    created_at timestamptz not null,
    cancelled_at timestamptz,
    cancelled_by text,

    constraint replay_pkey primary key (id),
    constraint replay_opened_subset_of_tasks check (opened <@ tasks),
    constraint replay_cancelled_has_actor check ((cancelled_at is null) = (cancelled_by is null))
);

comment on table replay is 'Tasks that were replayed together';
comment on column replay.id is 'UUIDv7';
comment on column replay.actor is 'Who asked';
comment on column replay.filter is 'What was asked for: the filter of the list, or ids';
comment on column replay.tasks is 'The tasks that run again, each subject once';
comment on column replay.opened is 'Those that the replay opened itself; the revision of the others, open already, was raised';
comment on column replay.created_at is 'When it was asked';
comment on column replay.cancelled_at is 'When an operator cancelled those that had not begun';
comment on column replay.cancelled_by is 'Who cancelled it';

-- A sync compares both sides in full, asked for by an operator or due by schedule. It runs under a lease, remembers its step
-- and cursor, and keeps differences and snapshots in rows: reports of any length are read page by page, a catalogue of any
-- size is compared in the memory of a few pages, and another process goes on where one died.
create table sync (
    id uuid not null,
    connection text not null,
    what text not null,
    dry_run boolean not null,
    actor text not null,
    state text not null,
    since timestamptz not null,
    is_default_since boolean not null default false,
    step text not null default 'read_warehouse',
    cursor text not null default '',
    total bigint,
    done bigint not null default 0,
    counts jsonb not null default '{}',
    braked text,
    approved_at timestamptz,
    approved_by text,
    error text,
    claim_id uuid,
    leased_until timestamptz,
    created_at timestamptz not null,
    started_at timestamptz,
    reading bigint,
    finished_at timestamptz,

    constraint sync_pkey primary key (id),
    constraint sync_connection_known foreign key (connection) references connection (name),
    constraint sync_what_known check (what in ('products', 'stock', 'orders')),
    constraint sync_state_known check (state in ('running', 'done', 'failed')),
    constraint sync_started_has_reading check ((started_at is null) = (reading is null)),
    constraint sync_finished_iff_not_running check ((finished_at is null) = (state = 'running')),
    constraint sync_failed_has_error check ((error is not null) = (state = 'failed')),
    constraint sync_leased_iff_claimed check ((claim_id is null) = (leased_until is null)),
    constraint sync_leased_while_running check (claim_id is null or state = 'running'),
    constraint sync_done_not_negative check (done >= 0),
    constraint sync_step_known check (step in ('read_warehouse', 'read_shop', 'find_differences', 'fix', 'end')),
    constraint sync_approved_has_actor check ((approved_at is null) = (approved_by is null))
);

-- One sync of a kind at a time: a second request for the same is answered with the first, one for another is refused.
create unique index sync_one_running on sync (connection, what)
    where state = 'running';
create index sync_latest on sync (connection, what, id desc);

comment on table sync is 'A full comparison of both sides: who asked, how far it is, what it found';
comment on column sync.id is 'UUIDv7';
comment on column sync.connection is 'Connection whose sides are compared';
comment on column sync.what is 'products, stock or orders';
comment on column sync.dry_run is 'Differences are reported, nothing is fixed';
comment on column sync.actor is 'Name of the admin token, cli:ACCOUNT, or schedule';
comment on column sync.state is 'running (also while it waits for its turn), done or failed';
comment on column sync.since is 'For orders: only those placed since';
comment on column sync.is_default_since is 'True where nobody asked for a day: two such requests ask for the same';
comment on column sync.step is 'read_warehouse, read_shop, find_differences, fix or end';
comment on column sync.cursor is 'How far in that step: a page, a time or a key';
comment on column sync.total is 'How many subjects there are, where that is known';
comment on column sync.done is 'How many were compared';
comment on column sync.counts is 'What was found: same, foreign, and each kind of difference';
comment on column sync.braked is 'Reason code: why nothing was fixed that cannot be taken back; null where nothing was withheld';
comment on column sync.approved_at is 'When an operator approved what was withheld';
comment on column sync.approved_by is 'Name of the admin token, or cli:ACCOUNT';
comment on column sync.error is 'Reason code of a failed one';
comment on column sync.claim_id is 'Fence: only its holder may move it on';
comment on column sync.leased_until is 'After this time another process may take it over at its step and cursor';
comment on column sync.created_at is 'When it was asked for';
comment on column sync.started_at is 'When it was first claimed; null while it waits for its turn';
comment on column sync.reading is 'Number of its first read: what has a later number was read since';
comment on column sync.finished_at is 'When it ended, either way';

create table sync_difference (
    sync_id uuid not null,
    position integer not null,
    subject text not null,
    item text not null default '',
    difference text not null,
    reason text,
    detail text,
    remedy text not null,
    awaits_approval boolean not null default false,
    fixing boolean not null,
    task_id uuid,

    constraint sync_difference_pkey primary key (sync_id, "position"),
    constraint sync_difference_sync_known foreign key (sync_id) references sync (id) on delete cascade,
    constraint sync_difference_position_positive check ("position" >= 1),
    constraint sync_difference_awaiting_excludes_fixing check (not (awaits_approval and fixing)),
    constraint sync_difference_fixing_iff_task check (fixing = (task_id is not null)),
    constraint sync_difference_unique unique (sync_id, subject, item, difference)
);

comment on table sync_difference is 'One difference that a sync found';
comment on column sync_difference.sync_id is 'The sync that found it';
comment on column sync_difference.position is 'From 1, in the order of finding';
comment on column sync_difference.subject is 'As order:1042; for what is not ours, the warehouse''s own reference';
comment on column sync_difference.item is 'The item of a product, as product:77/5; empty where the subject is whole';
comment on column sync_difference.difference is 'What differs, a word of a closed set';
comment on column sync_difference.reason is 'Closed reason code, where a person must decide';
comment on column sync_difference.detail is 'Plain words; never personal data';
comment on column sync_difference.remedy is 'What fixes it, in plain words';
comment on column sync_difference.awaits_approval is 'Silta could fix it and waits for an operator''s approval';
comment on column sync_difference.fixing is 'True where a task was opened to fix it';
comment on column sync_difference.task_id is 'The task that fixes it';

create table sync_snapshot (
    sync_id uuid not null,
    name text not null,
    subject text not null,
    body jsonb not null,
    matched boolean not null default false,

    constraint sync_snapshot_pkey primary key (sync_id, name),
    constraint sync_snapshot_sync_known foreign key (sync_id) references sync (id) on delete cascade
);

create index sync_snapshot_by_subject on sync_snapshot (sync_id, subject);

comment on table sync_snapshot is 'What a running sync has read at the warehouse; emptied at its end';
comment on column sync_snapshot.sync_id is 'The sync that read it';
comment on column sync_snapshot.name is 'An order''s reference, or a product code';
comment on column sync_snapshot.subject is 'The key that it is looked up by: as order:1042, or the product code''s key';
comment on column sync_snapshot.body is 'What the warehouse says of it; never personal data';
comment on column sync_snapshot.matched is 'The shop has it too';

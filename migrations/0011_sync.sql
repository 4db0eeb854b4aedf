-- A sync is a full comparison of both sides, asked for by a person or due by the clock. It runs under a lease like a
-- sweep; its differences are rows, so that a report of many thousands is read page by page.
create table sync (
    id uuid primary key,
    connection text not null,
    what text not null,
    dry_run boolean not null,
    actor text not null,
    state text not null,
    since timestamptz not null,
    created_at timestamptz not null,
    claim_id uuid,
    leased_until timestamptz,
    total bigint,
    done bigint not null default 0,
    counts jsonb not null default '{}',
    error text,
    finished_at timestamptz,

    constraint sync_connection_known foreign key (connection) references connection (name),
    constraint sync_what_known check (what in ('products', 'stock', 'orders')),
    constraint sync_state_known check (state in ('running', 'done', 'failed')),
    constraint sync_finished_iff_not_running check ((finished_at is null) = (state = 'running')),
    constraint sync_failed_for_a_reason check ((error is not null) = (state = 'failed')),
    constraint sync_leased_iff_claimed check ((claim_id is null) = (leased_until is null)),
    constraint sync_leased_while_running check (claim_id is null or state = 'running'),
    constraint sync_done_not_negative check (done >= 0)
);

-- One comparison of a kind at a time: a second request is answered with the first.
create unique index sync_one_running on sync (connection, what) where state = 'running';
create index sync_newest on sync (connection, what, id desc);

comment on table sync is 'A full comparison of both sides: who asked, how far it is, what it found';
comment on column sync.id is 'UUIDv7';
comment on column sync.connection is 'Whose systems are compared';
comment on column sync.what is 'products, stock or orders';
comment on column sync.dry_run is 'Only told, nothing mended';
comment on column sync.actor is 'The admin token''s name, cli:ACCOUNT, or schedule';
comment on column sync.state is 'running (also while it waits for its turn), done or failed';
comment on column sync.since is 'For orders: only what was placed since';
comment on column sync.created_at is 'When it was asked for';
comment on column sync.claim_id is 'Fence: only its holder may move it on';
comment on column sync.leased_until is 'After this another process may take it over, from its beginning';
comment on column sync.total is 'How many there are to compare, where that is known';
comment on column sync.done is 'How many were compared';
comment on column sync.counts is 'What was found, by word: same, foreign, and each kind of difference';
comment on column sync.error is 'Reason code of a failed one';
comment on column sync.finished_at is 'When it ended, either way';

create table sync_difference (
    sync_id uuid not null,
    place integer not null,
    subject text not null,
    difference text not null,
    reason text,
    detail text,
    remedy text not null,
    mending boolean not null,

    constraint sync_difference_pkey primary key (sync_id, place),
    constraint sync_difference_of_a_sync foreign key (sync_id) references sync (id) on delete cascade,
    constraint sync_difference_place_from_one check (place >= 1)
);

comment on table sync_difference is 'One difference that a sync found';
comment on column sync_difference.sync_id is 'The sync that found it';
comment on column sync_difference.place is 'From 1, in the order of finding';
comment on column sync_difference.subject is 'As order:1042; for what is not ours, the warehouse''s own reference';
comment on column sync_difference.difference is 'What differs, a word of a closed set';
comment on column sync_difference.reason is 'Closed reason code, where a person must decide';
comment on column sync_difference.detail is 'Plain words; never personal data';
comment on column sync_difference.remedy is 'What mends it, in plain words';
comment on column sync_difference.mending is 'True where a delivery was opened to mend it';

-- Stretches of a list that the shop answers with an error whenever they are asked for. They are tried again by every
-- sweep until they read, and shown until then.
create table sweep_gap (
    connection text not null,
    what text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    found_at timestamptz not null,

    constraint sweep_gap_pkey primary key (connection, what, starts_at, ends_at),
    constraint sweep_gap_of_a_sweep foreign key (connection, what) references sweep (connection, what) on delete cascade,
    constraint sweep_gap_ends_after_it_starts check (ends_at >= starts_at)
);

comment on table sweep_gap is 'A stretch of time of a list that could not be read';
comment on column sweep_gap.connection is 'Whose list';
comment on column sweep_gap.what is 'Which list';
comment on column sweep_gap.starts_at is 'Its beginning';
comment on column sweep_gap.ends_at is 'Its end';
comment on column sweep_gap.found_at is 'When it was first met';

-- Polls read the vendors' lists and find what no webhook brought. A poll is leased like a task, so that replicas do not run
-- the same one side by side; a crash costs time and nothing else.
create table poll (
    connection text not null,
    what text not null,
    cursor timestamptz not null,
    due_at timestamptz not null,
    claim_id uuid,
    leased_until timestamptz,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    last_millis bigint,
    last_found bigint,
    last_error text,
    found bigint not null default 0,

    constraint poll_pkey primary key (connection, what),
    constraint poll_connection_known foreign key (connection) references connection (name),
    constraint poll_what_known check (what in ('orders', 'statuses', 'stock', 'products')),
    constraint poll_leased_iff_claimed check ((claim_id is null) = (leased_until is null)),
    constraint poll_found_not_negative check (found >= 0)
) with (
    -- A few rows, rewritten all day: free space in each page keeps the new version beside the old one, out of the indexes.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500
);

comment on table poll is 'Cursor and schedule of each poll';
comment on column poll.connection is 'Connection whose vendors are polled';
comment on column poll.what is 'orders (shop), statuses (warehouse orders), stock (warehouse), products (shop)';
comment on column poll.cursor is 'The vendor''s own time up to which everything was seen, taken from the rows; the next poll starts an overlap earlier';
comment on column poll.due_at is 'When it runs next; an unreadable callback brings it forward';
comment on column poll.claim_id is 'Fence: only its holder may move the cursor';
comment on column poll.leased_until is 'After this time another process may take the poll over';
comment on column poll.last_started_at is 'When it last began';
comment on column poll.last_finished_at is 'When it last ended without an error';
comment on column poll.last_millis is 'Milliseconds that the last finished poll took';
comment on column poll.last_found is 'Events that the last finished poll found';
comment on column poll.last_error is 'Reason code of the last failed poll; null after a good one';
comment on column poll.found is 'Events found in all that no webhook had brought';

create table poll_gap (
    connection text not null,
    what text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    found_at timestamptz not null,
    attempts integer not null default 0,
    due_at timestamptz not null,

    constraint poll_gap_pkey primary key (connection, what, starts_at, ends_at),
    constraint poll_gap_poll_known foreign key (connection, what)
        references poll (connection, what) on delete cascade,
    constraint poll_gap_ends_after_start check (ends_at >= starts_at),
    constraint poll_gap_attempts_not_negative check (attempts >= 0)
);

comment on table poll_gap is 'Stretches of time of a list that its vendor cannot give. They never stop the cursor';
comment on column poll_gap.connection is 'Connection of the list';
comment on column poll_gap.what is 'The list, as in poll';
comment on column poll_gap.starts_at is 'Its beginning';
comment on column poll_gap.ends_at is 'Its end';
comment on column poll_gap.found_at is 'When it was first met';
comment on column poll_gap.attempts is 'How often it was read again in vain; the wait grows with it, up to six hours';
comment on column poll_gap.due_at is 'When it is read again, by the next poll of its list';

create table polled_change (
    connection text not null,
    what text not null,
    subject text not null,
    version text not null,
    times integer not null default 1,
    counted_at timestamptz not null,

    constraint polled_change_pkey primary key (connection, what, subject),
    constraint polled_change_poll_known foreign key (connection, what)
        references poll (connection, what) on delete cascade,
    constraint polled_change_times_positive check (times >= 1)
);

comment on table polled_change is 'Changes that a list shows and that no read of the subject has covered yet';
comment on column polled_change.connection is 'Connection of the list';
comment on column polled_change.what is 'The list, as in poll';
comment on column polled_change.subject is 'What changed, as order:1042';
comment on column polled_change.version is 'The version that the list shows';
comment on column polled_change.times is 'Polls that found it: each enqueues the subject again, up to a bound';
comment on column polled_change.counted_at is 'When it was last counted';

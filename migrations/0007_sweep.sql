-- The cursors of the sweeps, which find what no webhook told us. A sweep is leased like a delivery, so that
-- replicas do not sweep the same thing side by side; a crash loses nothing but time.
create table sweep (
    connection text not null,
    what text not null,
    cursor timestamptz not null,
    due_at timestamptz not null,
    claim_id uuid,
    leased_until timestamptz,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    last_error text,
    found bigint not null default 0,

    constraint sweep_pkey primary key (connection, what),
    constraint sweep_connection_known foreign key (connection) references connection (name),
    constraint sweep_what_known check (what in ('orders', 'statuses', 'stock', 'products')),
    constraint sweep_leased_iff_claimed check ((claim_id is null) = (leased_until is null)),
    constraint sweep_found_not_negative check (found >= 0)
);

comment on table sweep is 'How far each sweep has come';
comment on column sweep.connection is 'Whose systems it sweeps';
comment on column sweep.what is 'orders (shop), statuses (warehouse orders), stock (warehouse), products (shop)';
comment on column sweep.cursor is 'Everything changed before this has been seen; the next sweep starts an overlap earlier';
comment on column sweep.due_at is 'When it runs next; an unreadable callback brings it forward';
comment on column sweep.claim_id is 'Fence: only its holder may move the cursor';
comment on column sweep.leased_until is 'After this another process may take the sweep over';
comment on column sweep.last_started_at is 'When it last began';
comment on column sweep.last_finished_at is 'When it last came to its end without an error: "last swept"';
comment on column sweep.last_error is 'Reason code of the last failed sweep; null after a good one';
comment on column sweep.found is 'Events it has found that no webhook had told';

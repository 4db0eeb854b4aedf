-- What was last observed of each subject. Written only by a settle, under the fence of its claim: the order of writes is
-- the order of claims, whatever the clocks of the processes say. What was done stands in table action.
-- Numbers the reads of the vendors, in the order in which they began. It says what was read later, and no time does:
-- clocks of two processes differ.
create sequence reading_number;

create table subject_state (
    connection text not null,
    subject text not null,
    first_task_id uuid,
    mycashflow_id text,
    ogoship_id text,
    reference text,
    code text,
    status text,
    sent_hash text,
    shop_status text,
    shop_version text,
    warehouse_status text,
    warehouse_version text,
    warehouse_comments text,
    related jsonb,
    tracking_code text,
    tracking_url text,
    ready_at timestamptz,
    placed_at timestamptz,
    completed_at timestamptz,
    figure bigint,
    figure_at timestamptz,
    emptied_at timestamptz,
    reading bigint not null default nextval('reading_number'),
    seen_at timestamptz not null,

    constraint subject_state_pkey primary key (connection, subject),
    constraint subject_state_connection_known foreign key (connection) references connection (name),
    constraint subject_state_status_known check (
        status in (
            'not_transferred', 'waiting_for_collection', 'waiting_for_products', 'delivered', 'cancelled',
            'returned', 'needs_attention'
        )
    ),
    constraint subject_state_figure_not_negative check (figure >= 0),
    constraint subject_state_reference_unique unique (connection, reference)
) with (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 2000
);

-- The list of orders, newest first, and the order rate.
create index subject_state_orders on subject_state (connection, first_task_id desc)
    where status is not null;
-- The stock brake counts what is in stock and what was emptied within the hour.
create index subject_state_in_stock on subject_state (connection)
    where figure > 0;
create index subject_state_emptied on subject_state (connection, emptied_at)
    where emptied_at is not null;
-- Read by every product attempt: which item has this code at the warehouse?
create index subject_state_by_code on subject_state (connection, code)
    where code is not null;

comment on table subject_state is 'What was last observed of a subject on both sides';
comment on column subject_state.connection is 'Connection of the subject';
comment on column subject_state.subject is 'kind:key; a variation is product:77/5';
comment on column subject_state.first_task_id is 'The task in which the subject was first seen: UUIDv7, so it sorts by that time';
comment on column subject_state.mycashflow_id is 'Its id in the shop';
comment on column subject_state.ogoship_id is 'Its id at the warehouse';
comment on column subject_state.reference is 'Our id as written into the warehouse''s order record';
comment on column subject_state.code is 'For products: the code under which the warehouse knows it';
comment on column subject_state.status is 'For orders: the one word that a merchant reads';
comment on column subject_state.sent_hash is 'For products: SHA-256 of what was sent last, so that an unchanged item costs no call';
comment on column subject_state.shop_status is 'The shop''s status as last read';
comment on column subject_state.shop_version is 'The shop''s updated_at as last read: a poll skips what was read already';
comment on column subject_state.warehouse_status is 'The warehouse''s status as last read';
comment on column subject_state.warehouse_version is 'The warehouse''s edit time as last read';
comment on column subject_state.warehouse_comments is 'Why the order is in that status, in the warehouse''s own words';
comment on column subject_state.related is 'Orders that the warehouse split off from this one: reference and status';
comment on column subject_state.tracking_code is 'Opaque; may hold several codes';
comment on column subject_state.tracking_url is 'As the warehouse gave it';
comment on column subject_state.ready_at is 'When the order was first found ready to go: the hold period runs from here';
comment on column subject_state.placed_at is 'When it was first seen at the warehouse';
comment on column subject_state.completed_at is 'When it was first seen completed in the shop';
comment on column subject_state.figure is 'For stock: the pieces that the shop shows, as last read or written';
comment on column subject_state.figure_at is 'For stock: the warehouse''s own time of the figure last acted on; an older one is never written';
comment on column subject_state.emptied_at is 'For stock: when it was last set from some pieces to none';
comment on column subject_state.reading is 'Number of the last observation: a sync that began before it knows less';
comment on column subject_state.seen_at is 'When both sides were read; for people';

-- Used by the stock basis "compensated". Rows live from the order's transfer to its completion.
create table in_flight (
    connection text not null,
    subject text not null,
    code text not null,
    pieces bigint not null,

    constraint in_flight_pkey primary key (connection, subject, code),
    constraint in_flight_subject_state_known foreign key (connection, subject)
        references subject_state (connection, subject) on delete cascade,
    constraint in_flight_pieces_positive check (pieces > 0)
);

create index in_flight_by_code on in_flight (connection, code) include (pieces);

comment on table in_flight is 'Pieces of our orders that the warehouse has taken off its free stock while the shop still shows them as reserved';
comment on column in_flight.connection is 'Connection of the order';
comment on column in_flight.subject is 'The order, as order:1042';
comment on column in_flight.code is 'Product code';
comment on column in_flight.pieces is 'Number of pieces';

-- The shop's catalogue as last read: one row for each thing that can lie on a shelf. Codes must be unique over the
-- whole catalogue, and only whoever remembers all of it can tell that two products far apart have the same one.
create table part (
    connection text not null,
    part text not null,
    product text not null,
    code text,
    code_key text,
    name text,
    reason text,
    stored boolean not null,
    item jsonb,
    seen_at timestamptz not null,

    constraint part_pkey primary key (connection, part),
    constraint part_connection_known foreign key (connection) references connection (name),
    constraint part_is_of_its_product check (part = product or starts_with(part, product || '/')),
    constraint part_key_iff_code check ((code is null) = (code_key is null)),
    constraint part_sent_or_held_back check ((item is null) = (reason is not null))
);

-- Read by every product attempt: who else has this code? And by the comparison, which pages by it.
create index part_by_code on part (connection, code_key, part);
create index part_by_product on part (connection, product);
create index part_held_back on part (connection, part) where reason is not null;

comment on table part is 'The shop''s catalogue as last read: a product without variations, or one variation of a product';
comment on column part.connection is 'Whose catalogue';
comment on column part.part is 'As product:77, or product:77/5 for a variation';
comment on column part.product is 'The subject it belongs to, as product:77';
comment on column part.code is 'The product code as the shop has it; null where it has none';
comment on column part.code_key is 'The code without its blanks and in lower case: codes alike in this are one code to a person''s eye';
comment on column part.name is 'As it is called at the warehouse';
comment on column part.reason is 'Why it cannot be sent, whatever the other parts'' codes are; null where it can';
comment on column part.stored is 'Is it the warehouse''s to store, by the connection''s rules when it was read?';
comment on column part.item is 'What would be sent of it; null where it cannot be sent';
comment on column part.seen_at is 'When it was last read in the shop';

-- What our orders at the warehouse hold while the shop still counts them as reserved: the compensation of the stock
-- basis "compensated". Rows live from the order's transfer to its completion.
create table in_flight (
    connection text not null,
    subject text not null,
    code text not null,
    pieces bigint not null,

    constraint in_flight_pkey primary key (connection, subject, code),
    constraint in_flight_of_a_link foreign key (connection, subject) references link (connection, subject) on delete cascade,
    constraint in_flight_pieces_positive check (pieces > 0)
);
create index in_flight_by_code on in_flight (connection, code) include (pieces);

comment on table in_flight is 'Pieces of our orders that the warehouse has taken off its free stock and the shop still shows as reserved';
comment on column in_flight.connection is 'Whose order';
comment on column in_flight.subject is 'The order, as order:1042';
comment on column in_flight.code is 'Product code';
comment on column in_flight.pieces is 'Pieces of it';

-- The brake: too many codes falling to zero within an hour are a broken feed until a person says otherwise.
alter table link
    add column figure bigint,
    add column figure_at timestamptz,
    add column emptied_at timestamptz,
    add constraint link_figure_not_negative check (figure >= 0);
create index link_in_stock on link (connection) where figure > 0;
create index link_emptied on link (connection, emptied_at) where emptied_at is not null;

comment on column link.figure is 'For stock: the pieces that the shop shows by our last reading or writing';
comment on column link.figure_at is 'For stock: the warehouse''s own time of the figure that we last acted on; an older one is never written';
comment on column link.emptied_at is 'For stock: when we last set it from some pieces to none';

alter table connection
    add column catalogue_read_at timestamptz,
    add column braked_at timestamptz,
    add column brake_detail text,
    add column brake_released_until timestamptz,
    add constraint connection_braked_for_a_reason check ((braked_at is null) = (brake_detail is null));

comment on column connection.catalogue_read_at is 'When the shop''s whole catalogue was last read into the register of codes; null: never, and no product is sent';
comment on column connection.braked_at is 'Since when no stock figure is set to zero: too many fell at once; null while they may fall';
comment on column connection.brake_detail is 'How many of how many codes fell to zero';
comment on column connection.brake_released_until is 'A person has looked: until then figures may fall to zero however many';

-- A comparison reads the warehouse into rows, not into memory, and remembers its step and its page: a process that dies
-- is followed by one that goes on.
alter table sync
    add column step text not null default 'read_warehouse',
    add column cursor text not null default '',
    add column started_at timestamptz,
    add column braked text,
    add column approved_at timestamptz,
    add column approved_by text,
    add constraint sync_step_known check (step in ('read_warehouse', 'read_shop', 'compare', 'mend', 'end')),
    add constraint sync_approved_by_someone check ((approved_at is null) = (approved_by is null));

comment on column sync.step is 'read_warehouse, read_shop, compare, mend or end';
comment on column sync.cursor is 'How far in that step: a page, a time or a key';
comment on column sync.started_at is 'When it was first claimed; null while it waits for its turn';
comment on column sync.braked is 'Why nothing was mended that could not be taken back: a reason code; null where nothing was held back';
comment on column sync.approved_at is 'When a person approved what had waited for that';
comment on column sync.approved_by is 'The admin token''s name, or cli:ACCOUNT';

alter table sync_difference
    add column part text not null default '',
    add column waits boolean not null default false,
    add column delivery_id uuid,
    add constraint sync_difference_told_once unique (sync_id, subject, part, difference),
    add constraint sync_difference_waits_or_mends check (not (waits and mending)),
    add constraint sync_difference_mended_by_a_delivery check (mending = (delivery_id is not null)) not valid;

comment on column sync_difference.part is 'The part of a product, as product:77/5; empty where the subject is whole';
comment on column sync_difference.waits is 'It could be mended by itself, and waits for a person''s approval';
comment on column sync_difference.delivery_id is 'The delivery that mends it';

create table sync_reading (
    sync_id uuid not null,
    name text not null,
    subject text not null,
    body jsonb not null,
    met boolean not null default false,

    constraint sync_reading_pkey primary key (sync_id, name),
    constraint sync_reading_of_a_sync foreign key (sync_id) references sync (id) on delete cascade
);
create index sync_reading_by_subject on sync_reading (sync_id, subject);

comment on table sync_reading is 'What a running comparison has read at the warehouse; emptied at its end';
comment on column sync_reading.sync_id is 'The sync that read it';
comment on column sync_reading.name is 'An order''s reference, or a product code';
comment on column sync_reading.subject is 'As order:1042, or the product code''s key: what it is looked up by';
comment on column sync_reading.body is 'What the warehouse says of it; never personal data';
comment on column sync_reading.met is 'The shop has it too';

alter table sweep
    add column last_millis bigint,
    add column last_found bigint;
comment on column sweep.last_millis is 'How long the last finished sweep took';
comment on column sweep.last_found is 'Events that the last finished sweep found';

-- Read by every product attempt: who stands at the warehouse under this code?
create index link_by_code on link (connection, code) where code is not null;

-- What people look for in an order: its lines, total, shipping method and when it was placed. Nothing of it is personal, and
-- nothing decides by it. Null is not known: orders of an older version have it from their next read on.
alter table subject_state
    add column ordered_at timestamptz,
    add column total numeric,
    add column currency text,
    add column shipping_method text,
    add column shipping_code text,
    add column shipping_mapping text,
    add column warehouse_shipping text,
    add column pickup_point text,
    add column line_count integer,
    add column pieces numeric,
    add column changed_at timestamptz,
    add constraint subject_state_shipping_mapping_known check (
        shipping_mapping in ('mapped', 'left_to_shop', 'unmapped', 'not_needed')
    ),
    add constraint subject_state_mapped_has_code check ((shipping_mapping = 'mapped') = (warehouse_shipping is not null));

comment on column subject_state.ordered_at is 'For orders: when the shopper ordered, by the shop';
comment on column subject_state.total is 'For orders: what it costs altogether, by the shop';
comment on column subject_state.currency is 'For orders: the currency of the total, ISO 4217';
comment on column subject_state.shipping_method is
    'For orders: the shop''s name of the shipping method, or its code where it has none; empty for an order without a method';
comment on column subject_state.shipping_code is 'For orders: the method''s own product code in the shop';
comment on column subject_state.shipping_mapping is
    'For orders: what the rules made of the method at the last read: mapped, left_to_shop, unmapped or not_needed';
comment on column subject_state.warehouse_shipping is 'For orders: the warehouse''s shipping code that the method is mapped to';
comment on column subject_state.pickup_point is 'For orders: the id of the pickup point; empty where there is none';
comment on column subject_state.line_count is 'For orders: how many lines are ordered';
comment on column subject_state.pieces is 'For orders: how much is ordered altogether';
comment on column subject_state.changed_at is
    'For orders: when a read last showed something of it in another way than the read before';

create table order_line (
    connection text not null,
    subject text not null,
    position integer not null,
    first_task_id uuid,
    code text not null,
    code_key text not null,
    name text,
    quantity numeric not null,
    shipped_by text,
    shipped numeric,
    returned numeric,

    constraint order_line_pkey primary key (connection, subject, position),
    constraint order_line_subject_state_known foreign key (connection, subject)
        references subject_state (connection, subject) on delete cascade,
    constraint order_line_position_not_negative check (position >= 0),
    constraint order_line_shipped_by_known check (shipped_by in ('warehouse', 'shop', 'nobody')),
    constraint order_line_counts_not_negative check (shipped >= 0 and returned >= 0)
) with (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 2000
);

-- A search by product code: the newest orders that have it.
create index order_line_by_code on order_line (connection, code_key, first_task_id desc)
    where code_key <> '';

comment on table order_line is 'The lines of orders as last read, for people';
comment on column order_line.connection is 'Connection of the order';
comment on column order_line.subject is 'The order, as order:1042';
comment on column order_line.position is 'Its place in the order, from 0';
comment on column order_line.first_task_id is 'The order''s own: lists are sorted by it';
comment on column order_line.code is 'Product code in the shop; empty where the line has none';
comment on column order_line.code_key is 'The code in lower case without spaces: codes with one key are the same code';
comment on column order_line.name is 'The shop''s name of the product';
comment on column order_line.quantity is 'As the shop counts; below zero for what is taken back';
comment on column order_line.shipped_by is 'warehouse, shop or nobody; null where the supplier decides and is unknown';
comment on column order_line.shipped is 'How much of it has left; null where that is not known';
comment on column order_line.returned is 'How much of it came back; null where that is not known';

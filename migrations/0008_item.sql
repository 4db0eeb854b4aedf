-- The shop's catalogue, one row for each thing that can lie on a shelf. Codes must be unique over the whole catalogue, and
-- only a table of all of it can tell that two products far apart have the same one.
create table item (
    connection text not null,
    item text not null,
    product text not null,
    code text,
    code_key text,
    name text,
    stored boolean not null,
    draft jsonb,
    reason text,
    stock_enqueued boolean not null default false,
    reading bigint not null default nextval('reading_number'),
    seen_at timestamptz not null,

    constraint item_pkey primary key (connection, item),
    constraint item_connection_known foreign key (connection) references connection (name),
    constraint item_belongs_to_product check (item = product or starts_with(item, product || '/')),
    constraint item_code_key_iff_code check ((code is null) = (code_key is null)),
    constraint item_draft_iff_no_reason check ((draft is null) = (reason is not null))
);

-- Read by every product attempt: which other items have this code? And by the sync, which pages by it.
create index item_by_code on item (connection, code_key, item);
create index item_by_product on item (connection, product);
create index item_withheld on item (connection, item)
    where reason is not null;

comment on table item is 'The shop''s catalogue as last read: each product without variations, and each variation';
comment on column item.connection is 'Connection of the catalogue';
comment on column item.item is 'As product:77, or product:77/5 for a variation';
comment on column item.product is 'The subject that it belongs to, as product:77';
comment on column item.code is 'The product code as the shop has it; null where it has none';
comment on column item.code_key is 'The code in lower case without spaces: codes with one key look alike to a person';
comment on column item.name is 'Its name at the warehouse';
comment on column item.stored is 'True where the connection''s rules, when it was read, say that the warehouse stores it';
comment on column item.draft is 'What would be sent of it; null where it cannot be sent';
comment on column item.reason is 'Why it cannot be sent, whatever the codes of other items are; null where it can';
comment on column item.stock_enqueued is 'True once a task for the stock of its code was enqueued: goods may lie at the warehouse from before. Also true for what the first read of the catalogue found, since a sync compares that stock';
comment on column item.reading is 'Number of the read in the shop that it is from: an earlier one never overwrites a later one';
comment on column item.seen_at is 'When it was last read in the shop; for people';

-- Codes that differ only in case or spaces are the same code, and each vendor is asked with the code exactly as it spells
-- it. The shop's spelling is in table item; the warehouse's was nowhere.
create table warehouse_code (
    connection text not null,
    code text not null,
    code_key text not null,
    seen_at timestamptz not null,

    constraint warehouse_code_pkey primary key (connection, code),
    constraint warehouse_code_connection_known foreign key (connection) references connection (name),
    constraint warehouse_code_key_not_empty check (code_key <> '')
);

-- Read by attempts at products, stock and orders: how does the warehouse spell this code?
create index warehouse_code_by_key on warehouse_code (connection, code_key, code);

comment on table warehouse_code is 'The product codes of the warehouse, as it spells them';
comment on column warehouse_code.connection is 'Connection of the warehouse';
comment on column warehouse_code.code is 'The code, exactly as the warehouse spells it';
comment on column warehouse_code.code_key is 'The code in lower case without spaces: codes with one key are the same code';
comment on column warehouse_code.seen_at is 'When it was first read there; for people';

-- Pieces are counted by the code, however the order's lines spell it. Null in rows of an older process.
alter table in_flight add column code_key text;
update in_flight set code_key = lower(regexp_replace(code, '\s', '', 'g'));
create index in_flight_by_code_key on in_flight (connection, (coalesce(code_key, lower(code)))) include (pieces);

comment on column in_flight.code_key is 'The code in lower case without spaces; null where an older process wrote the row';

-- The code that an item has at the warehouse need not be the shop's own. Null in rows of an older process: then it is.
alter table item add column warehouse_key text;
create index item_by_warehouse_key on item (connection, warehouse_key);

comment on column item.warehouse_key is 'The key of the code that it is sent under; null where it cannot be sent';

-- Read by a page and by the doctor: products that lack what the warehouse asks for.
create index item_remarked on item (connection, item)
    where stored and draft is not null and (draft ->> 'ean' is null or code ~ '[/\\]');

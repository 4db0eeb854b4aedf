-- Orders older than the connection are history and are never sent. Their times are the shop's, so the moment of connecting
-- is the shop's time too: written by our clock, it lost orders where that was ahead and sent others' where it was behind.
alter table connection add column connecting_at timestamptz;
alter table connection add column shop_connected_at timestamptz;
update connection set shop_connected_at = created_at;

comment on column connection.created_at is 'When a configuration first named it, by our clock';
comment on column connection.connecting_at is 'The same by the database''s clock, until the shop''s time is known from it';
comment on column connection.shop_connected_at is 'The same by the shop''s clock, from the first dated answer of the shop; older orders are not transferred. Null until then: created_at counts';

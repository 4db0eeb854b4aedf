-- Orders that were cancelled or came back, for the Overview: with those shipped, all that ended in a time. What happened before
-- is not known by the hour.
alter table order_hour add column cancelled bigint not null default 0, add column returned bigint not null default 0;

comment on column order_hour.cancelled is 'Orders first seen as cancelled';
comment on column order_hour.returned is 'Orders first seen as returned';

-- What an order needs to be remembered for all its life: its status in one word, what was sent (masked) so that an
-- edit can be told, when it became ready, when it was called off, and what the warehouse made of it.
alter table link
    add column met_by uuid,
    add column status text,
    add column sent jsonb,
    add column warehouse_comments text,
    add column related jsonb,
    add column ready_at timestamptz,
    add column cancel_asked_at timestamptz,
    add constraint link_status_known check (
        status in (
            'not_transferred', 'waiting_for_collection', 'waiting_for_products', 'delivered', 'cancelled', 'returned',
            'needs_attention'
        )
    );

update link set
    met_by = (
        select id from delivery
        where delivery.connection = link.connection and delivery.subject = link.subject
        order by id limit 1
    ),
    status = case
        when subject not like 'order:%' then null
        when placed_at is null then case when shop_status = 'cancelled' then 'cancelled' else 'not_transferred' end
        else case lower(warehouse_status)
            when 'new' then 'waiting_for_collection'
            when 'collecting' then 'waiting_for_collection'
            when 'pending' then 'waiting_for_products'
            when 'shipped' then 'delivered'
            when 'cancelled' then 'cancelled'
            when 'returned' then 'returned'
            else 'needs_attention'
        end
    end;

-- The list of orders, newest first, and the rhythm in which they come.
create index link_orders on link (connection, met_by desc) where status is not null;

comment on column link.met_by is 'The delivery in which we first met the subject: UUIDv7, so its order is the order of meeting';
comment on column link.status is 'For orders: the one word that a merchant reads';
comment on column link.sent is 'What we sent last, every personal value masked: enough to say what has changed since';
comment on column link.warehouse_comments is 'Why the order stands at the warehouse as it stands, in its own words';
comment on column link.related is 'Orders that the warehouse made out of this one: reference and status';
comment on column link.ready_at is 'When we first found the order ready to go: the hold period runs from here';
comment on column link.cancel_asked_at is 'When the warehouse took our cancellation';

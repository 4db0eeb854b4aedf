-- Two years of a busy merchant: {orders} orders over three connections, three events and two tasks for each, a tenth as many
-- items. Most orders are long delivered; the newest are at work; some hundred tasks are dead, in doubt or on hold, and some
-- thousand are due.
--
-- No triggers and no foreign keys while it fills: the counts are made at its end, as after a restore.
set session_replication_role = replica;
set synchronous_commit = off;
set work_mem = '256MB';

create function pg_temp.id_at(at timestamptz, part int, i int) returns uuid language sql immutable as $$
    select (
        lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000a' || lpad(to_hex(part), 5, '0')
        || lpad(to_hex(i), 10, '0')
    )::uuid
$$;

insert into connection (name, created_at, catalogue_read_at)
select name, now() - interval '730 days', now() from unnest(array['kauppa', 'outlet', 'tukku']) as name;

create temp table placed as
select
    i, '1' || lpad(i::text, 7, '0') as number,
    case when i % 10 < 6 then 'kauppa' when i % 10 < 9 then 'outlet' else 'tukku' end as connection,
    now() - interval '730 days' * (1 - i::float8 / {orders}) - interval '10 minutes' as at,
    case
        when i > {orders} - {orders} / 700 then
            case
                when i / 10 % 20 < 11 then 'waiting_for_collection'
                when i / 10 % 20 < 13 then 'waiting_for_products'
                when i / 10 % 20 < 16 then 'not_transferred'
                when i / 10 % 20 = 16 then 'needs_attention'
                else 'delivered'
            end
        when i % 2000 = 7 then 'not_transferred'
        when i % 100 < 4 then 'cancelled'
        when i % 100 < 6 then 'returned'
        else 'delivered'
    end as status
from generate_series(1, {orders}) as i;

-- Each order's first task, another for half of them, and as many for stock. `part` tells an order's tasks apart.
create temp table owed as
select *, pg_temp.id_at(at, part, i) as id from (
select
    i, 1 as part, connection, 'order' as kind, 'order:' || number as subject, at,
    case
        when status = 'not_transferred' and i % 3 > 0 then 'skipped'
        when status in ('not_transferred', 'needs_attention', 'waiting_for_products') then 'pending'
        else 'done'
    end as state,
    case
        when status = 'not_transferred' then
            (array['held_by_operator', 'manual_transfer', 'not_paid'])[i % 3 + 1]
        when status = 'needs_attention' then 'held_at_warehouse'
        when status = 'waiting_for_products' then 'settling_time'
    end as reason
from placed
union all
select i, 2, connection, 'order', 'order:' || number, at + interval '6 hours', 'done', null
from placed where i % 2 = 0 and i < {orders} - {orders} / 700 and status <> 'not_transferred'
union all
-- Half of what died was handled by a later task.
select
    i, 3, connection, 'order', 'order:' || number, at + interval '12 hours', 'dead',
    (array['shipping_unmapped', 'refused', 'conflict', 'address_incomplete', 'outcome_unknown'])[i / {step} % 5 + 1]
from placed where i % {step} = 1 and i < {orders} - {orders} / 700 and status <> 'not_transferred'
union all
select i, 4, connection, 'order', 'order:' || number, at + interval '18 hours', 'done', null
from placed where i % {step} = 1 and i / {step} % 2 = 0 and i < {orders} - {orders} / 700
    and status <> 'not_transferred'
union all
select
    i, 5, case when i % 10 < 6 then 'kauppa' when i % 10 < 9 then 'outlet' else 'tukku' end, 'stock',
    'stock:SKU-' || lpad((i % ({orders} / 10))::text, 6, '0'),
    now() - interval '730 days' * (1 - i::float8 * 2 / {orders}) - interval '1 hour', 'done', null
from generate_series(1, {orders} / 2) as i
union all
-- The backlog.
select
    i, 6, case when i % 10 < 6 then 'kauppa' when i % 10 < 9 then 'outlet' else 'tukku' end, 'stock',
    'stock:SKU-' || lpad(i::text, 6, '0'), now() - interval '5 minutes', 'pending', null
from generate_series(1, {orders} / 300) as i
union all
-- New orders that were not read yet.
select i, 7, 'kauppa', 'order', 'order:2' || lpad(i::text, 7, '0'), now() - interval '1 minute', 'pending', null
from generate_series(1, {orders} / 2000) as i
union all
select
    i, 8, connection, 'order', 'order:' || number, now() - interval '1 hour', 'in_doubt', 'answer_lost'
from placed where i % {step} = 3 and status = 'delivered' and i > {orders} * 4 / 5
) owed;


insert into task (
    id, connection, kind, subject, state, reason, priority, attempts, failures, due_at, created_at, settled_at
)
select
    id, connection, kind, subject, state, reason, case kind when 'order' then 0 else 1 end,
    case when part in (6, 7) then 0 else 1 end, case when state in ('dead', 'in_doubt') then 1 else 0 end,
    case when state = 'pending' and part = 1 then now() + interval '1 hour' else at end, at,
    case when state in ('done', 'skipped', 'dead') then at + interval '2 seconds' end
from owed order by owed.at;

insert into attempt (
    connection, task_id, number, claim_id, started_at, ended_at, outcome, reason, action, detail, calls
)
select
    connection, id, 1, id, at + interval '1 second', at + interval '2 seconds',
    case state when 'dead' then 'permanent' when 'in_doubt' then 'unknown' when 'done' then 'acted' else 'waiting' end,
    reason, case when state = 'done' then 'place' end,
    case reason
        when 'shipping_unmapped' then 'No rule matches the shipping method "Nouto ' || i / {step} % 7 || '"'
        when 'refused' then 'customer.email is not an address'
    end,
    '[
        {"vendor": "mycashflow", "call": "read_order", "method": "GET", "path": "/api/v1/orders/1", "status": 200, "millis": 84},
        {"vendor": "ogoship", "call": "find_order", "method": "GET", "path": "/api/v1/orders/1", "status": 200, "millis": 131}
    ]'::jsonb
from owed where part not in (6, 7);

insert into event (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id)
select
    pg_temp.id_at(at + interval '1 hour' * repeat, 16 * (repeat + 1) + part, i), connection,
    case when kind = 'stock' or repeat > 0 then case i % 3 when 0 then 'poll' else 'ogoship' end else 'mycashflow' end,
    case when kind = 'stock' then 'stock.changed' when repeat > 0 then 'order.updated' else 'order.created' end,
    kind, subject, at + interval '1 hour' * repeat, sha256(convert_to(part || '/' || i || '/' || repeat, 'UTF8')),
    convert_to('{"id": ' || i || ', "status": "' || state || '"}', 'UTF8'), id
from owed, generate_series(0, case when part = 1 then 1 else 0 end) as repeat
order by at;

insert into subject_state (
    connection, subject, first_task_id, mycashflow_id, ogoship_id, reference, status, shop_status, shop_version,
    warehouse_status, warehouse_version, tracking_code, tracking_url, ready_at, placed_at, completed_at, seen_at,
    waiting_since, waiting_for, ordered_at, total, currency, shipping_method, shipping_code, shipping_mapping,
    warehouse_shipping, line_count, pieces, changed_at
)
select
    placed.connection, subject, owed.id, number, case when is_there then 'W' || i end,
    case when is_there then 'S-' || number end, status, case when is_shipped then 'COMPLETED' else 'NEW' end, at::text,
    case when is_there then upper(status) end, at::text,
    case when is_shipped then 'JJFI' || number || '00' end,
    case when is_shipped then 'https://tracking.example/JJFI' || number || '00' end, at + interval '1 second',
    case when is_there then at + interval '1 second' * (2 + i % 7) end,
    case when is_shipped then least(at + interval '8 hours', now()) end, least(at + interval '8 hours', now()),
    case when status = 'waiting_for_products' then at + interval '1 minute' end,
    case when status = 'waiting_for_products' then '[{"code": "SKU-000001", "quantity": 2}]'::jsonb end,
    at - interval '3 seconds', 10 + i % 30000 / 100.0, 'EUR', 'Toimitustapa ' || i % 9, 'TT-' || i % 9, 'mapped',
    'posti-' || i % 9, 2, 2 + i % 3, least(at + interval '8 hours', now())
from (
    select *, status in ('delivered', 'returned') as is_shipped,
        status in ('delivered', 'returned', 'waiting_for_collection', 'waiting_for_products', 'needs_attention') as is_there
    from placed
) placed
join (select i, id, subject from owed where part = 1) owed using (i)
order by i;

insert into order_line (connection, subject, position, first_task_id, code, code_key, name, quantity, shipped_by)
select connection, subject, position, id, 'SKU-' || code, 'sku-' || code, 'Tuote numero ' || code, 1, 'warehouse'
from owed, generate_series(0, 1) as position,
    lateral (select lpad((i * (position + 7) % ({orders} / 10))::text, 6, '0') as code) codes
where part = 1
order by i;

insert into action (
    connection, subject, number, kind, repeat, task_id, attempt, claim_id, idempotency_key, reference, remote_id, sent,
    state, begun_at, ended_at
)
select
    placed.connection, subject, 1, 'place', 1, id, 1, id, 'key-' || i, 'S-' || number, 'W' || i,
    jsonb_build_object('reference', 'S-' || number, 'shipping', 'posti-16'), 'applied', placed.at + interval '2 seconds',
    placed.at + interval '3 seconds'
from placed join (select i, id, subject from owed where part = 1) owed using (i)
where status not in ('not_transferred', 'cancelled');

insert into item (connection, item, product, code, code_key, warehouse_key, name, stored, draft, seen_at)
select
    connection, 'product:' || i, 'product:' || i, code, lower(code), lower(code), 'Tuote numero ' || i, true,
    jsonb_build_object('code', code, 'name', 'Tuote numero ' || i, 'ean', case when i % 500 > 0 then '64' || lpad(i::text, 11, '0') end),
    now()
from (
    select i, case when i % 10 < 6 then 'kauppa' when i % 10 < 9 then 'outlet' else 'tukku' end as connection,
        -- Every thousandth has the code of the one ten before it.
        'SKU-' || lpad((case when i % 1000 = 20 then i - 10 else i end)::text, 6, '0') as code
    from generate_series(0, {orders} / 10 - 1) as i
) items;

insert into subject_state (connection, subject, code, sent_hash, mycashflow_id, ogoship_id, seen_at)
select connection, item, code, md5(code), substr(item, 9), 'W' || substr(item, 9), now() from item;

insert into subject_state (connection, subject, figure, figure_at, warehouse_version, seen_at)
select distinct on (connection, code) connection, 'stock:' || code, substr(code, 5)::int % 40, now(), 'v', now() from item;

-- One figure in a hundred differs, and one in five hundred is of a code that the warehouse does not have.
insert into stock_figure (connection, code, code_key, shop, physical, available, buffer, target, read_at)
select connection, code, code_key, pieces + (number % 100 = 7)::int, had, had - 1, 2, had - 3, now()
from (
    select distinct on (connection, code) connection, code, code_key, number, pieces,
        case when number % 500 > 0 then pieces + 3 end as had
    from item, lateral (select substr(code, 5)::int as number) numbers, lateral (select number % 40 as pieces) figures
) figures;

insert into audit (id, at, actor, action, connection, subject)
select pg_temp.id_at(at, 255, i), at, 'ops', 'order.transfer', 'kauppa', 'order:1' || lpad(i::text, 7, '0')
from generate_series(1, {orders} / 50) as i,
    lateral (select now() - interval '30 seconds' * ({orders} / 50 - i) as at) moments;

reset session_replication_role;

-- What the triggers and the service would have counted.
insert into order_count (connection, status, count)
select connection, status, count(*) from subject_state where status is not null group by 1, 2;
insert into repeated_code (connection, code_key)
select connection, code_key from item group by connection, code_key having count(*) > 1 and bool_or(stored);
insert into open_task_count (connection, kind, count)
select connection, kind, count(*) from task where settled_at is null group by 1, 2;
insert into order_hour (connection, hour, came_in, placed, shipped, waits)
select connection, date_trunc('hour', placed_at), count(*), count(*), count(*), array[1, 5, count(*), 2, 1]
from subject_state where placed_at > now() - interval '62 days' group by 1, 2;
insert into call_hour (connection, vendor, hour, succeeded, failed, times)
select name, vendor, hour, 900, 3, '{0, 10, 20, 300, 400, 150, 20, 3}'
from connection, unnest(array['mycashflow', 'ogoship']) as vendor,
    generate_series(date_trunc('hour', now() - interval '62 days'), now(), interval '1 hour') as hour;

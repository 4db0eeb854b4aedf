-- A shop as a Finnish merchant has it: 300 products and 2,000 orders of the last thirty days in every status, with what goes
-- wrong in some of them. For pictures: `{now}` is the time of the test's clock, and everything else follows from a number, so
-- that two runs show the same.
--
-- No triggers and no foreign keys while it fills: the counts are made at its end, as after a restore.
set local session_replication_role = replica;

create function pg_temp.roll(n int, salt text, sides int) returns int language sql immutable as $$
    select ('x' || substr(md5(salt || n), 1, 7))::bit(28)::int % sides
$$;

create function pg_temp.pick(n int, salt text, variadic choices text[]) returns text language sql immutable as $$
    select choices[1 + pg_temp.roll(n, salt, cardinality(choices))]
$$;

create function pg_temp.id_at(at timestamptz, part int, n int) returns uuid language sql immutable as $$
    select (
        lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7000a' || lpad(to_hex(part), 5, '0')
        || lpad(to_hex(n), 10, '0')
    )::uuid
$$;

-- Products: kept by the warehouse but for a few, some as variations, eight with a code to fix.
create temp table good on commit drop as
select
    n, case when n <= 240 then 'product:' || 5000 + n else 'product:' || 6000 + (n - 241) / 4 end as product,
    case when n <= 240 then 'product:' || 5000 + n else 'product:' || 6000 + (n - 241) / 4 || '/' || n % 4 + 1 end as item,
    case
        when n in (13, 57) then null
        when n = 121 then 'kup-1120'
        when n = 122 then 'PAT-1119'
        when n = 200 then prefix || '-1200-KEVATKOKOELMA-RAJOITETTU-ERA-LAHJAPAKKAUKSESSA-A'
        when n = 88 then prefix || ' ' || 1000 + n
        else prefix || '-' || 1000 + n
    end as code,
    case
        when n > 240 then series || '-neulepaita, ' || colour || ' – koko ' || (array['S', 'M', 'L', 'XL'])[n % 4 + 1]
        when n = 77 then 'Lahjakortti 50 €'
        when n = 78 then 'Verkkokurssi: käsinsidottu kirja'
        when n = 200 then 'Kevätkokoelman käsintehty keraaminen aamiaissarja kahdelle, lahjapakkauksessa, ' || colour
        else series || '-' || noun || ', ' || colour
    end as name,
    n not in (77, 78, 79) as stored,
    (990 + 100 * pg_temp.roll(n, 'price', 90)) / 100.0 as price,
    case
        when n in (13, 57) then 'code_empty' when n = 200 then 'code_too_long'
        when n in (119, 120, 121, 122) then 'code_repeated'
    end as problem
from (
    select
        n, kinds[1 + n % cardinality(kinds)] as noun, prefixes[1 + n % cardinality(prefixes)] as prefix,
        pg_temp.pick(n, 'series', 'Saaristo', 'Kaste', 'Hiite', 'Routa', 'Lumi', 'Kajo', 'Suvi', 'Tunturi') as series,
        pg_temp.pick(n, 'colour', 'valkoinen', 'sininen', 'harmaa', 'hiekka', 'pellava', 'metsänvihreä', 'musta') as colour
    from generate_series(1, 300) as n,
        (values (
            array['kahvikuppi', 'teekannu', 'lautanen 27 cm', 'pellavapyyhe', 'tuoksukynttilä', 'villahuopa', 'saunatuoksu',
                  'leikkuulauta', 'maljakko', 'tyynynpäällinen 50 × 50', 'esiliina', 'patalappu'],
            array['KUP', 'TEE', 'LAU', 'PYY', 'KYN', 'HUO', 'SAU', 'LEI', 'MAL', 'TYY', 'ESI', 'PAT']
        )) as words (kinds, prefixes)
) named;

insert into item (connection, item, product, code, code_key, warehouse_key, name, stored, draft, reason, seen_at)
select
    'shop', item, product, code, lower(replace(code, ' ', '')), lower(replace(code, ' ', '')), name, stored,
    case when problem is null then jsonb_build_object('code', code, 'name', name) end, problem, {now} - interval '7 minutes'
from good;

insert into repeated_code (connection, code_key)
select 'shop', lower(code) from good where problem = 'code_repeated' group by 2;

create temp table shelf on commit drop as
select
    code, n, physical, physical - reserved as available, buffer, greatest(physical - reserved - buffer, 0) as target
from (
    select
        code, n, case when n % 17 = 4 then 0 when n between 230 and 240 then 40 + n % 30 else pg_temp.roll(n, 'shelf', 180) end as physical,
        case when n % 17 = 4 then 0 else pg_temp.roll(n, 'reserved', 4) end as reserved,
        case when n % 40 = 3 then 2 else 0 end as buffer
    from good where stored and problem is null and code is not null
) counted;

insert into stock_figure (connection, code, code_key, shop, physical, available, buffer, target, read_at)
select
    'shop', code, lower(replace(code, ' ', '')),
    case
        when n between 230 and 240 then 40 + n % 30
        when n % 29 = 5 then target + 1 + pg_temp.roll(n, 'more', 6)
        when n % 43 = 6 then greatest(target - 3, 0)
        else target
    end,
    case when n % 31 = 9 then null when n between 230 and 240 then 0 else physical end,
    case when n % 31 = 9 then null when n between 230 and 240 then 0 else available end,
    buffer,
    case when n % 31 = 9 then null when n between 230 and 240 then 0 else target end,
    {now} - interval '1 minute' * (2 + pg_temp.roll(n, 'read', 50))
from shelf;

-- Orders: more by day than by night, numbered as they came.
create temp table placed on commit drop as
select
    n, '' || 20000 + n as number, 'order:' || 20000 + n as subject, 2000 - n as rank, at, {now} - at as age,
    pg_temp.roll(n, 'fate', 1000) as fate, 1 + pg_temp.roll(n, 'method', 100) as method_roll
from (
    select row_number() over (order by at)::int as n, at from (
        select at from (
            select
                (date_trunc('day', {now} at time zone 'Europe/Helsinki') - interval '1 day' * (i % 31)
                + interval '1 hour' * hours[1 + pg_temp.roll(i, 'hour', cardinality(hours))]
                + interval '1 second' * pg_temp.roll(i, 'second', 3600)) at time zone 'Europe/Helsinki' as at
            from generate_series(1, 2150) as i,
                (values (array[0, 1, 6, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17,
                               17, 18, 18, 18, 19, 19, 19, 20, 20, 20, 21, 21, 22, 23])) as day (hours)
        ) drawn
        where at < {now} - interval '3 minutes'
        order by at desc limit 2000
    ) newest
) numbered;

-- What goes otherwise, by its rank from the newest.
create temp table fate on commit drop as
select * from (values
    (1, 'due'), (45, 'retry'),
    (3, 'bus'), (8, 'bus'), (14, 'bus'), (22, 'bus'), (31, 'bus'), (44, 'bus'), (11, 'store'), (40, 'store'),
    (17, 'address'), (27, 'foreign'), (34, 'doubt'), (52, 'unknown'), (61, 'replacement'), (75, 'refused'), (78, 'refused'),
    (9, 'held'), (19, 'held'), (33, 'held'), (6, 'klarna'), (12, 'klarna'), (25, 'klarna'), (47, 'klarna'),
    (2, 'unpaid'), (15, 'unpaid'), (30, 'unpaid'), (55, 'unpaid'), (90, 'unpaid'), (140, 'unpaid'),
    (66, 'locked'), (70, 'part'), (82, 'cancelled_there'), (95, 'back'),
    (58, 'goods'), (64, 'goods'), (100, 'goods'), (130, 'goods'), (163, 'cancelled'), (171, 'returned'), (188, 'shipped')
) as known (rank, what);

create temp table sold on commit drop as
select
    placed.*, what, is_there, is_shipped,
    case
        when what in ('locked') then 'needs_attention'
        when what = 'goods' then 'waiting_for_products'
        when is_cancelled then 'cancelled'
        when is_returned then 'returned'
        when is_shipped then 'delivered'
        when is_there then 'waiting_for_collection'
        else 'not_transferred'
    end as status,
    at + interval '1 second' * (2 + pg_temp.roll(n, 'wait', 9)) as placed_at,
    least(at + interval '1 hour' * (5 + pg_temp.roll(n, 'pack', 21)) + interval '1 minute' * pg_temp.roll(n, 'pack', 60),
          {now} - interval '1 minute' * (5 + pg_temp.roll(n, 'late', 300))) as shipped_at,
    methods.*
from placed
left join fate using (rank)
cross join lateral (
    select
        coalesce(what = 'cancelled', what is null and age > interval '26 hours' and fate < 35) as is_cancelled,
        coalesce(what in ('returned', 'back'), what is null and age > interval '4 days' and fate between 35 and 60) as is_returned
) ends
cross join lateral (
    select
        (not is_cancelled or fate % 2 = 0)
        and (what is null or what in ('replacement', 'locked', 'part', 'cancelled_there', 'back', 'goods', 'returned', 'shipped', 'cancelled'))
            as is_there,
        not is_cancelled and coalesce(
            what in ('replacement', 'part', 'back', 'returned', 'shipped'),
            what is null and (age > interval '30 hours' or age > interval '6 hours' and fate > 600)
        ) as is_shipped
) moved
cross join lateral (
    select * from (values
        ('bus', 'Matkahuolto – Bussipaketti', 'MH-BUSSI', null, null),
        ('store', 'Nouto myymälästä, Turku', 'NOUTO-TKU', null, null),
        ('1', 'Posti – Postipaketti', 'POSTI-PP', 'Posti Parcel', null),
        ('2', 'Posti – Noutopiste lähelläsi', 'POSTI-PICKUP', 'Posti Pickup', 'K-Market Kallio, Helsinki (00530)'),
        ('3', 'Matkahuolto – Lähellä-paketti', 'MH-LAHELLA', 'Matkahuolto Near', 'R-kioski Hervanta, Tampere (33720)'),
        ('4', 'PostNord – MyPack Collect', 'PN-COLLECT', 'PostNord MyPack', 'Prisma Kaakkuri, Oulu (90420)'),
        ('5', 'Kuriiri pääkaupunkiseudulla', 'KURIIRI', 'Courier', null)
    ) as known (which, method, method_code, mapped, pickup)
    where which = case
        when what in ('bus', 'store') then what
        when method_roll <= 30 then '1' when method_roll <= 65 then '2' when method_roll <= 85 then '3'
        when method_roll <= 95 then '4' else '5'
    end
) methods;

-- Orders that wait for goods begin with a product that is out of stock.
create temp table line on commit drop as
select sold.n, subject, position, good.code, good.name, good.price, quantity, good.n % 17 = 4 as is_out
from sold
cross join lateral generate_series(0, pg_temp.roll(sold.n, 'lines', 4)) as position
cross join lateral (
    select
        case
            when what = 'goods' and position = 0 then 4 + 17 * pg_temp.roll(sold.n, 'out', 12)
            when what = 'part' and position = 0 then 9
            when draw in (13, 57, 77, 78, 79, 119, 120, 121, 122, 200) then draw + 100
            else draw
        end as chosen,
        case
            when what = 'part' and position = 0 then 2
            when pg_temp.roll(sold.n * 4 + position, 'pieces', 9) = 0 then 4
            else 1 + pg_temp.roll(sold.n * 4 + position, 'pieces', 2)
        end as quantity
    from (select 1 + pg_temp.roll(sold.n * 4 + position, 'good', 228) as draw) draws
) drawn
join good on good.n = chosen;

create function pg_temp.first_code(order_n int) returns text language sql stable as $$
    select code from line where n = order_n and position = 0
$$;

-- Tasks: the first of each order, the one that completed it in the shop, and those of products and stock.
create temp table owed on commit drop as
select
    sold.n, 1 as part, 'order' as kind, sold.subject, at,
    case
        when what in ('due', 'retry') then 'pending'
        when what = 'doubt' then 'in_doubt'
        when what = 'held' or what = 'klarna' or what = 'unpaid' then 'skipped'
        when what = 'goods' then 'done'
        when what in ('bus', 'store', 'address', 'foreign', 'unknown', 'refused') then 'dead'
        when status = 'not_transferred' then 'skipped'
        when status = 'cancelled' and not is_there then 'skipped'
        else 'done'
    end as state,
    case
        when what in ('bus', 'store') then 'shipping_unmapped' when what = 'address' then 'address_incomplete'
        when what = 'foreign' then 'not_ours_at_warehouse' when what = 'doubt' then 'answer_lost'
        when what = 'unknown' then 'outcome_unknown' when what = 'refused' then 'refused'
        when what = 'held' then 'held_by_operator' when what = 'klarna' then 'payment_not_activated'
        when what = 'unpaid' then 'not_paid' when what = 'retry' then 'unreachable'
        when status = 'not_transferred' and what is null then 'not_paid'
        when status = 'cancelled' and not is_there then 'cancelled_in_shop'
    end as reason,
    case
        when what in ('bus', 'store') then
            'no rule of [connections.shipping] matches the order''s shipping method "' || method_code || '" / "' || method || '"'
        when what = 'address' then
            'fix in the shop, then replay: street_address is missing, postal_code has 12 characters, at most 10 fit'
        when what = 'foreign' then 'it contains other products or pieces'
        when what = 'refused' then 'customer.phone is not a valid phone number'
    end as detail
from sold
union all
select
    n, 2, 'order', subject, shipped_at,
    case when what in ('replacement', 'part', 'cancelled_there', 'back') then 'dead' when what = 'locked' then 'pending' else 'done' end,
    case
        when what = 'replacement' then 'replacement_unconfirmed' when what = 'part' then 'partially_shipped'
        when what = 'cancelled_there' then 'cancelled_at_warehouse' when what = 'back' then 'returned'
        when what = 'locked' then 'held_at_warehouse'
    end,
    case
        when what = 'replacement' then 'added shipment 88123, 1 × ' || pg_temp.first_code(n) || ': confirm shop-' || number || '-R1'
        when what = 'part' then 'the warehouse shipped less than was ordered, missing: 1 × ' || pg_temp.first_code(n)
        when what = 'cancelled_there' then
            'the warehouse cancelled an order that is paid: refund it in the shop, or have it shipped there'
    end
from sold where is_shipped or what in ('cancelled_there', 'locked')
union all
select good.n, 3, 'product', good.product, {now} - interval '9 hours', 'dead', good.problem,
    'fix the product code in the shop: "' || good.code || '" is also "' || other.name || '"'
from good left join good as other
    on good.problem = 'code_repeated' and lower(other.code) = lower(good.code) and other.n <> good.n
where good.problem is not null
union all
select n, 4, 'stock', 'stock:' || code, {now} - interval '40 minutes', 'pending', 'stock_braked', null
from shelf where n between 230 and 240
union all
select n, 5, 'stock', 'stock:' || code, {now} - interval '1 minute' * (6 + n), 'done', null, null from shelf where n < 200;

insert into task (
    id, connection, kind, subject, state, reason, priority, attempts, failures, actions, due_at, created_at, settled_at
)
select
    pg_temp.id_at(at, part, n), 'shop', kind, subject, state, reason, case kind when 'order' then 0 else 1 end,
    case when state = 'pending' and reason is null then 0 when state = 'done' and kind = 'order' then 2 else 1 end,
    case when reason in ('unreachable', 'answer_lost', 'outcome_unknown', 'refused') then 1 else 0 end, 0,
    case when state in ('pending', 'in_doubt') then {now} + interval '4 minutes' else at end, at,
    case when state in ('done', 'skipped', 'dead') then at + interval '11 seconds' end
from owed order by owed.at;

create function pg_temp.call(vendor text, name text, method text, path text, status int, millis int, message text)
returns jsonb language sql immutable as $$
    select jsonb_strip_nulls(jsonb_build_object(
        'vendor', vendor, 'call', name, 'method', method, 'path', path, 'status', status, 'millis', millis, 'message', message
    ))
$$;

insert into attempt (
    connection, task_id, number, claim_id, started_at, ended_at, outcome, reason, action, detail, calls
)
select
    'shop', pg_temp.id_at(at, part, n), number, pg_temp.id_at(at, part, n), at + interval '1 second' * (4 * number - 3),
    at + interval '1 second' * (4 * number - 2) + interval '1 millisecond' * pg_temp.roll(n, 'took', 900),
    case
        when number = 2 then 'in_sync' when state = 'dead' and reason in ('outcome_unknown') then 'unknown'
        when state = 'in_doubt' then 'unknown' when state = 'dead' then 'permanent' when state = 'skipped' then 'skipped'
        when reason = 'unreachable' then 'retryable' when state = 'pending' then 'waiting'
        else 'acted'
    end,
    case when number = 1 then reason end,
    case
        when number = 2 or kind <> 'order' then null
        when state in ('done', 'in_doubt') or reason = 'outcome_unknown' then case part when 1 then 'place' else 'complete' end
    end,
    detail,
    jsonb_build_array(
        pg_temp.call('mycashflow', 'read_order', 'GET', '/api/v1/orders/' || 20000 + n, 200, 60 + pg_temp.roll(n, 'shop', 90), null),
        pg_temp.call('ogoship', 'search_order', 'GET', '/orders', 200, 90 + pg_temp.roll(n, 'warehouse', 200), null)
    ) || case
        when number = 2 or kind <> 'order' then '[]'
        when reason = 'refused' then jsonb_build_array(pg_temp.call('ogoship', 'place_order', 'POST', '/orders', 422, 143, 'customer.phone is not a valid phone number'))
        when state = 'in_doubt' or reason = 'outcome_unknown' then jsonb_build_array(pg_temp.call('ogoship', 'place_order', 'POST', '/orders', null, 3000, null))
        when state = 'done' and part = 1 then jsonb_build_array(pg_temp.call('ogoship', 'place_order', 'POST', '/orders', 201, 320, null))
        when state = 'done' then jsonb_build_array(pg_temp.call('mycashflow', 'quick_process', 'POST', '/api/v1/orders/' || 20000 + n || '/process', 200, 210, null))
        else '[]'
    end
from owed, lateral generate_series(1, case when state = 'done' and kind = 'order' then 2 else 1 end) as number
where not (state = 'pending' and reason is null);

insert into event (id, connection, source, topic, kind, subject, received_at, fingerprint, body, task_id)
select
    pg_temp.id_at(at, 16 + part, n), 'shop',
    case when kind <> 'order' then 'poll' when part = 1 then 'mycashflow' else 'ogoship' end,
    case when kind = 'stock' then 'polled.stock' when kind = 'product' then 'polled.products'
         when part = 1 then 'order.created' else 'OrderShipped' end,
    kind, subject, at, sha256(convert_to('picture/' || part || '/' || n, 'UTF8')),
    convert_to('{"data": {"id": ' || 20000 + n || '}, "topic": "order.created"}', 'UTF8'), pg_temp.id_at(at, part, n)
from owed order by owed.at;

insert into subject_state (
    connection, subject, first_task_id, mycashflow_id, ogoship_id, reference, status, shop_status, shop_version,
    warehouse_status, warehouse_version, warehouse_comments, tracking_code, tracking_url, parcel_state, ready_at, placed_at,
    completed_at, seen_at, waiting_since, waiting_for, returned, added_shipments, ordered_at, total, currency, shipping_method,
    shipping_code, shipping_mapping, warehouse_shipping, pickup_point, line_count, pieces, changed_at
)
select
    'shop', sold.subject, pg_temp.id_at(at, 1, sold.n), number, case when is_there then 'W' || sold.n end,
    case when is_there or what in ('doubt', 'unknown', 'foreign') then 'shop-' || number end, status,
    case when is_shipped and coalesce(what, '') <> 'part' then 'completed' when status = 'cancelled' then 'cancelled' else 'open' end, '1',
    case
        when status = 'waiting_for_products' then 'Pending' when status = 'needs_attention' then 'Locked'
        when what = 'foreign' then 'New' when not is_there then null
        when status = 'cancelled' or what = 'cancelled_there' then 'Cancelled' when status = 'returned' then 'Returned'
        when is_shipped and age > interval '3 days' then 'Delivered' when is_shipped then 'Shipped'
        when age > interval '3 hours' then 'Collecting' else 'New'
    end, '1',
    case when what = 'locked' then 'Asiakkaan osoitetta ei löydy: tarkistakaa katunumero' end,
    case when is_shipped then 'JJFI6500' || lpad('' || 70000 + sold.n, 10, '0') end,
    case when is_shipped then 'https://www.posti.fi/seuranta?koodi=JJFI6500' || lpad('' || 70000 + sold.n, 10, '0') end,
    case when status = 'returned' then 'Returned' when is_shipped and age > interval '3 days' then 'Delivered' end,
    at + interval '1 second', case when is_there then placed_at end,
    case when is_shipped and coalesce(what, '') <> 'part' then shipped_at end,
    least(case when is_shipped then shipped_at else at + interval '6 seconds' end, {now}),
    case when what = 'goods' then at + interval '20 minutes' end,
    case when what = 'goods' then (
        select jsonb_agg(jsonb_build_object('code', code, 'quantity', quantity, 'shop_stock', 0) order by position)
        from line where line.n = sold.n and is_out
    ) end,
    case when status = 'returned' then
        jsonb_build_array(jsonb_build_object('side', 'ogoship', 'code', pg_temp.first_code(sold.n), 'pieces', 1))
    end,
    case when what = 'replacement' then jsonb_build_array(jsonb_build_object(
        'shipment', '88123', 'lines', jsonb_build_array(jsonb_build_object('code', pg_temp.first_code(sold.n), 'quantity', 1)),
        'reference', 'shop-' || number || '-R1', 'waits', true
    )) end,
    at - interval '3 seconds', sum + 5.90, 'EUR', method, method_code, case when mapped is null then 'unmapped' else 'mapped' end, mapped,
    pickup, lines, pieces, least(case when is_shipped then shipped_at else at + interval '6 seconds' end, {now})
from sold
left join (
    select n, count(*)::int as lines, sum(quantity) as pieces, sum(quantity * price) as sum from line group by n
) content on content.n = sold.n;

insert into order_line (
    connection, subject, position, first_task_id, code, code_key, name, quantity, shipped_by, shipped, returned
)
select
    'shop', line.subject, position, pg_temp.id_at(at, 1, sold.n), code, lower(replace(code, ' ', '')), name, quantity,
    case when what is null and status <> 'returned' and pg_temp.roll(sold.n * 4 + position, 'own', 40) = 0 then 'shop' else 'warehouse' end,
    case when not is_shipped then 0 when what = 'part' and position = 0 then quantity - 1 else quantity end,
    case when status = 'returned' and position = 0 then 1 else 0 end
from line join sold using (n);

insert into in_flight (connection, subject, code, code_key, pieces)
select 'shop', line.subject, code, lower(replace(code, ' ', '')), sum(quantity)
from line join sold using (n)
where is_there and not is_shipped and status <> 'cancelled' group by 2, 3, 4;

insert into action (
    connection, subject, number, kind, repeat, task_id, attempt, claim_id, idempotency_key, reference, remote_id, sent,
    state, begun_at, ended_at
)
select
    'shop', subject, part, case part when 1 then 'place' else 'complete' end, 1, pg_temp.id_at(case part when 1 then at else shipped_at end, part, n), 1,
    pg_temp.id_at(at, part, n), 'picture-' || part || '-' || n, 'shop-' || number, 'W' || n,
    jsonb_build_object('reference', 'shop-' || number, 'shipping', mapped),
    case when what in ('doubt', 'unknown') then 'unknown' else 'applied' end,
    case part when 1 then placed_at else shipped_at end - interval '1 second', case part when 1 then placed_at else shipped_at end
from sold, generate_series(1, 2) as part
where part = 1 and (is_there or what in ('doubt', 'unknown')) or part = 2 and is_shipped and coalesce(what, '') <> 'part';

insert into subject_state (connection, subject, code, sent_hash, mycashflow_id, ogoship_id, seen_at)
select 'shop', item, code, md5(code), substr(item, 9), 'W' || n, {now} from good where problem is null and stored;

insert into subject_state (connection, subject, figure, figure_at, warehouse_version, seen_at)
select 'shop', 'stock:' || code, target, {now}, '1', {now} from shelf;

update connection set
    braked_at = {now} - interval '40 minutes', brake_detail = '11 of 283 codes would have fallen to zero within an hour'
where name = 'shop';

insert into audit (id, at, actor, action, connection, subject, detail)
select pg_temp.id_at(at, 40, n), at, actor, action, 'shop', subject, detail
from (
    select
        n, {now} - interval '1 minute' * (n * n * 7) as at, pg_temp.pick(n, 'who', 'ops', 'maija', 'varasto') as actor,
        (array['order.transfer', 'order.hold', 'order.release', 'order.recipient', 'shipping_rule.put', 'sync.request',
               'connection.release_brake', 'event.reveal', 'replays.create', 'connection.pause', 'connection.resume'])[1 + n % 11] as action
    from generate_series(1, 40) as n
) done
cross join lateral (
    select
        case when action like 'order.%' then 'order:' || 22000 - n * 3 when action = 'shipping_rule.put' then 'Posti – Kotipaketti' when action = 'sync.request' then 'stock' end as subject,
        case when action = 'replays.create' then '{"count": 12}'::jsonb else '{}' end as detail
) of;

insert into sync (
    id, connection, what, dry_run, actor, state, since, step, total, done, created_at, started_at, reading, finished_at
)
select
    pg_temp.id_at(at, 50, n), 'shop', (array['stock', 'products', 'orders'])[1 + n % 3], n = 2, case when n = 2 then 'maija' else 'schedule' end,
    'done', at, 'end', 280 + n, 280 + n, at, at, n, at + interval '48 seconds'
from generate_series(1, 12) as n, lateral (select {now} - interval '8 hours' * n as at) times;

insert into sync (
    id, connection, what, dry_run, actor, state, since, step, total, done, created_at, started_at, reading
) values (
    pg_temp.id_at({now} - interval '20 seconds', 50, 99), 'shop', 'stock', false, 'maija', 'running', {now}, 'find_differences', 286, 212,
    {now} - interval '20 seconds', {now} - interval '20 seconds', 1000
);

update poll set
    last_started_at = {now} - interval '1 minute' * which, last_finished_at = {now} - interval '1 minute' * which,
    last_millis = 900 + 70 * which, last_found = which - 2, found = 3 * which, due_at = {now} + interval '1 minute' * (5 - which)
from (values ('orders', 2), ('products', 3), ('statuses', 4), ('stock', 3)) as polled (list, which)
where poll.what = list;

-- What the triggers and the service would have counted.
insert into order_count (connection, status, count)
select 'shop', status, count(*) from sold group by 2
on conflict (connection, status) do update set count = order_count.count + excluded.count;

insert into open_task_count (connection, kind, count)
select 'shop', kind, count(*) from owed where state in ('pending', 'in_doubt') group by 2
on conflict (connection, kind) do update set count = open_task_count.count + excluded.count;

insert into order_hour (connection, hour, came_in, placed, shipped, cancelled, returned, waits)
select
    'shop', date_trunc('hour', at), sum(came_in), sum(placed), sum(shipped), sum(cancelled), sum(returned),
    array[0, 0, sum(placed) / 6, sum(placed) / 3,
          sum(placed) - sum(placed) / 6 - sum(placed) / 3 - sum(placed) / 8 - sum(placed) / 30 - sum(placed) / 40,
          sum(placed) / 8, 0, sum(placed) / 30, 0, sum(placed) / 40]
from (
    select at, 1 as came_in, is_there::int as placed, 0 as shipped, (status = 'cancelled')::int as cancelled, 0 as returned from sold
    union all
    select shipped_at, 0, 0, 1, 0, (status = 'returned')::int from sold where is_shipped
) happened
group by 2
on conflict (connection, hour) do update set
    came_in = order_hour.came_in + excluded.came_in, placed = order_hour.placed + excluded.placed,
    shipped = order_hour.shipped + excluded.shipped, cancelled = order_hour.cancelled + excluded.cancelled,
    returned = order_hour.returned + excluded.returned, waits = add_counts(order_hour.waits, excluded.waits);

insert into call_hour (connection, vendor, hour, succeeded, failed, times)
select
    'shop', vendor, hour, calls, case when vendor = 'ogoship' and hour = date_trunc('hour', {now} - interval '5 hours') then 31 else calls / 160 end,
    case vendor
        when 'mycashflow' then array[0, 0, calls / 5, calls / 3, calls / 4, calls / 6, calls / 20, calls / 60]
        else array[0, 0, 0, calls / 10, calls / 4, calls / 3, calls / 5, calls / 20, calls / 50, calls / 90]
    end
from unnest(array['mycashflow', 'ogoship']) as vendor,
    generate_series(date_trunc('hour', {now} - interval '31 days'), {now} - interval '1 hour', interval '1 hour') as hour,
    lateral (select 240 + pg_temp.roll(extract(epoch from hour)::int / 3600, vendor, 420) as calls) counted
on conflict (connection, vendor, hour) do update set
    succeeded = call_hour.succeeded + excluded.succeeded, failed = call_hour.failed + excluded.failed,
    times = add_counts(call_hour.times, excluded.times);

-- Older than those of the orders that came by webhook.
insert into recent_order_change (connection, number, subject, status_before, status, is_placed, changed_at)
select 'shop', oldest.number - row_number() over (order by changed_at desc), subject, status_before, status, is_placed, changed_at
from (
    select subject, null as status_before, 'not_transferred' as status, false as is_placed, at as changed_at from sold
    union all
    select subject, 'not_transferred', 'waiting_for_collection', true, placed_at from sold where is_there
    union all
    select subject, 'waiting_for_collection', 'delivered', false, shipped_at from sold where is_shipped
    order by changed_at desc limit 50
) newest
cross join (
    select coalesce(min(number), 0) as number
    from (select number from recent_order_change union all select number from order_change) as known
) oldest;

-- What happened in each hour, for the Overview: a month is read in some hundred rows, not from the orders of a month. Times
-- are of the clock of the process that wrote them: for people, nothing is decided by them.
create table order_hour (
    connection text not null,
    hour timestamptz not null,
    came_in bigint not null default 0,
    placed bigint not null default 0,
    shipped bigint not null default 0,
    waits bigint[] not null,

    constraint order_hour_pkey primary key (connection, hour)
);

comment on table order_hour is 'What happened to orders in an hour';
comment on column order_hour.connection is 'Their connection';
comment on column order_hour.hour is 'When the hour starts';
comment on column order_hour.came_in is 'Orders first read';
comment on column order_hour.placed is 'Orders first seen at the warehouse';
comment on column order_hour.shipped is 'Orders first seen as shipped';
comment on column order_hour.waits is
    'Of the orders that we placed: how many waited how long from the event that made them ready; the bounds stand in src/domain/histogram.rs';

create table call_hour (
    connection text not null,
    vendor text not null,
    hour timestamptz not null,
    succeeded bigint not null default 0,
    failed bigint not null default 0,
    times bigint[] not null,

    constraint call_hour_pkey primary key (connection, vendor, hour),
    constraint call_hour_vendor_known check (vendor in ('mycashflow', 'ogoship'))
);

comment on table call_hour is 'Calls to a vendor in an hour, added up by each process and written every few seconds';
comment on column call_hour.connection is 'Connection for which they were made';
comment on column call_hour.vendor is 'mycashflow or ogoship';
comment on column call_hour.hour is 'When the hour starts';
comment on column call_hour.succeeded is 'Calls that the vendor answered as it does when it works, even by a refusal';
comment on column call_hour.failed is 'Calls without such an answer';
comment on column call_hour.times is 'How many of all took how long; the bounds stand in src/domain/histogram.rs';

-- Adds two histograms; one that is longer keeps its rest.
create function add_counts(a bigint[], b bigint[]) returns bigint[] language sql immutable parallel safe as $$
    select coalesce(array_agg(coalesce(x, 0) + coalesce(y, 0) order by position), '{}')
    from unnest(a, b) with ordinality as pair (x, y, position)
$$;

-- The last two months of orders that are there already; how long they waited is not known.
insert into order_hour (connection, hour, came_in, placed, shipped, waits)
select connection, hour, sum(came_in), sum(placed), sum(shipped), '{}'
from (
    select connection, 1 as came_in, 0 as placed, 0 as shipped, date_trunc('hour', to_timestamp(
        ('x' || lpad(left(replace(first_task_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0
    )) as hour
    from subject_state where status is not null and first_task_id is not null
    union all
    select connection, 0, 1, 0, date_trunc('hour', placed_at)
    from subject_state where status is not null and placed_at is not null
    union all
    select connection, 0, 0, 1, date_trunc('hour', completed_at)
    from subject_state where status in ('delivered', 'returned') and completed_at is not null
) happened
where hour > now() - interval '62 days'
group by connection, hour;

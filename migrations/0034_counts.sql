-- Counts that pages and gauges show at once, however many rows there are. Writers do not wait for each other over a count: each
-- appends what it changes, in its own transaction, and every few seconds one statement folds that into the sums. A reader
-- adds both, so a count is exact in every snapshot. `store::counts` folds, and compares the counts with the rows.
--
-- Orders are counted by a trigger that costs nothing where an order's status stays: attempts write these rows too. Tasks
-- are counted by the statements that open and close them: thirty thousand a second, and a trigger would copy each row.
create table order_count (
    connection text not null,
    status text not null,
    count bigint not null,

    constraint order_count_pkey primary key (connection, status)
);

comment on table order_count is 'Orders by status, up to the changes that stand in order_change';
comment on column order_count.connection is 'Their connection';
comment on column order_count.status is 'As in subject_state';
comment on column order_count.count is 'How many; the changes not yet folded are to be added';

create table order_change (
    connection text not null,
    number bigint not null generated always as identity,
    subject text not null,
    status_before text,
    status text,
    is_placed boolean not null,
    placed_after_millis bigint,
    changed_at timestamptz not null,

    constraint order_change_pkey primary key (connection, number)
) with (
    -- Emptied every few seconds.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

comment on table order_change is 'Changes of orders that are not in the counts yet';
comment on column order_change.connection is 'Connection of the order';
comment on column order_change.number is 'Order of the changes';
comment on column order_change.subject is 'The order, as order:1042';
comment on column order_change.status_before is 'Its status before; null where it was not known';
comment on column order_change.status is 'Its status since; null where its row was removed';
comment on column order_change.is_placed is 'True where it was first seen at the warehouse with this change';
comment on column order_change.placed_after_millis is
    'For an order that we placed: the time from the event that made it ready until it was placed; null where that is unknown';
comment on column order_change.changed_at is 'When it was seen; for people';

create table recent_order_change (
    connection text not null,
    number bigint not null,
    subject text not null,
    status_before text,
    status text not null,
    is_placed boolean not null,
    changed_at timestamptz not null,

    constraint recent_order_change_pkey primary key (connection, number)
) with (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500
);

comment on table recent_order_change is 'The newest folded changes of each connection''s orders: what just happened';
comment on column recent_order_change.connection is 'Connection of the order';
comment on column recent_order_change.number is 'As in order_change';
comment on column recent_order_change.subject is 'The order, as order:1042';
comment on column recent_order_change.status_before is 'Its status before; null where it was not known';
comment on column recent_order_change.status is 'Its status since';
comment on column recent_order_change.is_placed is 'True where it was first seen at the warehouse with this change';
comment on column recent_order_change.changed_at is 'When it was seen; for people';

create function record_order_change() returns trigger language plpgsql as $$
declare
    is_placed boolean := false;
    millis bigint;
begin
    if tg_op = 'DELETE' then
        insert into order_change (connection, subject, status_before, is_placed, changed_at)
        values (old.connection, old.subject, old.status, false, old.seen_at);
        return null;
    end if;
    if new.placed_at is not null then
        if tg_op = 'INSERT' then
            is_placed := true;
        else
            is_placed := old.placed_at is null;
        end if;
    end if;
    if is_placed then
        -- From the last event that was there when the order was ready. What the warehouse tells follows the placing.
        select extract(epoch from place.begun_at - max(event.received_at)) * 1000 into millis
        from (
            select task_id, begun_at from action
            where connection = new.connection and subject = new.subject and kind = 'place'
            order by number desc limit 1
        ) place
        join event on event.task_id = place.task_id and event.source <> 'ogoship'
            and event.received_at <= least(new.ready_at, place.begun_at)
        group by place.begun_at;
    end if;
    if tg_op = 'INSERT' then
        insert into order_change (connection, subject, status, is_placed, placed_after_millis, changed_at)
        values (new.connection, new.subject, new.status, is_placed, millis, new.seen_at);
    else
        insert into order_change (connection, subject, status_before, status, is_placed, placed_after_millis, changed_at)
        values (new.connection, new.subject, old.status, new.status, is_placed, millis, new.seen_at);
    end if;
    return null;
end
$$;

create trigger subject_state_order_added after insert on subject_state
    for each row when (new.status is not null)
    execute function record_order_change();
create trigger subject_state_order_changed after update on subject_state
    for each row when (
        old.status is distinct from new.status
        or old.placed_at is null and new.placed_at is not null and new.status is not null
    )
    execute function record_order_change();
create trigger subject_state_order_removed after delete on subject_state
    for each row when (old.status is not null)
    execute function record_order_change();

create table open_task_count (
    connection text not null,
    kind text not null,
    count bigint not null,

    constraint open_task_count_pkey primary key (connection, kind)
);

comment on table open_task_count is 'Open tasks by kind, up to the changes that stand in open_task_change';
comment on column open_task_count.connection is 'Their connection';
comment on column open_task_count.kind is 'order, stock or product';
comment on column open_task_count.count is 'How many; the changes not yet folded are to be added';

create table open_task_change (
    connection text not null,
    number bigint not null generated always as identity,
    kind text not null,
    change bigint not null,

    constraint open_task_change_pkey primary key (connection, number)
) with (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);

comment on table open_task_change is 'Tasks opened and closed that are not in the counts yet; a row for each statement';
comment on column open_task_change.connection is 'Their connection';
comment on column open_task_change.number is 'Makes the row unique';
comment on column open_task_change.kind is 'order, stock or product';
comment on column open_task_change.change is 'Opened less closed';

-- What is there already.
insert into order_count (connection, status, count)
select connection, status, count(*) from subject_state where status is not null group by 1, 2;
insert into open_task_count (connection, kind, count)
select connection, kind, count(*) from task where state in ('pending', 'leased', 'in_doubt') group by 1, 2;

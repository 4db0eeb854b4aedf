-- The lists of orders: each filter and each sorting comes from an index, page by page, with a million orders too. All begin
-- with the connection; a list of several reads a page of each.
create index subject_state_orders_by_status on subject_state (connection, status, first_task_id desc)
    where status is not null;
create index subject_state_orders_by_method on subject_state (connection, shipping_method, first_task_id desc)
    where shipping_method is not null;
create index subject_state_orders_placed on subject_state (connection, ordered_at desc, first_task_id desc)
    where ordered_at is not null;
-- What is not known sorts last.
create index subject_state_orders_changed
    on subject_state (connection, (coalesce(changed_at, '-infinity'::timestamptz)) desc, first_task_id desc)
    where status is not null;
create index subject_state_orders_by_total
    on subject_state (connection, (coalesce(total, '-infinity'::numeric)) desc, first_task_id desc)
    where status is not null;
-- Orders by the reason of their newest task; most tasks of orders are done, and have no entry here.
create index task_orders_by_reason on task (connection, reason, number desc)
    where kind = 'order' and state in ('skipped', 'dead', 'cancelled');
-- The search: the beginning of an order number, a reference or a tracking code.
create index subject_state_orders_by_number on subject_state (connection, subject text_pattern_ops)
    where status is not null;
create index subject_state_by_reference on subject_state (connection, lower(reference) text_pattern_ops)
    where reference is not null;
create index subject_state_by_tracking on subject_state (connection, lower(tracking_code) text_pattern_ops)
    where tracking_code is not null;

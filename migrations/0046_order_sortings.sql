-- Lists of orders of one status by what changed last and by total: from the index, however rare the status is and wherever its
-- orders stand in the sorting. A list of all statuses reads a page of each. The indexes without the status are replaced.
-- contracts: a program of before finds the same rows more slowly.
drop index subject_state_orders_changed;
drop index subject_state_orders_by_total;
create index subject_state_orders_changed
    on subject_state (connection, status, coalesce(changed_at, '-infinity'::timestamptz) desc, first_task_id desc)
    where status is not null;
create index subject_state_orders_by_total
    on subject_state (connection, status, coalesce(total, '-infinity'::numeric) desc, first_task_id desc)
    where status is not null;

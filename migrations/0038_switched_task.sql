-- What waits for a switch. The list of what can be released, a release and the page of what needs attention must mean the same
-- by it, so it is said once, as for dead letters. Of each reason the newest twenty thousand are looked at, by the index
-- task_on_hold: enough to say that there are many, and as fast when a switch has been off for a year.
create view switched_task as
select recent.id, connection.name as connection, recent.kind, recent.subject, recent.reason, recent.number,
       recent.created_at
from connection
cross join unnest(array[
    'manual_transfer', 'transfer_off', 'manual_upload', 'upload_off', 'manual_stock_update', 'stock_update_off'
]) as wanted (reason)
cross join lateral (
    select id, kind, subject, reason, number, created_at from task
    where task.connection = connection.name and task.reason = wanted.reason and state = 'skipped'
      -- The index's own condition, so that it applies.
      and state in ('pending', 'skipped') and not is_superseded
      and reason in (
          'manual_transfer', 'transfer_off', 'manual_upload', 'upload_off', 'manual_stock_update', 'stock_update_off',
          'held_by_operator', 'payment_not_activated', 'held_at_warehouse'
      )
    order by number desc limit 20000
) as recent
-- Each asked of every task by its index, as for dead letters.
where not exists (
    select 1 from task as newer
    where newer.connection = connection.name and newer.subject = recent.subject and newer.number > recent.number
      and newer.state <> 'cancelled' and newer.settled_at is not null
    offset 0
)
and not exists (
    select 1 from task as newer
    where newer.connection = connection.name and newer.subject = recent.subject and newer.number > recent.number
      and newer.state in ('pending', 'leased', 'in_doubt')
    offset 0
);

comment on view switched_task is 'Tasks that wait for a switch of their connection: no later task has handled their subject';

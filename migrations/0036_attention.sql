-- What needs attention, and tasks by what they wait for, found by small indexes however many tasks are closed.
--
-- A dead task is history once a later task has handled its subject, and most dead tasks of a year are. That does not change
-- any more, so it is marked in the background, and the list looks at the few that are not. The mark decides nothing: the
-- list still asks of each task whether a later one is there.
-- contracts: task_waiting_for_switch is replaced by task_on_hold; a program of before finds the same rows more slowly.
alter table task add column is_superseded boolean not null default false;

comment on column task.is_superseded is
    'A later task of its subject has ended other than by being cancelled; marked in the background, for lists of what needs attention';

create index task_stuck on task (state, connection, number)
    where state in ('dead', 'in_doubt') and not is_superseded;
drop index task_waiting_for_switch;
create index task_on_hold on task (connection, reason, number desc)
    where state in ('pending', 'skipped') and not is_superseded
    and reason in (
        'manual_transfer', 'transfer_off', 'manual_upload', 'upload_off', 'manual_stock_update', 'stock_update_off',
        'held_by_operator', 'payment_not_activated', 'held_at_warehouse'
    );
-- Lists by reason. Most tasks are done and have none.
create index task_by_reason on task (reason, id desc)
    where reason is not null;
-- What people asked for by hand, among millions of webhooks.
create index event_by_operator on event (id desc)
    where source = 'operator';

create or replace view dead_letter as
select id, connection, kind, subject, reason, created_at
from task as dead
where state = 'dead' and not is_superseded
  -- Each asked of every dead task by its index: with "offset 0" the planner never reads all tasks instead.
  and not exists (
    select 1 from task as newer
    where newer.connection = dead.connection and newer.subject = dead.subject and newer.number > dead.number
      and newer.state <> 'cancelled' and newer.settled_at is not null
    offset 0
  )
  and not exists (
    select 1 from task as newer
    where newer.connection = dead.connection and newer.subject = dead.subject and newer.number > dead.number
      and newer.state in ('pending', 'leased', 'in_doubt')
    offset 0
  );

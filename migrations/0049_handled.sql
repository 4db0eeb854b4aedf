-- Some orders ask for work outside Silta: a refund, missing goods. Once a person has done it, neither side may ever show it, and
-- the order would need attention for ever. So they mark its dead task as handled. The mark is of that task alone: when anything
-- changes, a later task reads the order again, and if it ends the same way, the order needs attention again.
alter table task
    add column handled_at timestamptz,
    add column handled_by text,
    add constraint task_handled_is_dead check (handled_at is null or state = 'dead'),
    add constraint task_handled_has_actor check ((handled_at is null) = (handled_by is null));

comment on column task.handled_at is 'When a person marked what a dead task asked for as done outside Silta; null where nobody has';
comment on column task.handled_by is 'Who marked it: the name of the admin token';

create or replace view dead_letter as
select id, connection, kind, subject, reason, created_at
from task as dead
where state = 'dead' and not is_superseded and handled_at is null
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

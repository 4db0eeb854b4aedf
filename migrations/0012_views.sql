-- A dead letter is a dead task whose subject no later task has handled. The page, the gauge and the alert must mean the
-- same by it, so it is said once. A cancelled task has handled nothing.
create view dead_letter as
select id, connection, kind, subject, reason, created_at
from task as dead
where state = 'dead' and not exists (
    select 1 from task as newer
    where newer.connection = dead.connection and newer.subject = dead.subject and newer.number > dead.number
      and newer.state <> 'cancelled'
      -- Written so that both task_closed_by_subject and task_open_by_subject apply.
      and (newer.settled_at is not null or newer.state in ('pending', 'leased', 'in_doubt'))
);

comment on view dead_letter is 'Dead tasks that wait for a person: no later task has handled their subject';

-- What waits for a person because it is dead, said once: the page, the gauge and the alert must mean the same.
create view dead_letter as
select id, connection, kind, subject, reason, created_at
from delivery as dead
where state = 'dead' and not exists (
    select 1 from delivery as newer
    where newer.connection = dead.connection and newer.subject = dead.subject and newer.id > dead.id
      and newer.state <> 'cancelled'
      and (newer.settled_at is not null or newer.state in ('pending', 'leased', 'in_doubt')) -- names both indexes
);

comment on view dead_letter is 'Dead deliveries whose subject nobody has looked at since: a look that was called off was none';

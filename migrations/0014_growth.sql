-- Made for many: fewer indexes on the hot path, cheaper compression, and keys that name the connection.

-- A delivery's row is written three times in its life, and each write makes a new entry in every index that holds it.
-- These two held every version; what they were read for (a subject's history, the lists of what a person must look at) needs
-- only the last one.
drop index delivery_by_subject;
drop index delivery_by_state;
-- Read, together with delivery_open_by_subject, for all that a subject ever owed.
create index delivery_closed_by_subject on delivery (connection, subject, id desc) where settled_at is not null;
-- Read by the lists of what ended badly. The open ones have indexes of their own, and nearly all others are delivered: a
-- list of those walks the primary key.
create index delivery_ended_badly on delivery (state, id desc) where state in ('skipped', 'dead', 'cancelled');
-- An event's subject is its delivery's: what was told of a subject is found through delivery_closed_by_subject,
-- delivery_open_by_subject and event_by_delivery.
drop index event_by_subject;

-- Bodies and call records are the bulk of all bytes. lz4 takes a tenth of pglz's time; a server built without it keeps pglz.
do $$
begin
    execute 'alter table event alter column body set compression lz4';
    execute 'alter table attempt alter column calls set compression lz4';
exception
    when feature_not_supported or syntax_error then null;
end
$$;

-- Every key of a table that grows with the merchants names the connection, so that a distributed PostgreSQL can keep
-- all that is one connection's in one place: docs/decisions/0007, checked by a test of the schema. The id stands first: a row
-- is still found by it alone.
alter table attempt add column connection text;
comment on column attempt.connection is 'The delivery''s connection: on a distributed PostgreSQL both lie in one place';
update attempt set connection = delivery.connection from delivery where delivery.id = attempt.delivery_id;
alter table attempt alter column connection set not null;

alter table attempt drop constraint attempt_of_a_delivery;
alter table event drop constraint event_delivery_known;
alter table delivery drop constraint delivery_replays_a_delivery;

alter table delivery drop constraint delivery_pkey;
alter table delivery add constraint delivery_pkey primary key (id, connection);
alter table event drop constraint event_pkey;
alter table event add constraint event_pkey primary key (id, connection);
alter table attempt drop constraint attempt_pkey;
alter table attempt add constraint attempt_pkey primary key (delivery_id, number, connection);
-- Each claim raises the delivery's number of tries, so the primary key says already that a claim is settled once.
alter table attempt drop constraint attempt_once_per_claim;
alter table intent drop constraint intent_pkey;
alter table intent add constraint intent_pkey primary key (id, connection);

alter table delivery add constraint delivery_replays_a_delivery
    foreign key (replay_of, connection) references delivery (id, connection);
-- Not set up again are the references of event and attempt to their delivery, and the delivery's to its connection. Each
-- is written by one statement together with the row that it names, and removed with it, so there is no moment in which
-- the reference could be wrong; and each cost a lookup and a lock of that row for every webhook and every attempt: a fifth
-- of all the work, and for the connection a lock that all writers share. The tests count orphans at their end.
alter table delivery drop constraint delivery_connection_known;

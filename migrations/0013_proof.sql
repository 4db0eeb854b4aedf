-- What replicas must agree on to be one service: how much of a vendor's patience is spent, and who is alive.

-- Unlogged on purpose: a write per outward call must not wait for the disk, and a budget that a crash has forgotten is a
-- full one, which is what an idle second would have made of it.
create unlogged table rate_budget (
    connection text not null,
    system text not null,
    spent_until timestamptz not null,
    closed_until timestamptz,
    share double precision not null default 1,
    taught_at timestamptz,

    constraint rate_budget_pkey primary key (connection, system),
    constraint rate_budget_system_known check (system in ('mycashflow', 'ogoship')),
    constraint rate_budget_share_of_the_rate check (share > 0 and share <= 1),
    constraint rate_budget_taught_when_lowered check (share = 1 or taught_at is not null)
);

comment on table rate_budget is 'What is spent of a system''s rate, by all replicas together';
comment on column rate_budget.connection is 'Whose account at the system';
comment on column rate_budget.system is 'mycashflow or ogoship';
comment on column rate_budget.spent_until is 'Every call takes one interval of the rate: they are taken up to this time, and the bucket is full where it lies in the past';
comment on column rate_budget.closed_until is 'The system asked to be left alone until then';
comment on column rate_budget.share is 'How much of the configured rate the system took at taught_at; it grows back by itself';
comment on column rate_budget.taught_at is 'When the system last said that it was too much';

-- A process that works or serves. Written whenever somebody asks it whether it is ready: to commit is the answer.
create table replica (
    name text primary key,
    version text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null
);

comment on table replica is 'The processes of the service, as they last showed that they can commit';
comment on column replica.name is 'The name in claims: process id and a word of chance';
comment on column replica.version is 'Its version of Silta';
comment on column replica.started_at is 'When it started';
comment on column replica.seen_at is 'When it last committed here';

-- Retention. Bodies and payloads go once what they belong to is closed and old enough; rows go later, if at all.
alter table event add column blanked_at timestamptz;
alter table event add constraint event_blanked_is_empty check (blanked_at is null or octet_length(body) = 0);
comment on column event.blanked_at is 'When its body was blanked, by retention or because a person''s data were erased';
comment on column event.body is 'The raw bytes as received; may hold personal data, never logged; blanked by retention once closed';

alter table attempt add column blanked_at timestamptz;
comment on column attempt.blanked_at is 'When what was sent was taken out of its calls, by retention or erasure';

create table retention (
    what text primary key,
    reached uuid not null,
    ran_at timestamptz not null,

    constraint retention_what_known check (what in ('event_bodies', 'attempt_payloads'))
);

comment on table retention is 'How far the blanking of old bodies and payloads has come: ids sort by time';
comment on column retention.what is 'event_bodies or attempt_payloads';
comment on column retention.reached is 'Everything before this id is blanked; for payloads the delivery''s id';
comment on column retention.ran_at is 'When it last ran';

-- A debt whose outcome nobody could tell in time, and a connection whose system is down, say so by a reason; the hold of
-- such a connection ends when a probe of both systems has been answered, no longer by the clock alone.
comment on column connection.held_until is 'Not claimed for: a system refused our credentials, or is down; then both systems are probed, and an answer ends the hold';
comment on column connection.held_reason is 'The reason code of the fault that holds it';
comment on column connection.faults is 'Holds in a row; each is twice as long; 0 after a delivery that met no fault';

-- Read where old deliveries are removed: is it replayed by one that stays?
create index delivery_by_replay on delivery (replay_of) where replay_of is not null;

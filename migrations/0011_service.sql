-- What replicas must agree on to be one service, and how far retention has come.

-- Unlogged on purpose: a write per outward call must not wait for the disk. A crash empties the table, which means that
-- nothing was granted, as after an idle second.
create unlogged table rate_limit (
    connection text not null,
    vendor text not null,
    version bigint not null,
    granted_at bigint[] not null,
    granted integer[] not null,
    blocked_until timestamptz,
    blocked_millis bigint not null default 0,
    share double precision not null default 1,
    lowered_at timestamptz,

    constraint rate_limit_pkey primary key (connection, vendor),
    constraint rate_limit_vendor_known check (vendor in ('mycashflow', 'ogoship')),
    constraint rate_limit_granted_complete check (cardinality(granted_at) = cardinality(granted)),
    constraint rate_limit_share_range check (share > 0 and share <= 1),
    constraint rate_limit_lowered_has_time check (share = 1 or lowered_at is not null)
) with (
    -- A few rows, rewritten all day: free space in each page keeps the new version beside the old one, out of the indexes.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500
);

comment on table rate_limit is 'What all replicas together have taken of a vendor''s rate';
comment on column rate_limit.connection is 'Connection whose account is limited';
comment on column rate_limit.vendor is 'mycashflow or ogoship';
comment on column rate_limit.version is 'Raised by each write: a replica replaces the row only as it read it';
comment on column rate_limit.granted_at is 'When calls of the last second were granted, or will be made: microseconds since 1970';
comment on column rate_limit.granted is 'How many calls at each of these times';
comment on column rate_limit.blocked_until is 'The vendor asked for no calls until then';
comment on column rate_limit.blocked_millis is 'How long it asked for; a time further ahead was written by a wrong clock';
comment on column rate_limit.share is 'Share of the configured rate that the vendor accepted at lowered_at; it grows back by itself';
comment on column rate_limit.lowered_at is 'When the vendor last answered 429';

-- Written by readiness checks: the commit is the answer.
create table replica (
    name text not null,
    version text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null,

    constraint replica_pkey primary key (name)
);

comment on table replica is 'The processes of the service that showed that they can commit';
comment on column replica.name is 'Name in claims: process id and a random word';
comment on column replica.version is 'Its version of Silta';
comment on column replica.started_at is 'When it started';
comment on column replica.seen_at is 'When it last committed here';

create table retention (
    what text not null,
    reached uuid not null,
    ran_at timestamptz not null,

    constraint retention_pkey primary key (what),
    constraint retention_what_known check (what in ('event_bodies', 'attempt_payloads'))
);

comment on table retention is 'How far the redaction of old bodies and payloads has come';
comment on column retention.what is 'event_bodies or attempt_payloads';
comment on column retention.reached is 'Everything before this id (UUIDv7, sorts by time) is redacted; for payloads the task''s id';
comment on column retention.ran_at is 'When it last ran';

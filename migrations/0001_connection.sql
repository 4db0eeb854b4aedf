-- A connection is one MyCashflow store tied to one OGOship merchant. Its credentials and rules live in the
-- configuration; this row holds only what changes while Silta runs: whether we may act for it right now.
create table connection (
    name text primary key,
    paused_at timestamptz,
    paused_by text,
    held_until timestamptz,
    held_reason text,
    faults integer not null default 0,
    created_at timestamptz not null default now(),

    constraint connection_name_is_plain check (name ~ '^[a-z0-9-]{1,64}$'),
    constraint connection_paused_by_someone check ((paused_at is null) = (paused_by is null)),
    constraint connection_held_for_a_reason check ((held_until is null) = (held_reason is null)),
    constraint connection_faults_not_negative check (faults >= 0)
);

comment on table connection is 'One MyCashflow store tied to one OGOship merchant: may we act for it now?';
comment on column connection.name is 'The name in the configuration, in URLs and in metrics; [a-z0-9-]';
comment on column connection.paused_at is 'When a person stopped claims for it; null while it runs';
comment on column connection.paused_by is 'The admin token''s name that paused it';
comment on column connection.held_until is 'No claim before this time: a system refused our credentials; set by the worker alone';
comment on column connection.held_reason is 'The reason code of the fault that holds it';
comment on column connection.faults is 'Connection faults in a row; the hold doubles with each; 0 after any success';
comment on column connection.created_at is 'When the configuration first named it';

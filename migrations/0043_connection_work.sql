-- Operators test a connection and register its webhooks from its page. That takes longer than a request should, so it runs in
-- the background: one of a kind at a time for each connection, and the newest of each is kept with what it found.
create table connection_work (
    connection text not null,
    kind text not null,
    id uuid not null,
    requested_by text not null,
    requested_at timestamptz not null,
    ends_by timestamptz not null,
    finished_at timestamptz,
    checks jsonb,

    constraint connection_work_pkey primary key (connection, kind),
    constraint connection_work_connection_known foreign key (connection) references connection (name),
    constraint connection_work_kind_known check (kind in ('test', 'register')),
    constraint connection_work_ends_after_start check (ends_by > requested_at),
    constraint connection_work_finished_has_checks check ((finished_at is null) = (checks is null))
);

comment on table connection_work is 'The newest test of each connection, and the newest registration of its webhooks';
comment on column connection_work.connection is 'Connection whose vendors are asked';
comment on column connection_work.kind is 'test or register';
comment on column connection_work.id is 'UUIDv7: only the process that was asked for this one writes its result';
comment on column connection_work.requested_by is 'Name of the admin token';
comment on column connection_work.requested_at is 'When it was asked for';
comment on column connection_work.ends_by is 'After this without a result its process has died, and it may be asked for again';
comment on column connection_work.finished_at is 'When it ended; null while it runs';
comment on column connection_work.checks is 'What was found, in codes and names of settings; nothing personal and no secret';

-- A detection that is asked for from the page shows what has come since then.
alter table signature_detection add column requested_at timestamptz;

comment on column signature_detection.requested_at is 'When it was asked for; null where a version before this one was asked';

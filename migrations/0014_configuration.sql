-- The newest configuration. Processes with an older one beside it, as during a deployment, leave what compares the database
-- with a whole configuration to its processes: alerts, the schedule of syncs, the watch over subscriptions. No clock says
-- which is the newest: the last process that started, or reloaded, with another configuration does.
create table configuration (
    singleton boolean not null default true,
    generation bigint not null default 1,
    digest text not null,
    checks bigint not null default 0,

    constraint configuration_pkey primary key (singleton),
    constraint configuration_single check (singleton),
    constraint configuration_generation_positive check (generation >= 1),
    constraint configuration_digest_sha256 check (digest ~ '^[0-9a-f]{64}$')
) with (
    -- One row, rewritten all day.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500
);

comment on table configuration is 'The newest configuration that a process has started with';
comment on column configuration.singleton is 'There is one row';
comment on column configuration.generation is 'Raised whenever another configuration becomes the newest';
comment on column configuration.digest is 'Digest of what it says of connections, alerts and the public URL';
comment on column configuration.checks is 'Raised by each check of the alerts under it: while it rises, its processes live';

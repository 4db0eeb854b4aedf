-- A connection is one MyCashflow store tied to one OGOship merchant. Its credentials and rules stand in the
-- configuration; these tables hold what changes while Silta runs.
create table connection (
    name text not null,
    paused_at timestamptz,
    paused_by text,
    circuit_open_until timestamptz,
    circuit_reason text,
    faults integer not null default 0,
    created_at timestamptz not null default now(),
    catalogue_read_at timestamptz,
    braked_at timestamptz,
    brake_detail text,
    brake_released_until timestamptz,

    constraint connection_pkey primary key (name),
    constraint connection_name_format check (name ~ '^[a-z0-9-]{1,64}$'),
    constraint connection_paused_has_actor check ((paused_at is null) = (paused_by is null)),
    constraint connection_circuit_open_has_reason check ((circuit_open_until is null) = (circuit_reason is null)),
    constraint connection_faults_not_negative check (faults >= 0),
    constraint connection_brake_has_detail check ((braked_at is null) = (brake_detail is null))
);

comment on table connection is 'One MyCashflow store tied to one OGOship merchant: what may be done for it now';
comment on column connection.name is 'Name in the configuration, in URLs and in metrics; [a-z0-9-]';
comment on column connection.paused_at is 'When an operator paused it; null while it runs';
comment on column connection.paused_by is 'Name of the admin token that paused it';
comment on column connection.circuit_open_until is 'The circuit breaker is open: nothing is claimed. A vendor is down or refuses our credentials; from this time on both vendors are probed, and an answer closes the circuit';
comment on column connection.circuit_reason is 'Reason code of the fault that opened the circuit';
comment on column connection.faults is 'Times in a row that the circuit opened; each opening lasts twice as long; 0 after an attempt without a fault';
comment on column connection.created_at is 'When a configuration first named it';
comment on column connection.catalogue_read_at is 'When the shop''s whole catalogue was last read into table item; null: never, and no product is sent';
comment on column connection.braked_at is 'Since when no stock figure is set to zero, because too many fell at once; null while they may fall';
comment on column connection.brake_detail is 'How many of how many codes fell to zero';
comment on column connection.brake_released_until is 'An operator released the brake: until then any number of figures may fall to zero';

create table shipping_rule (
    connection text not null,
    pattern text not null,
    code text not null,
    pickup boolean not null,
    created_by text not null,
    created_at timestamptz not null,

    constraint shipping_rule_pkey primary key (connection, pattern),
    constraint shipping_rule_connection_known foreign key (connection) references connection (name),
    constraint shipping_rule_pattern_length check (length(pattern) >= 1 and length(pattern) <= 200),
    constraint shipping_rule_code_length check (length(code) >= 1 and length(code) <= 200)
);

comment on table shipping_rule is 'Shipping rules made by operators, for methods that no rule of the configuration matches';
comment on column shipping_rule.connection is 'Connection it belongs to';
comment on column shipping_rule.pattern is 'A shipping method of the shop: product code or name, * stands for any text';
comment on column shipping_rule.code is 'The warehouse''s shipping code';
comment on column shipping_rule.pickup is 'True where the shop''s pickup points are the carrier''s own';
comment on column shipping_rule.created_by is 'Who made it';
comment on column shipping_rule.created_at is 'When it was made';

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

-- One failed call belongs to its subject. It is the vendor's fault where several subjects fail alike in one kind
-- of call, and none of that kind succeeds in between. The suspicion is shared, so that replicas which see one failure each see
-- the outage together.
create table call_fault (
    connection text not null,
    vendor text not null,
    call text not null,
    subject text not null,
    kind text not null,
    seen_at timestamptz not null,

    constraint call_fault_pkey primary key (connection, vendor, call, subject),
    constraint call_fault_connection_known foreign key (connection) references connection (name),
    constraint call_fault_vendor_known check (vendor in ('mycashflow', 'ogoship')),
    constraint call_fault_call_known check (call in ('read', 'write')),
    constraint call_fault_kind_known check (kind in ('down', 'denied'))
);

comment on table call_fault is 'Subjects whose calls failed, since a call of that kind last succeeded: enough of them make it the vendor''s fault';
comment on column call_fault.connection is 'Connection of the subject';
comment on column call_fault.vendor is 'mycashflow or ogoship';
comment on column call_fault.call is 'read or write';
comment on column call_fault.subject is 'kind:key';
comment on column call_fault.kind is 'down, or denied (401, 403)';
comment on column call_fault.seen_at is 'When it last failed; for people, nothing is decided by it';

-- Every task begins with reads, so a vendor that cannot be read stops the whole connection (connection.circuit_open_until).
-- One that only cannot be written to holds back writes: tasks that need none go on, and one task at a time tries.
create table write_circuit (
    connection text not null,
    vendor text not null,
    reason text not null,
    open_until timestamptz not null,
    trial_until timestamptz,
    failed_trials integer not null default 0,

    constraint write_circuit_pkey primary key (connection, vendor),
    constraint write_circuit_connection_known foreign key (connection) references connection (name),
    constraint write_circuit_vendor_known check (vendor in ('mycashflow', 'ogoship')),
    constraint write_circuit_failed_trials_not_negative check (failed_trials >= 0)
);

comment on table write_circuit is 'Vendors whose writes are held back; no row: they are not';
comment on column write_circuit.connection is 'Connection whose writes are held back';
comment on column write_circuit.vendor is 'mycashflow or ogoship';
comment on column write_circuit.reason is 'Reason code: vendor_down or credentials_refused';
comment on column write_circuit.open_until is 'After this time one task may try';
comment on column write_circuit.trial_until is 'A task tries; if it never comes back, another may try after this time';
comment on column write_circuit.failed_trials is 'Failed trials in a row; each makes the next wait twice as long';

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

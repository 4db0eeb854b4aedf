-- Since when a vendor is down, and which: named on the Overview. A program of before leaves both null.
alter table connection
    add column circuit_opened_at timestamptz,
    add column circuit_vendor text,
    add constraint connection_circuit_vendor_known check (circuit_vendor in ('mycashflow', 'ogoship'));

comment on column connection.circuit_opened_at is 'Since when the circuit is open; for people. It may outlive the circuit and counts only while that is open';
comment on column connection.circuit_vendor is 'Whose fault opened the circuit; null where that is unknown';

alter table write_circuit add column opened_at timestamptz;

comment on column write_circuit.opened_at is 'Since when writes are held back; for people';

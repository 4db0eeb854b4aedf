-- Orders that wait for goods at the warehouse: since when, and for which. An order that has waited for too long is an alert.
alter table subject_state
    add column waiting_since timestamptz,
    add column waiting_for jsonb,
    add constraint subject_state_waiting_has_goods check (waiting_since is null or waiting_for is not null);

-- The list of waiting orders and its alert: few of a million.
create index subject_state_waiting on subject_state (connection, waiting_since)
    where waiting_since is not null;

comment on column subject_state.waiting_since is
    'For orders: when it was first seen waiting for goods at the warehouse; null while it waits for none';
comment on column subject_state.waiting_for is 'For orders: the goods of what waits there, code and quantity';

alter table alert drop constraint alert_kind_known;
alter table alert add constraint alert_kind_known check (
    kind in (
        'dead', 'circuit_open', 'stock_braked', 'poll_stopped', 'list_gap', 'backlog_old', 'silent',
        'webhooks_refused', 'subscription_gone', 'waiting_for_products'
    )
);

-- What a connection writes by itself, when a person asks, or never (orders.transfer, products.upload, stock.update), as the newest
-- configuration says; and what a person has asked for a product or a stock figure, which counts for one task only.
alter table connection
    add column orders_transfer text not null default 'automatic',
    add column products_upload text not null default 'automatic',
    add column stock_update text not null default 'automatic',
    add constraint connection_switches_known check (
        orders_transfer in ('automatic', 'manual', 'off')
        and products_upload in ('automatic', 'manual', 'off')
        and stock_update in ('automatic', 'manual', 'off')
    );

comment on column connection.orders_transfer is 'Whether orders are sent by themselves: automatic, manual or off';
comment on column connection.products_upload is
    'Whether products are created and changed at the warehouse by themselves: automatic, manual or off';
comment on column connection.stock_update is
    'Whether stock figures are written to the shop by themselves: automatic, manual or off';

alter table intent
    add column task_id uuid,
    drop constraint intent_kind_known,
    add constraint intent_kind_known check (
        kind in ('transfer', 'hold', 'release', 'cancel', 'adopt', 'send_replacement', 'sync')
    ),
    add constraint intent_task_where_needed check ((kind = 'sync') = (task_id is not null));

comment on column intent.kind is 'transfer, hold, release, cancel, adopt, send_replacement or sync';
comment on column intent.task_id is 'The task that a person has asked for: it writes though the switch is manual';

-- Read by what waits for a switch. Nobody has such rows while everything is automatic.
create index task_waiting_for_switch on task (connection, reason, number desc)
    where state = 'skipped'
    and reason in (
        'manual_transfer', 'transfer_off', 'manual_upload', 'upload_off', 'manual_stock_update', 'stock_update_off'
    );

-- A payment that was received and not activated is activated before its order is completed: one more action that happens
-- once, for each payment.
alter table action
    drop constraint action_kind_known,
    drop constraint action_repeats_bounded,
    drop constraint action_target_where_needed,
    add constraint action_kind_known check (
        kind in ('place', 'adopt', 'update', 'cancel', 'complete', 'activate_payment', 'complete_shipment', 'create')
    ),
    add constraint action_repeats_bounded check (
        repeat >= 1
        and (repeat <= 5 or kind not in ('place', 'complete', 'activate_payment', 'complete_shipment', 'create'))
    ),
    add constraint action_target_where_needed check (
        (kind in ('activate_payment', 'complete_shipment', 'create')) = (target <> '')
    );

comment on column action.kind is
    'place, adopt, update, cancel, complete, activate_payment, complete_shipment or create';

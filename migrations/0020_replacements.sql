-- What happens to an order after its parcel: returns, replacements and what is known of the parcel beyond "shipped". A
-- replacement is placed once for each shipment that the shop added, and the cap holds for all of an order's together.
alter table action
    drop constraint action_kind_known,
    drop constraint action_repeats_bounded,
    drop constraint action_order_has_reference,
    drop constraint action_target_where_needed,
    add constraint action_kind_known check (
        kind in (
            'place', 'place_replacement', 'adopt', 'update', 'cancel', 'complete', 'activate_payment',
            'complete_shipment', 'create'
        )
    ),
    add constraint action_repeats_bounded check (
        repeat >= 1
        and (
            repeat <= 5
            or kind not in (
                'place', 'place_replacement', 'complete', 'activate_payment', 'complete_shipment', 'create'
            )
        )
    ),
    add constraint action_order_has_reference check (
        kind not in ('place', 'place_replacement', 'adopt', 'update', 'cancel') or reference is not null
    ),
    add constraint action_target_where_needed check (
        (kind in ('place_replacement', 'activate_payment', 'complete_shipment', 'create')) = (target <> '')
    );

comment on column action.kind is
    'place, place_replacement, adopt, update, cancel, complete, activate_payment, complete_shipment or create';
comment on column action.repeat is
    'Which of those of the same kind and target that may have been applied it is, from 1; of replacements, of any target';

alter table intent
    add column target text,
    drop constraint intent_kind_known,
    add constraint intent_kind_known check (
        kind in ('transfer', 'hold', 'release', 'cancel', 'adopt', 'send_replacement')
    ),
    add constraint intent_target_where_needed check ((kind = 'send_replacement') = (target is not null));

comment on column intent.kind is 'transfer, hold, release, cancel, adopt or send_replacement';
comment on column intent.target is 'The shop''s shipment that is confirmed as a replacement';

alter table subject_state
    add column parcel_state text,
    add column returned jsonb,
    add column added_shipments jsonb;

comment on column subject_state.parcel_state is
    'What is known of the parcel beyond the warehouse''s status, in its own word';
comment on column subject_state.related is
    'Orders at the warehouse that belong to this one: parts, exchanges, replacements; reference, status and tracking code';
comment on column subject_state.returned is 'What came back: side, code and pieces';
comment on column subject_state.added_shipments is
    'What the shop added to the order after it was sent: shipment, lines, reference, and whether a person must confirm it';

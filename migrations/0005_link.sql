-- What we remember of a subject across both systems. Written only inside a settle (fenced by the claim), but for
-- the begun deed, which is committed BEFORE its call: a crash in between is then seen as "maybe".
create table link (
    connection text not null,
    subject text not null,
    mycashflow_id text,
    ogoship_id text,
    reference text,
    code text,
    sent_hash text,
    shop_status text,
    shop_version text,
    warehouse_status text,
    warehouse_version text,
    tracking_code text,
    tracking_url text,
    seen_at timestamptz not null,
    placed_at timestamptz,
    completed_at timestamptz,
    begun_deed text,
    begun_key text,
    begun_at timestamptz,

    constraint link_pkey primary key (connection, subject),
    constraint link_connection_known foreign key (connection) references connection (name),
    -- One order, one shipment: two subjects can never claim the same reference at the warehouse.
    constraint link_reference_is_one_subjects unique (connection, reference),
    constraint link_begun_whole check (
        (begun_deed is null) = (begun_at is null) and (begun_deed is null) = (begun_key is null)
    )
);

comment on table link is 'What we remember of a subject across both systems';
comment on column link.connection is 'Whose subject it is';
comment on column link.subject is 'kind:key; a variation is product:77/5';
comment on column link.mycashflow_id is 'Its id in the shop';
comment on column link.ogoship_id is 'Its id at the warehouse';
comment on column link.reference is 'Our id as written into the warehouse''s order record';
comment on column link.code is 'For products: the code under which the warehouse knows it';
comment on column link.sent_hash is 'SHA-256 of what we sent last, so that an unchanged thing costs no call';
comment on column link.shop_status is 'The shop''s status as last read';
comment on column link.shop_version is 'The shop''s updated_at as last read: a sweep passes by what we have seen';
comment on column link.warehouse_status is 'The warehouse''s status as last read';
comment on column link.warehouse_version is 'The warehouse''s edit time as last read';
comment on column link.tracking_code is 'Opaque; may hold several codes';
comment on column link.tracking_url is 'As the warehouse gave it';
comment on column link.seen_at is 'When the reading above was taken; an older reading never overwrites a newer one';
comment on column link.placed_at is 'When we learnt that it stands at the warehouse';
comment on column link.completed_at is 'When we learnt that the shop has it completed';
comment on column link.begun_deed is 'A deed that cannot be repeated blindly, begun and not known to have ended';
comment on column link.begun_key is 'Its idempotency key';
comment on column link.begun_at is 'When it was begun: a resend waits out the settling time from here';

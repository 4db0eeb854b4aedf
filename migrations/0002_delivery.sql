-- A delivery is the one open debt of a subject: bring it into step in the opposite system. The constraints below
-- are the invariants of the state machine drawn in src/domain/mod.rs; the code obeys them, it does not keep them.
create table delivery (
    id uuid primary key,
    connection text not null,
    kind text not null,
    subject text not null,
    state text not null,
    reason text,
    urgency smallint not null,
    attempts integer not null default 0,
    tries integer not null default 0,
    deeds integer not null default 0,
    news integer not null default 1,
    news_at_claim integer not null default 0,
    due_at timestamptz not null,
    claim_id uuid,
    claimed_by text,
    claimed_at timestamptz,
    leased_until timestamptz,
    replay_of uuid,
    created_at timestamptz not null,
    settled_at timestamptz,

    constraint delivery_connection_known foreign key (connection) references connection (name),
    constraint delivery_replays_a_delivery foreign key (replay_of) references delivery (id),
    constraint delivery_kind_known check (kind in ('order', 'stock', 'product')),
    constraint delivery_subject_is_of_its_kind check (starts_with(subject, kind || ':')),
    constraint delivery_state_known check (
        state in ('pending', 'leased', 'in_doubt', 'delivered', 'skipped', 'dead', 'cancelled')
    ),
    constraint delivery_urgency_known check (urgency between 0 and 3),
    constraint delivery_leased_iff_claimed check (
        (state = 'leased') = (claim_id is not null and claimed_by is not null and claimed_at is not null and leased_until is not null)
    ),
    constraint delivery_unleased_holds_no_claim check (
        state = 'leased' or (claim_id is null and claimed_by is null and claimed_at is null and leased_until is null)
    ),
    constraint delivery_closed_iff_settled check (
        (state in ('delivered', 'skipped', 'dead', 'cancelled')) = (settled_at is not null)
    ),
    constraint delivery_closed_says_why check (
        state not in ('skipped', 'dead', 'cancelled') or reason is not null
    ),
    constraint delivery_counts_not_negative check (attempts >= 0 and deeds >= 0 and tries >= attempts),
    constraint delivery_news_only_grows check (news >= 1 and news_at_claim between 0 and news)
);

-- Read by receive(): where does this subject's news go? And the law itself: one open debt per subject.
create unique index delivery_open_by_subject on delivery (connection, subject)
    where state in ('pending', 'leased', 'in_doubt');
-- Read by claim(): equality on connection and urgency, a range on due_at, so that future rows are never walked.
create index delivery_due on delivery (connection, urgency, due_at)
    where state in ('pending', 'in_doubt');
-- Read by rescue().
create index delivery_lease_end on delivery (leased_until) where state = 'leased';
-- Read by the admin lists, newest first (ids are UUIDv7, so id order is time order).
create index delivery_by_subject on delivery (connection, subject, id desc);
create index delivery_by_state on delivery (state, id desc);

comment on table delivery is 'The debt to bring one subject into step in the opposite system; at most one open per subject';
comment on column delivery.id is 'UUIDv7: sorts by creation';
comment on column delivery.connection is 'Whose subject it is';
comment on column delivery.kind is 'order, stock or product: which flow pays it';
comment on column delivery.subject is 'kind:key, as order:1042, stock:ABC-1, product:77; the unit of ordering';
comment on column delivery.state is 'pending, leased, in_doubt (open); delivered, skipped, dead, cancelled (closed)';
comment on column delivery.reason is 'Closed reason code of the last settlement; docs/problems.md explains each';
comment on column delivery.urgency is '0 live orders, 1 stock, 2 products, 3 finds of sweeps and replays';
comment on column delivery.attempts is 'Failed or lost attempts that count towards the limit; a snooze gives its own back';
comment on column delivery.tries is 'Claims ever taken; numbers the attempt rows';
comment on column delivery.deeds is 'Deeds done in this debt; a bound on a far side that never comes to rest';
comment on column delivery.news is 'Events about this subject while the debt is open';
comment on column delivery.news_at_claim is 'news as the claim saw it: more at settle means due again';
comment on column delivery.due_at is 'Not claimed before this time';
comment on column delivery.claim_id is 'Fence: drawn anew at each claim; only its holder may settle';
comment on column delivery.claimed_by is 'Name of the worker process that holds the claim';
comment on column delivery.claimed_at is 'When the claim was taken';
comment on column delivery.leased_until is 'After this the claim may be rescued: an attempt that never came back is a maybe';
comment on column delivery.replay_of is 'The closed delivery that a person replayed with this one';
comment on column delivery.created_at is 'When the debt was opened';
comment on column delivery.settled_at is 'When it was closed; null while open';

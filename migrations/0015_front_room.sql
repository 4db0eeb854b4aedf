-- What the dashboard needs of its own: who is signed in, what was replayed together, and shipping rules made by hand.

create table session (
    digest text primary key,
    token_name text not null,
    token_sha256 text not null,
    csrf text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,

    constraint session_digest_is_sha256 check (digest ~ '^[0-9a-f]{64}$'),
    constraint session_ends_after_it_begins check (expires_at > created_at)
);

comment on table session is 'Who is signed in on the dashboard';
comment on column session.digest is 'Hex of the SHA-256 of the cookie''s value: who reads this table cannot sign in with it';
comment on column session.token_name is 'The admin token that was shown at the sign-in';
comment on column session.token_sha256 is 'Its digest as configured then: a session ends with its token';
comment on column session.csrf is 'What every form of the session carries';
comment on column session.created_at is 'When the person signed in';
comment on column session.expires_at is 'The session is over then';

create table replay (
    id uuid primary key,
    actor text not null,
    filter jsonb not null,
    deliveries uuid[] not null,
    opened uuid[] not null,
    created_at timestamptz not null,
    cancelled_at timestamptz,
    cancelled_by text,

    constraint replay_opened_are_among_its_deliveries check (opened <@ deliveries),
    constraint replay_cancelled_by_someone check ((cancelled_at is null) = (cancelled_by is null))
);

comment on table replay is 'Deliveries that were replayed together';
comment on column replay.id is 'UUIDv7';
comment on column replay.actor is 'Who asked';
comment on column replay.filter is 'What was asked for: the filter of the list, or ids';
comment on column replay.deliveries is 'The deliveries that look again, each subject once';
comment on column replay.opened is 'Those that the replay opened itself; the others were open already and got it as news';
comment on column replay.created_at is 'When it was asked';
comment on column replay.cancelled_at is 'When a person called off what had not begun yet';
comment on column replay.cancelled_by is 'Who did';

create table shipping_rule (
    connection text not null references connection (name),
    pattern text not null,
    code text not null,
    pickup boolean not null,
    made_by text not null,
    made_at timestamptz not null,

    constraint shipping_rule_pkey primary key (connection, pattern),
    constraint shipping_rule_pattern_length check (length(pattern) between 1 and 200),
    constraint shipping_rule_code_length check (length(code) between 1 and 200)
);

comment on table shipping_rule is 'Shipping rules made by hand, for methods that no rule of the configuration matches';
comment on column shipping_rule.connection is 'Whose';
comment on column shipping_rule.pattern is 'A shipping method of the shop: product code or name, * stands for anything';
comment on column shipping_rule.code is 'The warehouse''s shipping code';
comment on column shipping_rule.pickup is 'True where the shop''s pickup points are the carrier''s own';
comment on column shipping_rule.made_by is 'Who made it';
comment on column shipping_rule.made_at is 'When';

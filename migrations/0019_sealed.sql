-- Secrets that we must keep ourselves, sealed under a key from outside: whoever reads the database, or a dump of it, has
-- none of them.

create table sealed_token (
    connection text primary key references connection (name),
    sealed bytea not null,
    updated_at timestamptz not null
);

comment on table sealed_token is 'The OAuth pair of each connection''s OGOship account, sealed';
comment on column sealed_token.connection is 'Whose account';
comment on column sealed_token.sealed is 'Access token, refresh token and when the first ends: [secrets] keys open it';
comment on column sealed_token.updated_at is 'When this pair was issued';

-- Plain pairs are forgotten, not carried over: the password grant makes a new one. Table token goes with a later release,
-- once no process of this one's predecessor can still read it.
delete from token;

create table subscription (
    id uuid primary key,
    connection text not null references connection (name),
    source text not null,
    topic text not null,
    remote_id text not null,
    url text not null,
    sealed_key bytea,
    key_id text,
    made_by text not null,
    made_at timestamptz not null,
    seen_at timestamptz not null,
    removed_at timestamptz,

    constraint subscription_source_known check (source in ('mycashflow', 'ogoship')),
    constraint subscription_key_has_an_id check ((sealed_key is null) = (key_id is null))
);

create unique index subscription_by_remote_id on subscription (connection, source, remote_id);

comment on table subscription is 'Webhook subscriptions that we made at the two systems';
comment on column subscription.id is 'UUIDv7';
comment on column subscription.connection is 'For whom';
comment on column subscription.source is 'At which system: whose webhooks it brings';
comment on column subscription.topic is 'What it tells of, in that system''s words';
comment on column subscription.remote_id is 'Its id there';
comment on column subscription.url is 'What it calls; the token of the path is left out';
comment on column subscription.sealed_key is 'The key that its webhooks are signed with, sealed; null where nobody gave us one to keep it under';
comment on column subscription.key_id is 'Tells the key from others, and does not give it away';
comment on column subscription.made_by is 'Who registered it: a token''s name, or watch';
comment on column subscription.made_at is 'When';
comment on column subscription.seen_at is 'When it was last in that system''s list';
comment on column subscription.removed_at is 'When we removed it; its key counts for a day longer, for what is on its way';

-- OGOship's OAuth pair. Its refresh token works once, so the new pair is committed here before it is used: a crash
-- between refresh and use would otherwise lock us out until the password grant.
create table token (
    connection text primary key,
    access_token text not null,
    refresh_token text,
    expires_at timestamptz not null,
    updated_at timestamptz not null,

    constraint token_connection_known foreign key (connection) references connection (name)
);

comment on table token is 'The OAuth pair of each connection''s OGOship account';
comment on column token.connection is 'Whose account';
comment on column token.access_token is 'Bearer token, about 90 minutes; secret';
comment on column token.refresh_token is 'Good for one refresh within two weeks; secret';
comment on column token.expires_at is 'When the access token ends by its expires_in';
comment on column token.updated_at is 'When this pair was issued';

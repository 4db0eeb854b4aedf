-- Keys, secrets and people: what is needed to verify webhooks, to sign in, and to see who did what. Secrets are sealed under
-- a key from outside the database, so a dump holds none of them.
create table sealed_token (
    connection text not null,
    sealed bytea not null,
    updated_at timestamptz not null,

    constraint sealed_token_pkey primary key (connection),
    constraint sealed_token_connection_known foreign key (connection) references connection (name)
);

comment on table sealed_token is 'The OAuth tokens of each connection''s OGOship account, sealed';
comment on column sealed_token.connection is 'Connection of the account';
comment on column sealed_token.sealed is 'Access token, refresh token and expiry; the keys of [secrets] open it';
comment on column sealed_token.updated_at is 'When these tokens were issued';

create table subscription (
    id uuid not null,
    connection text not null,
    source text not null,
    topic text not null,
    remote_id text not null,
    url text not null,
    sealed_key bytea,
    key_id text,
    created_by text not null,
    created_at timestamptz not null,
    seen_at timestamptz not null,
    removed_at timestamptz,

    constraint subscription_pkey primary key (id),
    constraint subscription_connection_known foreign key (connection) references connection (name),
    constraint subscription_source_known check (source in ('mycashflow', 'ogoship')),
    constraint subscription_key_iff_key_id check ((sealed_key is null) = (key_id is null))
);

create unique index subscription_by_remote_id on subscription (connection, source, remote_id);

comment on table subscription is 'Webhook subscriptions that Silta made at the two vendors';
comment on column subscription.id is 'UUIDv7';
comment on column subscription.connection is 'Connection that it serves';
comment on column subscription.source is 'The vendor that sends its webhooks';
comment on column subscription.topic is 'The events it covers, in that vendor''s words';
comment on column subscription.remote_id is 'Its id at the vendor';
comment on column subscription.url is 'The URL that it calls, without the token of the path';
comment on column subscription.sealed_key is 'The key that signs its webhooks, sealed; null where [secrets] has no key to seal it with';
comment on column subscription.key_id is 'Tells the key from others without giving it away';
comment on column subscription.created_by is 'Who registered it: a token''s name, or watch';
comment on column subscription.created_at is 'When it was registered';
comment on column subscription.seen_at is 'When it was last in that vendor''s list';
comment on column subscription.removed_at is 'When Silta removed it; its key counts for a day longer, for webhooks on their way';

create table key_usage (
    connection text not null,
    purpose text not null,
    key_id text not null,
    first_seen_at timestamptz not null,
    last_used_at timestamptz,
    uses bigint not null default 0,

    constraint key_usage_pkey primary key (connection, purpose, key_id),
    constraint key_usage_purpose_known check (purpose in ('mycashflow_webhook', 'ogoship_webhook', 'admin_token')),
    constraint key_usage_count_iff_used check ((uses = 0) = (last_used_at is null))
);

comment on table key_usage is 'When each key was first configured and last used: what must be known before it is removed';
comment on column key_usage.connection is 'Connection of the key; empty for admin tokens';
comment on column key_usage.purpose is 'mycashflow_webhook, ogoship_webhook or admin_token';
comment on column key_usage.key_id is 'Eight hex digits of a keyed digest, or an admin token''s name: tells keys apart without giving one away';
comment on column key_usage.first_seen_at is 'When a configuration first had it';
comment on column key_usage.last_used_at is 'When it was last used; written every few seconds';
comment on column key_usage.uses is 'How often it was used';

create table rejected_webhook (
    connection text not null,
    source text not null,
    hint text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    count bigint not null,

    constraint rejected_webhook_pkey primary key (connection, source, hint),
    constraint rejected_webhook_connection_known foreign key (connection) references connection (name),
    constraint rejected_webhook_source_known check (source in ('mycashflow', 'ogoship')),
    constraint rejected_webhook_count_positive check (count > 0)
);

comment on table rejected_webhook is 'Counts of webhooks whose signature was rejected, by what seems wrong with them';
comment on column rejected_webhook.connection is 'Connection that they were sent to';
comment on column rejected_webhook.source is 'The vendor that they claim to come from';
comment on column rejected_webhook.hint is 'header_missing, other_header, not_a_signature, other_encoding, altered_body or wrong_key';
comment on column rejected_webhook.first_at is 'Time of the first one';
comment on column rejected_webhook.last_at is 'Time of the last one; written every few seconds';
comment on column rejected_webhook.count is 'How many';

create table signature_detection (
    connection text not null,
    source text not null,
    wanted_until timestamptz not null,
    requested_by text not null,
    detected_at timestamptz,
    headers text[],
    found jsonb,

    constraint signature_detection_pkey primary key (connection, source),
    constraint signature_detection_connection_known foreign key (connection) references connection (name),
    constraint signature_detection_source_known check (source in ('mycashflow', 'ogoship')),
    constraint signature_detection_result_complete check (
        (detected_at is null) = (headers is null) and (detected_at is null) = (found is null)
    )
);

comment on table signature_detection is 'How a sender signs, found from one rejected webhook';
comment on column signature_detection.connection is 'Connection that it is sent to';
comment on column signature_detection.source is 'The vendor that sends it';
comment on column signature_detection.wanted_until is 'The next rejected webhook before this time is examined';
comment on column signature_detection.requested_by is 'Who asked';
comment on column signature_detection.detected_at is 'When a webhook was examined';
comment on column signature_detection.headers is 'Names of its headers, never their values';
comment on column signature_detection.found is 'Which header holds an HMAC of the body, by which hash, encoding and key: names only';

create table session (
    digest text not null,
    token_name text not null,
    token_sha256 text not null,
    csrf text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,

    constraint session_pkey primary key (digest),
    constraint session_digest_is_sha256 check (digest ~ '^[0-9a-f]{64}$'),
    constraint session_expires_after_start check (expires_at > created_at)
);

comment on table session is 'Sign-ins to the dashboard';
comment on column session.digest is 'Hex SHA-256 of the cookie''s value: the table alone lets nobody sign in';
comment on column session.token_name is 'The admin token used to sign in';
comment on column session.token_sha256 is 'Its digest as configured then: a session ends when its token is removed or changed';
comment on column session.csrf is 'Token that every form of the session carries';
comment on column session.created_at is 'When the session began';
comment on column session.expires_at is 'When the session ends';

create table audit (
    id uuid not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    connection text,
    subject text,
    detail jsonb not null default '{}',

    constraint audit_pkey primary key (id)
);

comment on table audit is 'Every change that a person made; append-only';
comment on column audit.id is 'UUIDv7: sorts by time';
comment on column audit.at is 'When';
comment on column audit.actor is 'Name of the admin token, or cli:ACCOUNT';
comment on column audit.action is 'As task.replay or connection.pause';
comment on column audit.connection is 'The connection, where it concerns one';
comment on column audit.subject is 'What was changed: a task id, an event id, a subject';
comment on column audit.detail is 'Numbers and ids that explain it; never personal data';

create table idempotency (
    actor text not null,
    key text not null,
    request_hash text not null,
    status smallint,
    body jsonb,
    created_at timestamptz not null,

    constraint idempotency_pkey primary key (actor, key),
    constraint idempotency_answer_complete check ((status is null) = (body is null))
);

comment on table idempotency is 'Answers given to admin requests with an Idempotency-Key, so that a repeated one changes nothing';
comment on column idempotency.actor is 'Name of the admin token: keys of different tokens never meet';
comment on column idempotency.key is 'The Idempotency-Key header';
comment on column idempotency.request_hash is 'SHA-256 of method, path and body: another request under the same key is rejected';
comment on column idempotency.status is 'HTTP status answered; null while the first request runs';
comment on column idempotency.body is 'JSON answered; null while the first request runs';
comment on column idempotency.created_at is 'When the key was first used';

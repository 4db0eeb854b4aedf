-- Who did what by hand, and the memory behind the Idempotency-Key header of the admin API.
create table audit (
    id uuid primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    connection text,
    subject text,
    detail jsonb not null default '{}'
);

create table idempotency (
    actor text not null,
    key text not null,
    request_hash text not null,
    status smallint,
    body jsonb,
    created_at timestamptz not null,

    constraint idempotency_pkey primary key (actor, key),
    constraint idempotency_answer_whole check ((status is null) = (body is null))
);

comment on table audit is 'Every change a person made; append-only';
comment on column audit.id is 'UUIDv7: sorts by time';
comment on column audit.at is 'When';
comment on column audit.actor is 'The admin token''s name, or cli:ACCOUNT';
comment on column audit.action is 'As delivery.replay or connection.pause';
comment on column audit.connection is 'Whose, where it concerns one connection';
comment on column audit.subject is 'What it was done to: a delivery id, an event id, a subject';
comment on column audit.detail is 'Numbers and ids that explain it; never personal data';
comment on table idempotency is 'Answers given to keyed admin requests, so that a repeated one changes nothing';
comment on column idempotency.actor is 'Keys of different tokens never meet';
comment on column idempotency.key is 'The Idempotency-Key header';
comment on column idempotency.request_hash is 'SHA-256 of method, path and body: another request under the same key is refused';
comment on column idempotency.status is 'HTTP status answered; null while the first request runs';
comment on column idempotency.body is 'JSON answered; null while the first request runs';
comment on column idempotency.created_at is 'When the key was first used';

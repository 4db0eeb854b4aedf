-- What the porch has seen, for people who connect a store or change a key: which key is still used, why webhooks are
-- refused, and how an unknown sender signs. Few rows, made of what is configured; no webhook makes one of its own.

create table key_use (
    connection text not null,
    purpose text not null,
    key_id text not null,
    first_seen_at timestamptz not null,
    last_used_at timestamptz,
    uses bigint not null default 0,

    constraint key_use_pkey primary key (connection, purpose, key_id),
    constraint key_use_purpose_known check (purpose in ('mycashflow_webhook', 'ogoship_webhook', 'admin_token')),
    constraint key_use_counted_when_used check ((uses = 0) = (last_used_at is null))
);

comment on table key_use is 'How old each key is, and whether anybody still uses it: what must be known before it is taken away';
comment on column key_use.connection is 'Whose; empty for admin tokens';
comment on column key_use.purpose is 'What it opens: mycashflow_webhook, ogoship_webhook or admin_token';
comment on column key_use.key_id is 'Eight hex digits of a keyed digest, or an admin token''s name: tells keys apart, and gives none away';
comment on column key_use.first_seen_at is 'When a configuration first had it';
comment on column key_use.last_used_at is 'When it last opened; written every few seconds';
comment on column key_use.uses is 'How often it has opened';

create table refusal (
    connection text not null references connection (name),
    source text not null,
    hint text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    count bigint not null,

    constraint refusal_pkey primary key (connection, source, hint),
    constraint refusal_source_known check (source in ('mycashflow', 'ogoship')),
    constraint refusal_counted check (count > 0)
);

comment on table refusal is 'Webhooks whose signature was refused, by what seems to be wrong with them';
comment on column refusal.connection is 'To whom they were sent';
comment on column refusal.source is 'Who they say they are from';
comment on column refusal.hint is 'header_missing, other_header, not_a_signature, other_encoding, altered_body or wrong_key';
comment on column refusal.first_at is 'The first one';
comment on column refusal.last_at is 'The last one; written every few seconds';
comment on column refusal.count is 'How many';

create table lesson (
    connection text not null references connection (name),
    source text not null,
    until timestamptz not null,
    asked_by text not null,
    learnt_at timestamptz,
    headers text[],
    found jsonb,

    constraint lesson_pkey primary key (connection, source),
    constraint lesson_source_known check (source in ('mycashflow', 'ogoship')),
    constraint lesson_learnt_whole check ((learnt_at is null) = (headers is null) and (learnt_at is null) = (found is null))
);

comment on table lesson is 'How a sender signs, learnt from one webhook that was refused';
comment on column lesson.connection is 'To whom it is sent';
comment on column lesson.source is 'Who sends it';
comment on column lesson.until is 'The next refused webhook before this time is learnt from';
comment on column lesson.asked_by is 'Who wants to know';
comment on column lesson.learnt_at is 'When one came';
comment on column lesson.headers is 'The names of its headers, never their values';
comment on column lesson.found is 'Which header holds an HMAC of the body, by which hash, encoding and key: names only';

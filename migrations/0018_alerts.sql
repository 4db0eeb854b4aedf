-- What somebody should know, and who was told. An alert is opened by what is wrong, once however much of it there is,
-- and closed by its being right again; each message about it is a row until it has arrived.

create table alert (
    id uuid primary key,
    connection text not null references connection (name),
    kind text not null,
    seen_at timestamptz not null,
    told_at timestamptz,
    closed_at timestamptz,
    count bigint not null,
    detail text not null,

    constraint alert_kind_known check (kind in (
        'dead', 'connection_held', 'stock_braked', 'sweep_stopped', 'backlog_old', 'silent', 'webhooks_refused',
        'subscription_gone'
    )),
    constraint alert_counts_something check (count > 0),
    constraint alert_closed_after_it_was_told check (closed_at is null or told_at is not null)
);

create unique index alert_open on alert (connection, kind) where closed_at is null;

comment on table alert is 'What is, or was, wrong with a connection';
comment on column alert.id is 'UUIDv7';
comment on column alert.connection is 'Whose';
comment on column alert.kind is 'A heading of docs/runbook.md';
comment on column alert.seen_at is 'When it was first seen';
comment on column alert.told_at is 'When it was last told; null while it may still mend itself unheard';
comment on column alert.closed_at is 'When it was right again';
comment on column alert.count is 'How many deliveries, sweeps, orders …';
comment on column alert.detail is 'What exactly, in codes; names no person';

create table notice (
    id uuid primary key,
    alert_id uuid not null references alert (id) on delete cascade,
    channel text not null,
    word text not null,
    count bigint not null,
    detail text not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    tries integer not null default 0,
    sent_at timestamptz,
    given_up_at timestamptz,
    last_error text,

    constraint notice_word_known check (word in ('opened', 'reminded', 'closed')),
    constraint notice_ends_once check (sent_at is null or given_up_at is null),
    constraint notice_tries_not_negative check (tries >= 0)
);

create index notice_due on notice (due_at) where sent_at is null and given_up_at is null;
create index notice_of_alert on notice (alert_id);

comment on table notice is 'A message about an alert to one channel, kept until it has arrived';
comment on column notice.id is 'UUIDv7; the webhook-id of Standard Webhooks, the same on every try';
comment on column notice.alert_id is 'About what';
comment on column notice.channel is 'The channel''s name in the configuration';
comment on column notice.word is 'opened, reminded or closed';
comment on column notice.count is 'As it was then';
comment on column notice.detail is 'As it was then';
comment on column notice.created_at is 'When it was written';
comment on column notice.due_at is 'Not sent before; moved on while somebody sends it';
comment on column notice.tries is 'How often it was tried';
comment on column notice.sent_at is 'When the channel took it';
comment on column notice.given_up_at is 'When it was given up: the channel is gone, or took nothing for a day, or the alert closed first';
comment on column notice.last_error is 'Why the last try failed';

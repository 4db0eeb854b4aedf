-- Alerts and their notifications. One alert is open per connection and kind, however much is wrong; it closes when that is
-- right again. Each message about it is a row until a channel accepted it.
create table alert (
    id uuid not null,
    connection text not null,
    kind text not null,
    seen_at timestamptz not null,
    notified_at timestamptz,
    closed_at timestamptz,
    count bigint not null,
    detail text not null,

    constraint alert_pkey primary key (id),
    constraint alert_connection_known foreign key (connection) references connection (name),
    constraint alert_kind_known check (
        kind in (
            'dead', 'circuit_open', 'stock_braked', 'poll_stopped', 'backlog_old', 'silent',
            'webhooks_refused', 'subscription_gone'
        )
    ),
    constraint alert_count_positive check (count > 0),
    constraint alert_closed_after_notified check (closed_at is null or notified_at is not null)
);

create unique index alert_open on alert (connection, kind)
    where closed_at is null;

comment on table alert is 'What is, or was, wrong with a connection';
comment on column alert.id is 'UUIDv7';
comment on column alert.connection is 'Connection concerned';
comment on column alert.kind is 'A heading of docs/runbook.md';
comment on column alert.seen_at is 'When it was first seen';
comment on column alert.notified_at is 'When channels were last notified; null within the grace period';
comment on column alert.closed_at is 'When it was right again';
comment on column alert.count is 'How many tasks, polls, orders …';
comment on column alert.detail is 'What exactly, in codes; names no person';

create table notification (
    id uuid not null,
    alert_id uuid not null,
    channel text not null,
    kind text not null,
    count bigint not null,
    detail text not null,
    created_at timestamptz not null,
    due_at timestamptz not null,
    attempts integer not null default 0,
    sent_at timestamptz,
    given_up_at timestamptz,
    last_error text,

    constraint notification_pkey primary key (id),
    constraint notification_alert_known foreign key (alert_id) references alert (id) on delete cascade,
    constraint notification_kind_known check (kind in ('opened', 'reminded', 'closed')),
    constraint notification_ends_once check (sent_at is null or given_up_at is null),
    constraint notification_attempts_not_negative check (attempts >= 0)
);

create index notification_due on notification (due_at)
    where sent_at is null and given_up_at is null;
create index notification_by_alert on notification (alert_id);

comment on table notification is 'A message about an alert to one channel, kept until it is sent or given up';
comment on column notification.id is 'UUIDv7; the webhook-id of Standard Webhooks, the same on every attempt';
comment on column notification.alert_id is 'The alert';
comment on column notification.channel is 'The channel''s name in the configuration';
comment on column notification.kind is 'opened, reminded or closed';
comment on column notification.count is 'The alert''s count when it was written';
comment on column notification.detail is 'The alert''s detail when it was written';
comment on column notification.created_at is 'When it was written';
comment on column notification.due_at is 'Not sent before this time; moved on while a process sends it';
comment on column notification.attempts is 'How often sending was attempted';
comment on column notification.sent_at is 'When the channel accepted it';
comment on column notification.given_up_at is 'When it was given up: the channel is gone, accepted nothing for a day, or the alert closed first';
comment on column notification.last_error is 'Why the last attempt failed';

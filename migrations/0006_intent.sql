-- What a person asked for a subject. An intent is input to decide(); it does nothing by itself.
create table intent (
    id uuid primary key,
    connection text not null,
    subject text not null,
    action text not null,
    actor text not null,
    created_at timestamptz not null,

    constraint intent_connection_known foreign key (connection) references connection (name),
    constraint intent_action_known check (action in ('transfer', 'hold', 'release', 'cancel'))
);

create index intent_by_subject on intent (connection, subject, id desc);

comment on table intent is 'What a person asked for a subject; read by decide()';
comment on column intent.id is 'UUIDv7: the latest wins';
comment on column intent.connection is 'Whose subject it is';
comment on column intent.subject is 'kind:key';
comment on column intent.action is 'transfer, hold, release or cancel';
comment on column intent.actor is 'The admin token''s name';
comment on column intent.created_at is 'When it was asked';

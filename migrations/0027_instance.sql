-- The doctor asks the public URL whether it leads to this Silta and not to another server: the answer is signed with a key that
-- the processes of one database share.

create table instance (
    is_only boolean not null default true,
    key bytea not null,
    created_at timestamptz not null,

    constraint instance_pkey primary key (is_only),
    constraint instance_is_only check (is_only),
    constraint instance_key_is_sha256 check (octet_length(key) = 32)
);

comment on table instance is 'What tells this Silta from every other one';
comment on column instance.is_only is 'Always true: there is one row';
comment on column instance.key is 'Random; signs in /livez that a process works on this database, and opens nothing';
comment on column instance.created_at is 'When it was drawn: at the first start, and after a restore';

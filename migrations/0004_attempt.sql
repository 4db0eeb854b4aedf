-- One row per try at a delivery, written in the transaction that settles it (or by rescue for one that never came
-- back). Append-only: the diary from which every order answers "why is it where it is?".
create table attempt (
    delivery_id uuid not null,
    number integer not null,
    claim_id uuid not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    outcome text not null,
    reason text,
    deed text,
    idempotency_key text,
    detail text,
    calls jsonb not null default '[]',

    constraint attempt_pkey primary key (delivery_id, number),
    constraint attempt_of_a_delivery foreign key (delivery_id) references delivery (id),
    constraint attempt_number_from_one check (number >= 1),
    constraint attempt_outcome_known check (
        outcome in (
            'done', 'in_step', 'skipped', 'waiting', 'retryable', 'snoozed', 'ambiguous', 'permanent',
            'connection_fault', 'lost', 'resolved'
        )
    ),
    constraint attempt_ends_after_it_started check (ended_at >= started_at),
    constraint attempt_key_belongs_to_a_deed check (idempotency_key is null or deed is not null),
    constraint attempt_once_per_claim unique (claim_id)
);

comment on table attempt is 'One try at a delivery: what was decided, sent and answered; append-only';
comment on column attempt.delivery_id is 'The delivery tried';
comment on column attempt.number is 'From 1; a snoozed try has its number too';
comment on column attempt.claim_id is 'The claim under which it ran';
comment on column attempt.started_at is 'When the claim was taken';
comment on column attempt.ended_at is 'When its outcome was known; for a lost one, when it was rescued';
comment on column attempt.outcome is 'What it came to, see src/domain/task/outcome.rs';
comment on column attempt.reason is 'Closed reason code; docs/problems.md explains each';
comment on column attempt.deed is 'The one thing decided on, as place or complete; null when nothing was to be done';
comment on column attempt.idempotency_key is 'The key sent with the deed: the same on every resend of the same deed';
comment on column attempt.detail is 'Plain words for a person; never names, addresses or secrets';
comment on column attempt.calls is 'Every call in order: system, method, path, status, milliseconds, how it failed';

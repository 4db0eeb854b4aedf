-- What anybody can send opens no alert and ends no detection: rejected webhooks are an alert from a number on that is counted
-- since the last accepted one, and a webhook that no known key has signed leaves only the names of its headers.
alter table rejected_webhook add column since_accepted bigint not null default 0;

comment on column rejected_webhook.since_accepted is
    'How many since a webhook of this vendor was last accepted, each within a day of the one before';
comment on column rejected_webhook.hint is
    'header_missing, other_header, not_a_signature, other_encoding, altered_body, wrong_key or not_examined';

alter table signature_detection add column unsigned_headers text[];

comment on column signature_detection.unsigned_headers is
    'Names of the headers of the last examined webhook that no known key has signed';
comment on column signature_detection.detected_at is 'When a webhook was examined that a known key has signed';
comment on column signature_detection.wanted_until is 'Rejected webhooks before this time are examined';

-- An operator who waits for a webhook to detect its signature sees when one comes with a wrong token in its path: the address
-- that is registered at the vendor is another one then, and no signature is ever looked at.
alter table signature_detection add column wrong_tokens bigint not null default 0;
alter table signature_detection add column wrong_token_at timestamptz;
alter table signature_detection add constraint signature_detection_wrong_tokens_dated check (
    wrong_tokens >= 0 and (wrong_tokens = 0) = (wrong_token_at is null)
);

comment on column signature_detection.wrong_tokens is
    'How many webhooks came with a wrong token in their path since it was asked for, of which one a second counts';
comment on column signature_detection.wrong_token_at is 'When the last of them came';

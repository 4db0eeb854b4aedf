-- Replicas whose clocks differ share one rate: the times of the row are the database's, and each replica translates.
comment on column rate_limit.granted_at is 'When calls of the last second were granted, or will be made, by the database''s clock: microseconds since 1970';
comment on column rate_limit.blocked_until is 'The vendor asked for no calls until then, by the database''s clock';
comment on column rate_limit.lowered_at is 'When the vendor last answered 429, by the database''s clock';

-- An operator can cancel a sync. One asked for from the year 109 had to be waited for, and blocked every other of its kind:
-- no shop is that old, so such a day is a slip of the pen, and no row has one any more.
alter table sync drop constraint sync_state_known;
alter table sync add constraint sync_state_known check (state in ('running', 'done', 'failed', 'cancelled'));

update sync set state = 'cancelled', finished_at = greatest(created_at, coalesce(started_at, created_at)),
    claim_id = null, leased_until = null
where state = 'running' and since < timestamptz '2000-01-01 00:00:00+00';
update sync set since = timestamptz '2000-01-01 00:00:00+00' where since < timestamptz '2000-01-01 00:00:00+00';
alter table sync add constraint sync_since_possible check (since >= timestamptz '2000-01-01 00:00:00+00');

comment on column sync.state is 'running (also while it waits for its turn), done, failed or cancelled';
comment on column sync.finished_at is 'When it ended, whichever way';

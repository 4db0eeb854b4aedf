-- A stretch of a list that stays unreadable is an alert: until then it was read again with growing waits, and nobody heard
-- of it.
alter table alert drop constraint alert_kind_known;
alter table alert add constraint alert_kind_known check (
    kind in (
        'dead', 'circuit_open', 'stock_braked', 'poll_stopped', 'list_gap', 'backlog_old', 'silent',
        'webhooks_refused', 'subscription_gone'
    )
);

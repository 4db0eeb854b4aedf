-- Distributes Silta's tables over a Citus cluster. Run it once, on the coordinator, after `silta migrate`.
-- Not enough yet: four tables are refused, and the statements of Silta do not run on it (docs/scaling.md).
-- Rules and reasons: docs/decisions/0007-stay-on-one-postgresql.md. A test compares this file with the schema.
create extension if not exists citus;

-- Small, read everywhere, changed by operators: a copy on every node.
select create_reference_table('connection');
select create_reference_table('shipping_rule');
select create_reference_table('reference_prefix');

-- All rows of one connection are on one node.
select create_distributed_table('task', 'connection');
select create_distributed_table('event', 'connection', colocate_with => 'task');
select create_distributed_table('attempt', 'connection', colocate_with => 'task');
select create_distributed_table('action', 'connection', colocate_with => 'task');
select create_distributed_table('subject_state', 'connection', colocate_with => 'task');
select create_distributed_table('in_flight', 'connection', colocate_with => 'task');
select create_distributed_table('order_line', 'connection', colocate_with => 'task');
select create_distributed_table('intent', 'connection', colocate_with => 'task');
select create_distributed_table('item', 'connection', colocate_with => 'task');
select create_distributed_table('stock_figure', 'connection', colocate_with => 'task');
select create_distributed_table('repeated_code', 'connection', colocate_with => 'task');
select create_distributed_table('poll', 'connection', colocate_with => 'task');
select create_distributed_table('poll_gap', 'connection', colocate_with => 'task');
select create_distributed_table('polled_change', 'connection', colocate_with => 'task');
select create_distributed_table('sealed_token', 'connection', colocate_with => 'task');
select create_distributed_table('rate_limit', 'connection', colocate_with => 'task');

-- The others (alert, audit, idempotency, key_usage, notification, rejected_webhook, replay, replica, retention, session,
-- signature_detection, subscription, sync and its rows) stay on the coordinator: they are small, or live for hours.

-- Silta's tables over a Citus cluster: run once, on the coordinator, after `silta` has brought the schema up.
-- Rules and reasons: docs/decisions/0007-one-server-and-beyond.md. A test holds this file to the schema.
create extension if not exists citus;

-- Small, read by all, changed by people: a copy on every node.
select create_reference_table('connection');
select create_reference_table('shipping_rule');

-- All that is one connection's lies on one node.
select create_distributed_table('task', 'connection');
select create_distributed_table('event', 'connection', colocate_with => 'task');
select create_distributed_table('attempt', 'connection', colocate_with => 'task');
select create_distributed_table('subject_state', 'connection', colocate_with => 'task');
select create_distributed_table('in_flight', 'connection', colocate_with => 'task');
select create_distributed_table('intent', 'connection', colocate_with => 'task');
select create_distributed_table('item', 'connection', colocate_with => 'task');
select create_distributed_table('poll', 'connection', colocate_with => 'task');
select create_distributed_table('poll_gap', 'connection', colocate_with => 'task');
select create_distributed_table('sealed_token', 'connection', colocate_with => 'task');
select create_distributed_table('rate_limit', 'connection', colocate_with => 'task');

-- The others (alert and notification, audit, idempotency, key_usage, lesson, refusal, replay, replica, retention, session, subscription,
-- sync and what hangs on it) stay on the coordinator: they are small, or live for hours.

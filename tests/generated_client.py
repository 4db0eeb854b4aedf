"""What a script would do with the generated client: read, change, meet a refusal."""

import os

from client import AuthenticatedClient
from client.api.admin import (
    list_alerts,
    list_connections,
    list_tasks,
    list_orders,
    pause_connection,
    replay_task,
    resume_connection,
    show_connection,
    show_task,
)
from client.models import Problem

with AuthenticatedClient(base_url=os.environ["SILTA_URL"], token=os.environ["SILTA_TOKEN"]) as silta:
    (connection,) = list_connections.sync(client=silta).items
    assert show_connection.sync(connection.name, client=silta).keys, "keys with their use"
    orders = list_orders.sync(client=silta).items
    assert len(orders) >= 6 and all(order.reference for order in orders), orders
    task = list_tasks.sync(client=silta, limit=1).items[0]
    assert show_task.sync(task.id, client=silta).attempt_list, "its attempts"
    replayed = replay_task.sync_detailed(task.id, client=silta, idempotency_key="client-1")
    assert replayed.status_code in (200, 201), replayed
    again = replay_task.sync_detailed(task.id, client=silta, idempotency_key="client-1")
    assert again.content == replayed.content, "a keyed repeat gets the same answer"
    assert pause_connection.sync(connection.name, client=silta).health == "paused"
    refused = pause_connection.sync(connection.name, client=silta)
    assert isinstance(refused, Problem) and refused.code == "conflict", refused
    assert resume_connection.sync(connection.name, client=silta).health == "ok"
    assert list_alerts.sync(client=silta).items is not None
unknown = AuthenticatedClient(base_url=os.environ["SILTA_URL"], token="nobody")
assert list_connections.sync(client=unknown).code == "unauthenticated"
print("the generated client works")

"""What a running system still has to do by itself."""

from __future__ import annotations

from sqlalchemy import text
from temporalio.service import RPCError, RPCStatusCode

from tests.system.harness import System

OUTBOXES = ("inventory", "fulfillment", "billing", "orders")
"""Orders last: what the others send makes messages there."""

UNSENT = "SELECT kind, order_id FROM outbox WHERE state = 'unsent'"
WAITING = "SELECT kind, order_id FROM deliveries WHERE state IN ('waiting', 'sending')"


def pending(system: System, *order_ids: str) -> list[str]:
    """Unsent messages and mails of all orders, and workflows of these that are at work; empty when only people and timers can go on.

    A workflow that rests before and after the outboxes are read, at the same event, has sent nothing meanwhile.
    """
    if found := _messages(system):
        return found
    before = {order_id: _progress(system, order_id) for order_id in order_ids}
    found = _messages(system)
    after = {order_id: _progress(system, order_id) for order_id in order_ids}
    return found + [
        f"the workflow of {order_id}"
        for order_id, (events, is_at_work) in after.items()
        if is_at_work or before[order_id] != (events, False)
    ]


def _messages(system: System) -> list[str]:
    queries = [*((service, UNSENT) for service in OUTBOXES), ("notifications", WAITING)]
    found = []
    for service, query in queries:
        with system.processes[service].database.reading() as session:
            rows = session.execute(text(query)).all()
        found += [f"{row.kind} of {row.order_id or 'no order'} in {service}" for row in rows]
    return found


def _progress(system: System, order_id: str) -> tuple[int, bool]:
    """How many events the workflow has, and whether it has something to do; none and False before it begins."""
    handle = system.workflow(order_id)
    try:
        found = system.on_loop(handle.describe())
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return 0, False
        raise
    raw = found.raw_description
    return found.history_length, raw.HasField("pending_workflow_task") or bool(raw.pending_activities)

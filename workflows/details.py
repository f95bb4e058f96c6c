"""What the Temporal UI shows of an order: a short table of where it stands and whom it waits for."""

from __future__ import annotations

from datetime import UTC, datetime

from workflows.facts import OrderState
from workflows.messages import Clearance, OrderRef


def due_at(clearance: Clearance) -> datetime | None:
    """When something happens by itself unless somebody acts before."""
    due = clearance.deadline_micros
    return datetime.fromtimestamp(due / 1_000_000, UTC) if due else None


def details(order: OrderRef, state: OrderState, clearance: Clearance) -> str:
    """The table as Markdown."""
    rows = {
        "order": f"{order.number} of {order.customer_name}",
        "total": order.total_text,
        "waits for": state.waiting_for,
        "shipments shipped": str(state.shipped),
        "units backordered": str(state.backordered),
        "delivered": "yes" if state.is_delivered else "no",
        "settled": "yes" if state.is_settled else "no",
    }
    if due := due_at(clearance):
        rows["unless decided"] = f"{clearance.deadline.replace('_', ' ')} at {due:%Y-%m-%d %H:%M} UTC"
    if order.version > 1:
        rows["version"] = str(order.version)
    table = "\n".join(f"| {what} | {how} |" for what, how in rows.items())
    return f"| what | how |\n| --- | --- |\n{table}"

"""What the Temporal UI shows of an order: a short table of where it stands and whom it waits for."""

from __future__ import annotations

from datetime import UTC, datetime

from workflows.facts import OrderState
from workflows.messages import Clearance, OrderRef


def due_at(clearance: Clearance) -> datetime | None:
    """When something happens by itself unless somebody acts before."""
    due = clearance.deadline_micros
    return datetime.fromtimestamp(due / 1_000_000, UTC) if due else None


def details(order: OrderRef, state: OrderState, clearance: Clearance, outcome: str = "") -> str:
    """The table as Markdown; with an `outcome` the order has ended so, and waits for nothing."""
    rows = {
        "order": f"{order.number} of {order.customer_name}",
        "total": order.total_text,
        **({"ended": outcome} if outcome else {"waits for": _waits_for(state, clearance)}),
        "shipments shipped": str(state.shipped),
        "units backordered": "0" if outcome else str(state.backordered),
        "delivered": "yes" if state.is_delivered else "no",
        "settled": "yes" if state.is_settled else "no",
    }
    due = due_at(clearance)
    if due and not outcome:
        rows["unless decided"] = f"{clearance.deadline.replace('_', ' ')} at {due:%Y-%m-%d %H:%M} UTC"
    if order.version > 1:
        rows["version"] = str(order.version)
    table = "\n".join(f"| {what} | {how} |" for what, how in rows.items())
    return f"| what | how |\n| --- | --- |\n{table}"


def _waits_for(state: OrderState, clearance: Clearance) -> str:
    """Whom and what for: the people, by their roles, while they decide; then goods, with what is short, or money."""
    if clearance.waiting_for:
        return clearance.waiting_for
    if not state.backordered or state.is_held or state.is_delivered:
        return state.waiting_for
    short = f"stock for {state.backordered} units"
    return short if state.waiting_for == "stock" else f"{state.waiting_for}; {short}"

"""What the Temporal UI shows of an order: a short table of where it stands and whom it is waiting on."""

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
        **({"ended": outcome} if outcome else {"waiting on": _waiting_on(state, clearance)}),
        "shipments shipped": str(state.shipped),
        "units backordered": "0" if outcome else str(state.backordered),
        "delivered": "yes" if state.is_delivered else "no",
        "settled": "yes" if state.is_settled else "no",
    }
    if clearance.withholding_change_id and not outcome:
        rows["held back"] = "lines that a pending change touches"
    due = due_at(clearance)
    if due and not outcome:
        rows["unless decided"] = f"{clearance.deadline.replace('_', ' ')} at {due:%Y-%m-%d %H:%M} UTC"
    if order.version > 1:
        rows["version"] = str(order.version)
    table = "\n".join(f"| {what} | {how} |" for what, how in rows.items())
    return f"| what | how |\n| --- | --- |\n{table}"


def _waiting_on(state: OrderState, clearance: Clearance) -> str:
    """While people decide, whom the orders service says the order waits for; then the fact that this workflow sleeps for."""
    if clearance.waiting_for:
        return clearance.waiting_for
    return "people who decide" if state.is_held else _next_fact(state)


def _next_fact(state: OrderState) -> str:
    if state.is_delivered:
        return "payment"
    short = f"stock for {state.backordered} units" if state.backordered else ""
    at_work = "" if short and not state.shipped else "warehouse and carrier"
    return "; ".join(filter(None, (at_work, short)))

"""One order for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from cli.output import Column, table, text

_LINES: Sequence[Column] = (
    ("Line", "line_id"), ("SKU", "sku"), ("Ordered", "quantities.ordered>"), ("Price", "unit_price>"), ("Extended", "extended>"),
    ("Cancelled", "quantities.cancelled>"), ("Backordered", "quantities.backordered>"), ("Allocated", "quantities.allocated>"),
    ("Shipped", "quantities.shipped>"), ("Delivered", "quantities.delivered>"), ("Invoiced", "quantities.invoiced>"),
)  # fmt: skip
_DIFFERENCE: Sequence[Column] = (("What", "what"), ("Before", "before>"), ("After", "after>"))
_PARTS: Mapping[str, Sequence[Column]] = {
    "holds": (
        ("Hold", "hold_id"), ("Rule", "code"), ("Owner", "owner_role"), ("Reason", "reason"), ("Released", "released_at"),
        ("By", "released_by"),
    ),
    "shipments": (
        ("Shipment", "number"), ("State", "state"), ("From", "warehouse_id"), ("Promised", "promised_on"), ("Carrier", "carrier"),
        ("Tracking", "tracking_number"),
    ),
    "invoices": (("Invoice", "number"), ("Status", "status"), ("Due", "due_on"), ("Total", "total>"), ("Paid", "paid>")),
}  # fmt: skip


def print_order(out: Console, order: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> None:
    """Where it stands, whom it waits for, its lines, holds, shipments, invoices and history."""
    out.print(
        f"{order['number']} · {order['status']} · {order['customer_name']} · {order['po_number'] or 'no PO'}",
        style="bold",
    )
    out.print(
        f"{order['channel']} {order['channel_ref']} · placed {_moment(order['placed_at'])} · {text(order['totals']['total'])}"
    )
    out.print(" · ".join(f"{axis} {text(value) or 'none'}" for axis, value in order["axes"].items()), style="dim")
    waiting = order["waiting_for"]
    if waiting:
        due = f", due {_moment(waiting['due'])}" if waiting["due"] else ""
        out.print(f"waits for {waiting['who']} since {_moment(waiting['since'])}: {waiting['what']}{due}", markup=False)
    out.print()
    out.print(table(order["lines"], _LINES))
    out.print("\n" + " · ".join(f"{name} {text(amount)}" for name, amount in order["totals"].items()))
    if order.get("change"):
        print_change(out, order["change"])
    for name, columns in _PARTS.items():
        if order[name]:
            out.print()
            out.print(table(order[name], columns))
    out.print()
    for event in history:
        out.print(sentence(event), markup=False, soft_wrap=True)


def print_change(out: Console, change: Mapping[str, Any]) -> None:
    """A change that is on its way, beside what stands."""
    state = change["state"].replace("_", " ")
    out.print(f"\nchange to version {change['to_version']} {state}: {change['reason']}", markup=False)
    out.print(table(change["difference"], _DIFFERENCE))


def sentence(event: Mapping[str, Any]) -> str:
    """One recorded change in a line: when, what, who, why."""
    why = f": {event['why']}" if event["why"] else ""
    whom = f" for {event['acting_for']}" if event.get("acting_for") else ""
    return f"{_moment(event['occurred_at'])}  {event['what']}  by {event['who']}{whom} ({event['role']}){why}"


def _moment(instant: str) -> str:
    return instant[:19].replace("T", " ")

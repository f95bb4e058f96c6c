"""One order for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from cli.output import Column, table, text

_LINES: Sequence[Column] = (
    ("Line", "line_id"), ("SKU", "sku"), ("Ordered", "quantity>"), ("Price", "unit_price>"), ("Extended", "extended>"),
    ("Allocated", "allocated>"), ("Backordered", "backordered>"), ("Shipped", "shipped>"), ("Delivered", "delivered>"),
    ("Invoiced", "invoiced>"),
)  # fmt: skip
_PARTS: Mapping[str, Sequence[Column]] = {
    "holds": (("Hold", "hold_id"), ("Type", "type"), ("Owner", "owner_role"), ("Reason", "reason"), ("Released", "released_at")),
    "shipments": (("Shipment", "number"), ("State", "state"), ("From", "warehouse_id"), ("Carrier", "carrier"), ("Tracking", "tracking_number")),
    "invoices": (("Invoice", "number"), ("Status", "status"), ("Due", "due_on"), ("Total", "total>"), ("Paid", "paid>")),
}  # fmt: skip
_AXES = ("review", "fulfilment", "billing", "payment", "returns")


def print_order(out: Console, order: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> None:
    """Where it stands, whom it waits for, its lines, shipments, invoices, holds and history."""
    out.print(
        f"[bold]{order['number']}[/] · {order['status']} · {order.get('customer_id', '')} · {order.get('channel', '')}"
    )
    out.print(" · ".join(f"{axis} {text(order[axis])}" for axis in _AXES if order.get(axis)))
    waiting = order.get("waiting_for")
    if waiting:
        out.print(f"waits for {text(waiting)}", markup=False)
    out.print()
    out.print(table(order.get("lines", []), _LINES))
    totals = order.get("totals") or {}
    if totals:
        out.print("\n" + " · ".join(f"{name} {text(amount)}" for name, amount in totals.items()))
    for name, columns in _PARTS.items():
        if order.get(name):
            out.print()
            out.print(table(order[name], columns))
    if history:
        out.print()
        for event in history:
            out.print(sentence(event), markup=False, soft_wrap=True)


def sentence(event: Mapping[str, Any]) -> str:
    """One recorded change in a line: when, what, who, why."""
    when = str(event.get("at") or event.get("occurred_at") or "")[:19].replace("T", " ")
    what = str(event.get("what") or event.get("kind") or event.get("status") or "")
    rest = [f"by {event['who']}" if event.get("who") else "", str(event.get("why") or "")]
    return "  ".join(part for part in (when, what, *rest) if part)

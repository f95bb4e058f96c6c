"""One order for a person to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from cli.directory import Names
from cli.output import Column, moment, table, text, words, zoned

_LINES: Sequence[Column] = (
    ("Line", "line_id"), ("SKU", "sku"), ("Ordered", "quantities.ordered>"), ("Price", "unit_price>"), ("Extended", "extended>"),
    ("Canceled", "quantities.cancelled>"), ("Closed", "quantities.closed>"), ("Backordered", "quantities.backordered>"),
    ("Allocated", "quantities.allocated>"),
    ("Shipped", "quantities.shipped>"), ("Delivered", "quantities.delivered>"), ("Invoiced", "quantities.invoiced>"),
)  # fmt: skip
_DIFFERENCE: Sequence[Column] = (("What", "what"), ("Before", "before>"), ("After", "after>"))
_PARTS: Mapping[str, Sequence[Column]] = {
    "holds": (
        ("Hold", "code"), ("Owner", "owner_role~"), ("Reason", "reason"), ("Released", "released_at"), ("By", "released_by"),
        ("Up to", "up_to>"), ("Until", "until"),
    ),
    "shipments": (
        ("Shipment", "number"), ("State", "state~"), ("From", "warehouse_id"), ("Promised", "promised_on"), ("Carrier", "carrier"),
        ("Tracking", "tracking_number"),
    ),
    "invoices": (
        ("Invoice", "number"), ("Status", "status~"), ("Due", "due_on"), ("Total", "total>"), ("Paid", "paid>"),
        ("Discount", "discount_taken>"),
    ),
}  # fmt: skip


def print_order(out: Console, order: Mapping[str, Any], history: Sequence[Mapping[str, Any]], names: Names) -> None:
    """Where it stands, who it is waiting on, its lines, holds, shipments, invoices and history."""
    out.print(
        f"{order['number']} · {words(order['status'])} · {order['customer_name']} · {order['po_number'] or 'no PO'}",
        style="bold",
    )
    reference = f"{words(order['channel'])} {order['channel_ref']}".strip()
    terms = "".join(f" · {said}" for said in _payment(order))
    out.print(f"{reference} · placed {zoned(order['placed_at'])} · {text(order['totals']['total'])}{terms}")
    out.print(
        " · ".join(f"{words(axis)} {words(value) or 'none'}" for axis, value in order["axes"].items()), style="dim"
    )
    if waiting := order["waiting_for"]:
        due = f", due {moment(waiting['due'])}" if waiting["due"] else ""
        who = words(waiting["who"])
        out.print(f"Waiting on {who} since {moment(waiting['since'])}: {waiting['what']}{due}")
    out.print()
    out.print(table(order["lines"], _LINES))
    out.print("\n" + " · ".join(f"{words(name)} {text(amount)}" for name, amount in order["totals"].items()))
    if order.get("discount_minimum"):
        below = ", and taken back when less is kept" if order["claws_back"] else ""
        out.print(f"the discount is given from {text(order['discount_minimum'])} of goods on{below}")
    if order.get("change"):
        print_change(out, order["change"])
    for name, columns in _PARTS.items():
        if order[name]:
            out.print()
            out.print(table([_by_name(row, names) for row in order[name]], columns))
    for said in _packages(order["shipments"]):
        out.print(said)
    out.print()
    for event in history:
        out.print(sentence(event, names), soft_wrap=True)


def _packages(shipments: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    """The packages of each shipment that has several, with their tracking numbers."""
    return [
        f"{shipment['number']} package {package['number']}: tracking number {package['tracking_number']}"
        for shipment in shipments
        if len(shipment.get("packages", ())) > 1
        for package in shipment["packages"]
    ]


def _payment(order: Mapping[str, Any]) -> Sequence[str]:
    """How it is paid, when it is invoiced if not per shipment, and whose bill it is where that is somebody else's."""
    method, payer = order.get("payment_method", "terms"), order.get("bill_to_id")
    how = order.get("terms") if method == "terms" else words(method)
    policy = order.get("invoicing", "per_shipment")
    invoiced = (
        "" if policy == "per_shipment" else "invoiced by hand" if policy == "manual" else f"invoiced {words(policy)}"
    )
    return [said for said in (how, invoiced, payer and f"billed to {payer}") if said]


def print_change(out: Console, change: Mapping[str, Any]) -> None:
    """A change that is on its way, beside what stands."""
    out.print(f"\nchange to version {change['to_version']} {words(change['state'])}: {change['reason']}")
    out.print(table(change["difference"], _DIFFERENCE))


def sentence(event: Mapping[str, Any], names: Names) -> str:
    """One recorded change in a line: when, what, who, why."""
    why = f": {event['why']}" if event["why"] else ""
    who = names.get(event["who"], event["who"])
    giver = event.get("acting_for")
    whom = f" for {names.get(giver, giver)}" if giver else ""
    return f"{moment(event['occurred_at'])}  {words(event['what'])}  by {who}{whom} ({words(event['role'])}){why}"


def _by_name(row: Mapping[str, Any], names: Names) -> Mapping[str, Any]:
    """A row whose people have their names."""
    who = row.get("released_by")
    return {**row, "released_by": names.get(who, who)} if who else row

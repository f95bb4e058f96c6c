"""Tells some orders one after another: each from its recorded history, with the pages to look at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.text import Text

from cli.output import formats, grouped, text, words
from samples.documents import Tour
from samples.door import Person, Row
from services.kernel.formats import Formats

_SENTENCES = {
    "order_placed": "{who} places the order: {lines}, {total}",
    "order_cleared": "Validation passes: price, credit, stock and address are fine",
    "order_held": "Validation puts it on hold: {violations}",
    "order_rejected": "Validation rejects it, with every reason at once: {violations}",
    "review_opened": "It needs approval: {asks}",
    "review_voided": "The approval of the old version ends: the new version needs its own",
    "change_proposed": "{who} proposes a change: {difference}",
    "change_consented": "{who} accepts the change",
    "change_applied": "The change is in force: the order is at version {version}",
    "step_approved": "{who} approves as {step}: “{why}”",
    "stock_reserved": "Stock is reserved",
    "stock_allocated": "Goods arrive and fill the backorder",
    "order_accepted": "Accepted: a mail tells the customer the promised dates, {promised}",
    "shipments_released": "Released to the warehouse: {why}",
    "shipment_picked": "Picked: {why}",
    "shipment_packed": "Packed: {why}",
    "shipment_shipped": "Shipped: {why}",
    "shipment_delivered": "Delivered: {why}",
    "invoice_issued": "Invoiced: {why}",
    "payment_received": "Paid: {why}",
    "deposit_received": "A payment is held for the order: {why}",
    "deposit_invoiced": "The deposit is invoiced: {why}",
    "payment_reversed": "A payment was reversed: {why}",
    "order_closed": "Closed: everything is delivered, invoiced and paid",
    "cancellation_requested": "{who} cancels it: {why}",
    "change_recall_asked": "The warehouse is asked to give it back",
    "change_recalled": "The warehouse gives it back",
    "units_cancelled": "Canceled in part, and what is left stays as it was: {why}",
    "return_requested": "{who} returns goods: {why}",
    "return_authorized": "The return is authorized",
    "return_received": "The warehouse counts what came: {why}",
    "return_inspected": "The warehouse inspects it: {why}",
    "invoice_credited": "Credited: {why}",
    "return_credited": "Stock and money have followed: {why}",
    "return_ended": "The return is done",
    "order_cancelled": "Canceled: no stock, credit or shipment is held for it any more",
}
"""What was recorded → the sentence about it."""

_FIGURE = re.compile(r"[0-9]+\.[0-9]+")
_LEFT_OUT = frozenset(["change_agreed", "change_settled", "order_allocated", "recall_answered", "stock_released"])
"""What says nothing new to a reader."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a reader looks: the console, and the Temporal UI; "" where none answers."""

    console: str
    temporal_ui: str

    def of(self, number: str) -> Iterator[tuple[str, str]]:
        """(what, address) of each page about an order."""
        yield "order page", f"{self.console}/orders/{number}"
        if self.temporal_ui:
            workflow = quote(f"order/{number}", safe="")
            yield "its workflow", f"{self.temporal_ui}/namespaces/default/workflows/{workflow}"


def places(console: str, temporal_ui: str) -> Places:
    """The places of a running system, with the Temporal UI only where it answers."""
    try:
        is_there = httpx.get(temporal_ui, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        is_there = False
    return Places(console, temporal_ui if is_there else "")


def tell(out: Console, reader: Person, tours: Sequence[tuple[Tour, str]], names: Mapping[str, str], at: Places) -> None:
    """Each tour's order (its id beside it), from its history as `reader` sees it; `names` is login → name."""
    for number, (tour, order_id) in enumerate(tours, start=1):
        order = reader.get(f"/v1/orders/{order_id}")
        history = reader.rows(f"/v1/orders/{order_id}/history")
        out.print(f"\n[bold]{number} of {len(tours)}  {tour.title}[/]  {order['number']}, {order['customer_name']}")
        out.print(f"[dim]{tour.about}[/]", soft_wrap=True)
        for line in sentences(order, history, names):
            out.print(Text(f"  {line}"), soft_wrap=True)
        for what, address in at.of(order["number"]):
            out.print(Text(f"  → {what:<13}{address}"), soft_wrap=True)


def sentences(order: Row, history: Sequence[Row], names: Mapping[str, str], form: Formats | None = None) -> list[str]:
    """One line for each thing that happened, with the seconds since the order was placed; like follows like in one line."""
    began = datetime.fromisoformat(order["placed_at"])
    lines = []
    for what, group in groupby((event for event in history if event["what"] not in _LEFT_OUT), key=_kind):
        events = list(group)
        passed = (datetime.fromisoformat(events[0]["occurred_at"]) - began).total_seconds()
        lines.append(f"{max(0.0, passed):5.1f} s  {_sentence(what[0], events, order, names, form or formats())}")
    return lines


def _kind(event: Row) -> tuple[str, str]:
    """What belongs together: the same thing; what people do stays apart."""
    return event["what"], "" if event["role"] == "service" else event["who"]


def _sentence(what: str, events: Sequence[Row], order: Row, names: Mapping[str, str], form: Formats) -> str:
    first, after = events[0], events[0]["after"]
    facts = {
        "who": names.get(first["who"], first["who"]),
        "why": ", ".join(dict.fromkeys(event["why"] for event in events if event["why"])),
        "lines": _count(_lines(after), "line"),
        "total": text({"amount": str(after.get("total", "")), "currency": order["currency"]}),
        "violations": _reasons(order, first["why"]),
        "asks": ", then ".join(after.get("asks", ())),
        "difference": _FIGURE.sub(lambda found: grouped(found[0]), "; ".join(after.get("difference", ()))),
        "version": order["version"],
        "step": after.get("step", ""),
        "promised": _promised(order, form),
    }
    said = _SENTENCES.get(what, f"{words(what).capitalize()}: {{why}}").format(**facts)
    if what == "stock_reserved" and after.get("status") == "backordered":
        said = f"{said} for a part; the rest is backordered"
    return said.removesuffix(": ")


def _lines(after: Row) -> int:
    """How many lines were placed; what a return keeps of its lines is no number."""
    found = after.get("lines", 0)
    return found if isinstance(found, int) else len(found)


def _count(number: int, of: str) -> str:
    return f"{number:,} {of}{'' if number == 1 else 's'}"


def _reasons(order: Row, code: str) -> str:
    """The sentences of what validation found; its codes where a later version has none of them any more."""
    found = [*order["violations"], *({"message": hold["reason"]} for hold in order["holds"] if hold["code"] in code)]
    return " ".join(dict.fromkeys(one["message"] for one in found)) or words(code).lower()


def _promised(order: Row, form: Formats) -> str:
    given = [one["promised_on"] for line in order["lines"] for one in line["promises"]]
    days = sorted({date.fromisoformat(day[:10]) for day in given if day})
    ends = " and ".join(dict.fromkeys(form.day(day) for day in (days[:1] + days[-1:])))
    if not ends:
        return "as stock comes in"
    return ends if all(given) else f"{ends}, the rest as stock comes in"

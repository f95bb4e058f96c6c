"""The timeline, newest first: what people did and the milestones of goods and money; the checks of machines are folded under it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.console import labels
from gateway.console.people import MACHINE, People
from gateway.console.readable import Readable, amount, number
from services.kernel.money import Money
from services.orders.domain.events import Event
from services.orders.domain.fact_details import expected_in, invoices_in, shipments_in
from services.orders.domain.facts import (
    DepositInvoiced,
    Detail,
    InvoiceCredited,
    InvoiceWrittenOff,
    PaymentReceived,
    Shipment,
)
from services.orders.domain.order import Order
from services.orders.domain.stock_facts import StockStanding

PLACED, HELD = "order_placed", "order_held"
_CODED = frozenset({HELD, "order_rejected", "review_opened"})
"""Events whose reason is a list of codes of rules."""
_SHOWN = ("status", "holds")
MOST_PARTS = 20
"""Quantities that an entry lists."""
_STOCK = frozenset({"stock_reserved", "stock_allocated"})
_MILESTONES = {
    "shipments_released": "Released to the warehouse",
    "shipment_shipped": "Shipped",
    "shipment_delivered": "Delivered",
    "shipment_exception": "Carrier exception on",
    "shipment_reversed": "Ship confirm reversed of",
    "shipment_intercepted": "Stopped on its way",
    "shipments_cancelled": "Shipment canceled",
    "invoice_issued": "Invoiced",
    "payment_received": "Paid",
    "deposit_received": "Payment held for the order",
    "deposit_invoiced": "Deposit invoiced",
    "payment_reversed": "Payment reversed",
    "invoice_credited": "Credited",
    "invoice_written_off": "Written off",
    "backordered": "Backordered",
    "stock_expected": "New date for backordered stock",
}
"""What a machine told that everybody wants to see → how the line begins."""
_LEAVES = frozenset({"shipments_released", "shipment_shipped"})
_CARRIED = frozenset({"shipment_shipped", "shipment_exception"})
_ROUTINE = frozenset({"order_cleared", "stock_reserved", "stock_allocated", "stock_released", "credit_granted", "credit_rest_changed", "due_date_set", "shipment_picked",
                      "shipment_packed", "review_rebound"})  # fmt: skip
"""What a machine did and nobody needs to see at once."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a milestone says of one shipment or invoice: its number, and the quantities, places and amounts behind it."""

    number: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: who did what, or the milestone that was reached, and the machine steps that followed it, newest first.

    `is_linked` says whether the page shows the documents that `parts` name.
    """

    sequence: int
    at: datetime
    who: str
    role: str
    what: str
    why: str
    parts: tuple[Part, ...]
    changes: tuple[tuple[str, str, str], ...]
    is_linked: bool
    steps: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Context:
    """What the lines are written with: the order, names of people and warehouses, what facts told, and the company's formats.

    `details` are by fact id; `rules` says in words what a rule's code means; `documents` are the numbers on the page.
    """

    order: Order
    people: People
    warehouses: Mapping[str, str]
    details: Mapping[str, Detail]
    rules: Mapping[str, str]
    documents: Collection[str]
    readable: Readable

    def warehouse(self, shipment: Shipment) -> str:
        """The warehouse that a shipment leaves."""
        return self.warehouses.get(shipment.warehouse_id, shipment.warehouse_id)


def entries(events: Sequence[Event], context: Context) -> list[Entry]:
    """Events, oldest first, as lines, newest first; steps before anything else stand for themselves."""
    heads: list[Entry] = []
    for event in events:
        kind = _kind(event, context)
        entry = _entry(event, kind, context)
        if heads and event.role == MACHINE and kind in _ROUTINE:
            heads[-1].steps.insert(0, entry)
        else:
            heads.append(entry)
    return heads[::-1]


def _kind(event: Event, context: Context) -> str:
    """What happened; a reservation that stock did not suffice for is a backorder."""
    detail = _detail(event, context)
    if event.what in _STOCK and isinstance(detail, StockStanding):
        return "backordered" if any(line.backordered for line in detail.lines.values()) else event.what
    return event.what


def _detail(event: Event, context: Context) -> Detail | None:
    return context.details.get(str(event.after.get("fact_id", "")))


def _entry(event: Event, kind: str, context: Context) -> Entry:
    milestone = _MILESTONES.get(kind, "") if event.role == MACHINE else ""
    parts = _parts(event, kind, context)
    named = {part.number for part in parts if part.number}
    return Entry(
        sequence=event.sequence,
        at=event.occurred_at,
        who="" if milestone else _who(event, context),
        role="" if event.role in (MACHINE, event.who) else event.role,
        what=milestone or _what(event, kind, context),
        why="" if parts else _why(event, context),
        parts=parts,
        changes=_changes(event),
        is_linked=bool(named) and all(one in context.documents for one in named),
    )


def _who(event: Event, context: Context) -> str:
    """Who did it, and by delegation for whom."""
    who, giver = context.people(event.who, event.role), str(event.after.get("acting_for") or "")
    return f"{who} for {context.people(giver)}" if giver else who


def _what(event: Event, kind: str, context: Context) -> str:
    """What somebody did; an order says where it came in."""
    if kind == HELD and event.after.get("status") == "in_review":
        return "sent the order to review"
    channel = f" via {labels.channel(context.order.channel)}" if kind == PLACED else ""
    return f"{labels.event(kind)}{channel}"


def _why(event: Event, context: Context) -> str:
    """The reason as people read it: names for logins, the company's days in what a machine wrote."""
    if event.what == PLACED:  # it names the channel, which the line does already
        return f"on behalf of {context.order.on_behalf_of}" if context.order.on_behalf_of else ""
    if event.what == "review_escalated":
        return ", ".join(context.people(login) for login in event.why.split(", "))
    if event.role != MACHINE:
        return event.why
    if event.what == HELD and event.after.get("status") == "in_review":
        return ""
    return context.readable.sentence(_in_words(event.why, context.rules) if event.what in _CODED else event.why)


def _in_words(codes: str, rules: Mapping[str, str]) -> str:
    """What the rules of these codes say; a code that nobody explains, as words."""
    said = (rules.get(code) or f"{labels.status(code.lower())}." for code in codes.split(", "))
    return " ".join(dict.fromkeys(said))


def _parts(event: Event, kind: str, context: Context) -> tuple[Part, ...]:
    detail = _detail(event, context)
    if event.role != MACHINE or detail is None:
        return ()
    if isinstance(detail, StockStanding):
        return _stock(detail, kind, context)
    if isinstance(detail, PaymentReceived):
        return _payment(detail)
    if isinstance(detail, InvoiceCredited | InvoiceWrittenOff):
        return (_corrected(detail),)
    if isinstance(detail, DepositInvoiced):
        return (Part(detail.number, (_money(detail.amount), *([f"of {detail.corrects}"] if detail.corrects else []))),)
    bills = tuple(Part(one.number, (_money(Money(one.total_minor, one.currency)),)) for one in invoices_in(detail))
    return bills or tuple(Part(one.number, _shipment(one, kind, context)) for one in shipments_in(detail))


def _payment(detail: PaymentReceived) -> tuple[Part, ...]:
    """The invoices that it paid, and behind the last of them what was paid in all."""
    *others, last = [one.number for one in detail.invoices] or [""]
    return (*(Part(number, ()) for number in others), Part(last, (_money(detail.amount),)))


def _corrected(detail: InvoiceCredited | InvoiceWrittenOff) -> Part:
    """The invoice, how much of it, and by which credit note."""
    by = (f"by {detail.number}",) if isinstance(detail, InvoiceCredited) else ()
    return Part(detail.invoice.number, (_money(detail.amount), *by))


def _stock(detail: StockStanding, kind: str, context: Context) -> tuple[Part, ...]:
    """The units that wait, by SKU, and the days on which they are expected."""
    if kind not in _MILESTONES:
        return ()
    skus = {line.line_id: line.sku for line in context.order.lines}
    short = {line_id: line.backordered for line_id, line in detail.lines.items() if line.backordered}
    waiting = [f"{number(units)} × {skus.get(line_id, f'line {line_id}')}" for line_id, units in sorted(short.items())]
    days = [context.readable.day(on) for on in expected_in(detail)]
    return (Part("", (*_few(waiting), *([f"expected {' and '.join(days)}"] if days else []))),)


def _shipment(shipment: Shipment, kind: str, context: Context) -> tuple[str, ...]:
    """Its quantities, where it leaves and who carries it."""
    found = _few([f"{number(line.quantity)} × {line.sku}" for line in shipment.lines])
    if kind in _LEAVES and shipment.warehouse_id and not shipment.is_service:
        found.append(f"from {context.warehouse(shipment)}")
    if kind in _CARRIED and shipment.carrier:
        found.append(f"by {shipment.carrier}")
    if kind in _CARRIED and shipment.tracking_number:
        numbers = [package.tracking_number for package in shipment.packages] or [shipment.tracking_number]
        found.append(f"tracking {', '.join(_few(numbers))}")
    return tuple(found)


def _few(rows: list[str]) -> list[str]:
    """The first of them, and how many more there are: an entry is read at a glance."""
    return rows if len(rows) <= MOST_PARTS else [*rows[:MOST_PARTS], f"and {number(len(rows) - MOST_PARTS)} more"]


def _money(value: Money) -> str:
    return f"{amount(value)} {value.currency}"


def _changes(event: Event) -> tuple[tuple[str, str, str], ...]:
    """(what, before, after) of what people look at, where it differs."""
    found = ((name, _text(event.before.get(name)), _text(event.after.get(name))) for name in _SHOWN)
    return tuple(change for change in found if event.before and change[1] != change[2])


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(labels.status(str(each)) for each in value) or "none"
    return "" if value is None else labels.status(str(value))

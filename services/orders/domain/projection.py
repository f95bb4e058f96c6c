"""What the facts of other services come to for one order: newest wins, so order and repetition do not matter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from services.kernel.errors import InvalidArgument
from services.orders.domain.credit_facts import CreditRestChanged
from services.orders.domain.fact_details import credit_in, held_in, invoices_in, lines_in, shipments_in
from services.orders.domain.facts import (
    KINDS,
    SHIPMENT_REVERSED,
    SOURCING_ASKED,
    STOCK_ALLOCATED,
    Detail,
    Fact,
    Invoice,
    Line,
    RecallAnswered,
    Shipment,
    ShipmentLine,
    ShipmentPackage,
)
from services.orders.domain.order import CANCELLED, EXPIRED, FAILED, REJECTED, Order

Document = TypeVar("Document", Shipment, Invoice)

_COUNTS: Mapping[str, tuple[str, ...]] = {
    "inventory": ("allocated", "backordered", "expected_on", "lead_days", "expected_reference"),
    "fulfillment": ("released", "picked", "packed", "shipped", "delivered", "intercepted"),
    "billing": ("invoiced",),
}
"""Source → what its facts tell of a line."""


_EVERY_ONE = frozenset({STOCK_ALLOCATED, "shipment_shipped", SHIPMENT_REVERSED, "recall_answered", SOURCING_ASKED})
"""Kinds of which each fact is a signal."""


@dataclass(frozen=True, slots=True)
class LineProgress:
    """How far a line has come, cumulative, and the newest sequence heard of it from each source."""

    allocated: int = 0
    backordered: int = 0
    expected_on: str = ""
    released: int = 0
    picked: int = 0
    packed: int = 0
    shipped: int = 0
    delivered: int = 0
    intercepted: int = 0
    invoiced: int = 0
    returned: int = 0
    lead_days: int = 0
    expected_reference: str = ""
    inventory_sequence: int = 0
    fulfillment_sequence: int = 0
    billing_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """Of an order that replaces goods of a return without documents: line id → units that are charged, because theirs did not come.

    While it `is_open` the return may still leave some to be charged.
    """

    is_open: bool = False
    charged: Mapping[str, int] = field(default_factory=dict)

    def is_billed(self, lines: Mapping[str, LineProgress]) -> bool:
        """Whether it is known what is charged, and what of that has left is invoiced."""
        return not self.is_open and all(
            lines[key].invoiced >= min(units, lines[key].shipped) for key, units in self.charged.items() if key in lines
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything heard about an order, by line id, shipment id and invoice id, and its money.

    `held_minor` is the cash held for it; `granted_minor` is the total that its money came for after it waited, zero once that counted;
    `rest_minor` is what of it waits for room under the credit limit, while what fits may ship. `open_returns` are those under way.
    """

    lines: Mapping[str, LineProgress] = field(default_factory=dict)
    shipments: Mapping[str, Shipment] = field(default_factory=dict)
    invoices: Mapping[str, Invoice] = field(default_factory=dict)
    held_minor: int = 0
    held_sequence: int = 0
    granted_minor: int = 0
    credit_sequence: int = 0
    rest_minor: int = 0
    rest_sequence: int = 0
    open_returns: int = 0
    exchange: Exchange | None = None

    @property
    def received_minor(self) -> int:
        """Cash that has come for what the order comes to, in minor units: held for it, or paid on its invoices."""
        return self.held_minor + sum(invoice.paid_minor for invoice in self.bills)

    @property
    def bills(self) -> tuple[Invoice, ...]:
        """The invoices of what the order comes to: a fee is beside that."""
        return tuple(invoice for invoice in self.invoices.values() if not invoice.fee_id)

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        money = [self.held_minor, self.held_sequence, self.granted_minor, self.credit_sequence]
        return {
            **({"money": money} if any(money) else {}),
            **({"rest": [self.rest_minor, self.rest_sequence]} if self.rest_sequence else {}),
            **({"open_returns": self.open_returns} if self.open_returns else {}),
            **({"exchange": [self.exchange.is_open, dict(self.exchange.charged)]} if self.exchange else {}),
            "lines": {key: _members(line, _LINE) for key, line in self.lines.items()},
            "shipments": {key: _shipment_document(shipment) for key, shipment in self.shipments.items()},
            "invoices": {key: _members(invoice, _INVOICE) for key, invoice in self.invoices.items()},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Progress:
        """From what document() gave."""
        held_minor, held_sequence, granted_minor, credit_sequence = document.get("money", (0, 0, 0, 0))
        rest_minor, rest_sequence = document.get("rest", (0, 0))
        return cls(
            held_minor=held_minor,
            held_sequence=held_sequence,
            granted_minor=granted_minor,
            credit_sequence=credit_sequence,
            rest_minor=rest_minor,
            rest_sequence=rest_sequence,
            open_returns=document.get("open_returns", 0),
            exchange=Exchange(*document["exchange"]) if "exchange" in document else None,
            lines={key: LineProgress(**line) for key, line in document["lines"].items()},
            shipments={key: _shipment_of(kept) for key, kept in document["shipments"].items()},
            invoices={key: _invoice_of(kept) for key, kept in document["invoices"].items()},
        )


_LINE, _SHIPMENT, _SHIPMENT_LINE, _PACKAGE, _INVOICE = (
    tuple(member.name for member in fields(kind))
    for kind in (LineProgress, Shipment, ShipmentLine, ShipmentPackage, Invoice)
)


def _members(
    value: LineProgress | Shipment | ShipmentLine | ShipmentPackage | Invoice, names: Iterable[str]
) -> dict[str, Any]:
    """What asdict() gives for values without values inside; the projection is written with every fact, so it must be quick."""
    return {name: getattr(value, name) for name in names}


def _shipment_document(shipment: Shipment) -> dict[str, Any]:
    return {
        **_members(shipment, _SHIPMENT),
        "lines": [_members(line, _SHIPMENT_LINE) for line in shipment.lines],
        "packages": [_members(package, _PACKAGE) for package in shipment.packages],
    }


@dataclass(frozen=True, slots=True)
class LineQuantities:
    """Units of a line; what is closed is not cancelled. Cumulative: delivered <= shipped <= packed <= picked <= released, and allocated counts shipped units."""

    ordered: int
    cancelled: int
    closed: int
    backordered: int
    allocated: int
    released: int
    picked: int
    packed: int
    shipped: int
    delivered: int
    invoiced: int
    returned: int
    expected_on: str
    intercepted: int = 0

    @property
    def arrived(self) -> int:
        """Units that are on their way no more: delivered, or stopped by their carrier."""
        return self.delivered + self.intercepted

    @property
    def wanted(self) -> int:
        """Units that are still to reach the customer or have."""
        return self.ordered - self.cancelled - self.closed

    @property
    def kept(self) -> int:
        """Units that stock is allocated for and that have not left: what a person calls allocated."""
        return self.allocated - self.shipped


def apply(progress: Progress, fact: Fact) -> Progress:
    """The progress after a fact; what it already knows better stays. One without a readable detail is InvalidArgument."""
    detail = fact.detail
    if detail is None or fact.kind not in KINDS.get(fact.source, ()):
        sentence = f"fact {fact.fact_id} of kind {fact.kind} has a detail that orders cannot read"
        raise InvalidArgument("FACT_UNREADABLE", sentence, fact_id=fact.fact_id)
    known = _with_money(progress, detail, fact.sequence)
    return replace(
        known,
        lines=_newer_lines(progress.lines, lines_in(detail), fact),
        shipments=_newest(progress.shipments, {one.shipment_id: one for one in shipments_in(detail)}),
        invoices=_newest(progress.invoices, {one.invoice_id: one for one in invoices_in(detail)}),
    )


def with_returns(progress: Progress, returned: Mapping[str, int], open_returns: int) -> Progress:
    """The progress with what its returns come to: line id → units that have come back, and how many returns are under way."""
    lines = {
        key: replace(progress.lines.get(key, LineProgress()), returned=returned.get(key, 0))
        for key in {**progress.lines, **returned}
    }
    return replace(progress, lines=lines, open_returns=open_returns)


def _with_money(progress: Progress, detail: Detail, sequence: int) -> Progress:
    """The cash held for the order, whether its money is there and what of it waits for that, as the newest fact of each has it."""
    held, granted = held_in(detail), credit_in(detail)
    if held is not None and sequence > progress.held_sequence:
        progress = replace(progress, held_minor=held, held_sequence=sequence)
    if granted is not None and sequence > progress.credit_sequence:
        progress = replace(progress, granted_minor=granted, credit_sequence=sequence)
    if isinstance(detail, CreditRestChanged) and sequence > progress.rest_sequence:
        progress = replace(progress, rest_minor=detail.rest.minor, rest_sequence=sequence)
    return progress


def _newer_lines(
    known: Mapping[str, LineProgress], reported: Mapping[str, Line], fact: Fact
) -> Mapping[str, LineProgress]:
    lines = dict(known)
    mark, names = f"{fact.source}_sequence", _COUNTS[fact.source]
    for line_id, line in reported.items():
        before = lines.get(line_id, LineProgress())
        if fact.sequence > getattr(before, mark):
            counts: dict[str, Any] = {name: getattr(line, name) for name in names}
            counts[mark] = fact.sequence
            lines[line_id] = replace(before, **counts)
    return lines


def _newest(known: Mapping[str, Document], reported: Mapping[str, Document]) -> dict[str, Document]:
    newer = {
        key: document
        for key, document in reported.items()
        if key not in known or known[key].sequence < document.sequence
    }
    return {**known, **newer}


def _shipment_of(kept: Mapping[str, Any]) -> Shipment:
    lines = tuple(ShipmentLine(**line) for line in kept["lines"])
    packages = tuple(ShipmentPackage(**package) for package in kept.get("packages", ()))
    return Shipment(**{**kept, "lines": lines, "packages": packages})


def _invoice_of(kept: Mapping[str, Any]) -> Invoice:
    tuples = {
        name: tuple(tuple(one) for one in kept.get(name, ())) for name in ("installments", "parts", "reversed_parts")
    }
    return Invoice(**{**kept, **tuples, "shipment_ids": tuple(kept.get("shipment_ids", ()))})


def quantities(order: Order, progress: Progress) -> dict[str, LineQuantities]:
    """Units of each line, in line order; what an order that ended early has not shipped counts as cancelled, too.

    After a change inventory may still tell of the version before: nothing beyond what is ordered is shown as held or waiting.
    """
    has_stopped = order.phase in (CANCELLED, REJECTED, EXPIRED, FAILED)
    lines = {}
    for line in order.lines:
        so_far = progress.lines.get(line.line_id, LineProgress())
        held = max(so_far.shipped, min(so_far.allocated, line.quantity))
        lines[line.line_id] = LineQuantities(
            ordered=line.ordered,
            cancelled=line.cancelled - line.closed + (line.quantity - so_far.shipped if has_stopped else 0),
            closed=line.closed,
            backordered=0 if has_stopped else min(so_far.backordered, max(0, line.quantity - held)),
            allocated=so_far.shipped if has_stopped else held,
            released=so_far.released,
            picked=so_far.picked,
            packed=so_far.packed,
            shipped=so_far.shipped,
            delivered=so_far.delivered,
            invoiced=so_far.invoiced,
            returned=so_far.returned,
            expected_on=so_far.expected_on,
            intercepted=so_far.intercepted,
        )
    return lines


def is_delivered(order: Order, progress: Progress) -> bool:
    """Whether every unit is delivered, stopped on its way or cancelled, and at least one left."""
    lines = quantities(order, progress).values()
    return all(line.arrived >= line.wanted for line in lines) and any(line.arrived for line in lines)


def completes_delivery(order: Order, before: Progress, after: Progress) -> bool:
    """Whether the order became delivered on the way from one progress to the other: once in its life."""
    return is_delivered(order, after) and not is_delivered(order, before)


def is_shipped(lines: Collection[LineQuantities]) -> bool:
    """Whether every unit that is wanted has left, and at least one has."""
    return all(line.shipped >= line.wanted for line in lines) and any(line.shipped for line in lines)


def is_settled(order: Order, progress: Progress) -> bool:
    """Whether every unit that is wanted is invoiced and every invoice is settled; of an exchange, what is charged of what has left."""
    lines = quantities(order, progress).values()
    if progress.exchange is not None:
        is_over = progress.exchange.is_billed(progress.lines) and is_shipped(lines)
        return is_over and all(invoice.is_settled for invoice in progress.invoices.values())
    is_invoiced = all(line.invoiced >= line.wanted for line in lines) and any(line.invoiced for line in lines)
    return is_invoiced and all(invoice.is_settled for invoice in progress.invoices.values())


def is_complete(order: Order, progress: Progress) -> bool:
    """Whether nothing more is to be delivered, invoiced or paid."""
    return is_delivered(order, progress) and is_settled(order, progress)


def signals(order: Order, before: Progress, after: Progress, fact: Fact) -> tuple[str, ...]:
    """Names of the signals that this fact owes the workflow.

    Every stock_allocated, shipment_shipped, shipment_reversed, sourcing_asked and last recall_answered of a change; shipment_delivered and payment_settled only by the fact that made them true,
    whichever that was: an invoice may be heard of after its payment. Where less waits for room under the credit limit, holds_released,
    for only the workflow knows what it has withheld.
    """
    owed = [fact.kind] if fact.kind in _EVERY_ONE else []
    if isinstance(fact.detail, RecallAnswered) and (fact.detail.waiting or fact.detail.is_of_sourcing):
        owed = []
    if completes_delivery(order, before, after):
        owed.append("shipment_delivered")
    if is_settled(order, after) and not is_settled(order, before):
        owed.append("payment_settled")
    if after.rest_minor < before.rest_minor:
        owed.append("holds_released")
    return tuple(owed)


def signals_of_change(before: Order, after: Order, progress: Progress) -> tuple[str, ...]:
    """Names of the signals that a change owes the workflow: what the facts said may be all there is, now that less is wanted."""
    owed = ["shipment_delivered"] if is_delivered(after, progress) and not is_delivered(before, progress) else []
    if is_settled(after, progress) and not is_settled(before, progress):
        owed.append("payment_settled")
    return tuple(owed)

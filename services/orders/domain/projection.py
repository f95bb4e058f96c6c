"""What the facts of other services come to for one order: newest wins, so order and repetition do not matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from services.kernel.errors import InvalidArgument
from services.orders.domain.order import CANCELLED, EXPIRED, FAILED, REJECTED, Order

INVENTORY_KINDS = frozenset({"stock_reserved", "stock_allocated", "stock_released", "stock_expected"})
FULFILLMENT_KINDS = frozenset(
    {
        "shipments_released",
        "shipment_picked",
        "shipment_packed",
        "shipment_shipped",
        "shipment_delivered",
        "shipment_exception",
        "shipments_cancelled",
        "recall_answered",
    }
)
BILLING_KINDS = frozenset({"invoice_issued", "payment_received"})
KNOWN_KINDS = INVENTORY_KINDS | FULFILLMENT_KINDS | BILLING_KINDS
_SETTLED = frozenset({"paid", "written_off"})
"""What billing calls an invoice on which nothing is open."""

_COUNTS = {
    "inventory": ("allocated", "backordered"),
    "fulfillment": ("released", "picked", "packed", "shipped", "delivered"),
    "billing": ("invoiced",),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A committed fact of another service; `sequence` rises with every fact of its source about its order."""

    fact_id: str
    kind: str
    source: str
    order_id: str
    subject_id: str
    sequence: int
    occurred_at: str
    detail: Mapping[str, Any]


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
    invoiced: int = 0
    inventory_sequence: int = 0
    fulfillment_sequence: int = 0
    billing_sequence: int = 0


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """Units of an order line in a shipment."""

    line_id: str
    sku: str
    description: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A shipment as fulfillment last told of it; instants and days are ISO text, empty while unknown.

    `exception_at` is when its carrier last told of a problem on the way; facts of before do not tell it.
    """

    shipment_id: str
    number: str
    state: str
    warehouse_id: str
    carrier: str
    tracking_number: str
    promised_on: str
    is_service: bool
    shipped_at: str
    delivered_at: str
    lines: tuple[ShipmentLine, ...]
    sequence: int
    exception_at: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as billing last told of it; its parts and what is open are 0 where an old fact did not tell them."""

    invoice_id: str
    number: str
    shipment_id: str
    total_minor: int
    paid_minor: int
    currency: str
    invoiced_on: str
    due_on: str
    status: str
    sequence: int
    merchandise_minor: int = 0
    discount_minor: int = 0
    freight_minor: int = 0
    tax_minor: int = 0
    open_minor: int = 0

    @property
    def is_settled(self) -> bool:
        """Whether the customer owes nothing on it any more, as billing says."""
        return self.status in _SETTLED


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything heard about an order, by line id, shipment id and invoice id."""

    lines: Mapping[str, LineProgress] = field(default_factory=dict)
    shipments: Mapping[str, Shipment] = field(default_factory=dict)
    invoices: Mapping[str, Invoice] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "lines": {key: _members(line, _LINE) for key, line in self.lines.items()},
            "shipments": {key: _shipment_document(shipment) for key, shipment in self.shipments.items()},
            "invoices": {key: _members(invoice, _INVOICE) for key, invoice in self.invoices.items()},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Progress:
        """From what document() gave."""
        return cls(
            lines={key: LineProgress(**line) for key, line in document["lines"].items()},
            shipments={key: _shipment_of(kept) for key, kept in document["shipments"].items()},
            invoices={key: Invoice(**invoice) for key, invoice in document["invoices"].items()},
        )


_LINE, _SHIPMENT, _SHIPMENT_LINE, _INVOICE = (
    tuple(member.name for member in fields(kind)) for kind in (LineProgress, Shipment, ShipmentLine, Invoice)
)


def _members(value: LineProgress | Shipment | ShipmentLine | Invoice, names: Iterable[str]) -> dict[str, Any]:
    """What asdict() gives for values without values inside; the projection is written with every fact, so it must be quick."""
    return {name: getattr(value, name) for name in names}


def _shipment_document(shipment: Shipment) -> dict[str, Any]:
    return {**_members(shipment, _SHIPMENT), "lines": [_members(line, _SHIPMENT_LINE) for line in shipment.lines]}


@dataclass(frozen=True, slots=True)
class LineQuantities:
    """Units of a line. Cumulative: delivered <= shipped <= packed <= picked <= released, and allocated counts shipped units."""

    ordered: int
    cancelled: int
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

    @property
    def wanted(self) -> int:
        """Units that are still to reach the customer or have."""
        return self.ordered - self.cancelled

    @property
    def kept(self) -> int:
        """Units that stock is allocated for and that have not left: what a person calls allocated."""
        return self.allocated - self.shipped


def apply(progress: Progress, fact: Fact) -> Progress:
    """The progress after a fact; what it already knows better stays. An unreadable detail is InvalidArgument."""
    try:
        _require_documents(fact)
        lines = _newer_lines(progress.lines, fact)
        shipments = _newest(progress.shipments, _shipments_in(fact))
        invoices = _newest(progress.invoices, _invoices_in(fact))
    except (KeyError, TypeError, ValueError, AttributeError) as unreadable:
        sentence = f"fact {fact.fact_id} of kind {fact.kind} has a detail that orders cannot read"
        raise InvalidArgument("FACT_UNREADABLE", sentence, fact_id=fact.fact_id) from unreadable
    return Progress(lines, shipments, invoices)


def _require_documents(fact: Fact) -> None:
    """A KeyError names what a kind must carry and this fact does not."""
    needed = {
        "invoice_issued": ("invoice",),
        "payment_received": ("amount_minor", "currency", "invoices"),
        "recall_answered": ("change_id", "is_acknowledged", "reason"),
        "stock_expected": ("lines",),
    }
    members = ("shipment",) if fact.kind.startswith("shipment_") else needed.get(fact.kind, ())
    for member in members:
        fact.detail[member]


def _newer_lines(known: Mapping[str, LineProgress], fact: Fact) -> Mapping[str, LineProgress]:
    lines = dict(known)
    mark = f"{fact.source}_sequence"
    for line_id, told in fact.detail.get("lines", {}).items():
        line = lines.get(line_id, LineProgress())
        if fact.sequence <= getattr(line, mark):
            continue
        changes: dict[str, Any] = {name: int(told[name]) for name in _COUNTS[fact.source] if name in told}
        if "expected_on" in told:
            changes["expected_on"] = str(told["expected_on"])
        changes[mark] = fact.sequence
        lines[line_id] = replace(line, **changes)
    return lines


def _newest(known: Mapping[str, Any], told: Iterable[Any]) -> dict[str, Any]:
    kept = dict(known)
    for document in told:
        identity = document.shipment_id if isinstance(document, Shipment) else document.invoice_id
        if identity not in kept or kept[identity].sequence < document.sequence:
            kept[identity] = document
    return kept


def _shipments_in(fact: Fact) -> list[Shipment]:
    one = fact.detail.get("shipment")
    told = [one] if one else list(fact.detail.get("shipments", []))
    return [_shipment_of({**shipment, "sequence": fact.sequence}) for shipment in told]


def _shipment_of(told: Mapping[str, Any]) -> Shipment:
    return Shipment(
        shipment_id=str(told["shipment_id"]),
        number=str(told["number"]),
        state=str(told["state"]),
        warehouse_id=str(told["warehouse_id"]),
        carrier=str(told["carrier"]),
        tracking_number=str(told["tracking_number"]),
        promised_on=str(told["promised_on"]),
        is_service=bool(told["is_service"]),
        shipped_at=str(told["shipped_at"]),
        delivered_at=str(told["delivered_at"]),
        lines=tuple(
            ShipmentLine(str(line["line_id"]), str(line["sku"]), str(line["description"]), int(line["quantity"]))
            for line in told["lines"]
        ),
        sequence=int(told["sequence"]),
        exception_at=str(told.get("exception_at", "")),
    )


def _invoices_in(fact: Fact) -> list[Invoice]:
    one = fact.detail.get("invoice")
    told = [one] if one else list(fact.detail.get("invoices", []))
    return [_invoice_of(invoice, fact.sequence) for invoice in told]


def _invoice_of(told: Mapping[str, Any], sequence: int) -> Invoice:
    texts = ("invoice_id", "number", "shipment_id", "currency", "invoiced_on", "due_on", "status")
    parts = ("merchandise_minor", "discount_minor", "freight_minor", "tax_minor", "open_minor")
    values: dict[str, Any] = {name: str(told[name]) for name in texts}
    values |= {name: int(told.get(name, 0)) for name in parts}
    return Invoice(
        **values,
        total_minor=int(told["total_minor"]),
        paid_minor=int(told["paid_minor"]),
        sequence=sequence,
    )


def quantities(order: Order, progress: Progress) -> dict[str, LineQuantities]:
    """Units of each line, in line order; what an order that ended early has not shipped counts as cancelled.

    After a change inventory may still tell of the version before: nothing beyond what is ordered is shown as held or waiting.
    """
    has_stopped = order.phase in (CANCELLED, REJECTED, EXPIRED, FAILED)
    lines = {}
    for line in order.lines:
        so_far = progress.lines.get(line.line_id, LineProgress())
        held = max(so_far.shipped, min(so_far.allocated, line.quantity))
        lines[line.line_id] = LineQuantities(
            ordered=line.quantity,
            cancelled=line.quantity - so_far.shipped if has_stopped else 0,
            backordered=0 if has_stopped else min(so_far.backordered, max(0, line.quantity - held)),
            allocated=so_far.shipped if has_stopped else held,
            released=so_far.released,
            picked=so_far.picked,
            packed=so_far.packed,
            shipped=so_far.shipped,
            delivered=so_far.delivered,
            invoiced=so_far.invoiced,
            returned=0,
            expected_on=so_far.expected_on,
        )
    return lines


def is_delivered(order: Order, progress: Progress) -> bool:
    """Whether every unit is delivered or cancelled, and at least one was delivered."""
    lines = quantities(order, progress).values()
    return all(line.delivered >= line.wanted for line in lines) and any(line.delivered for line in lines)


def completes_delivery(order: Order, before: Progress, after: Progress) -> bool:
    """Whether the order became delivered on the way from one progress to the other: once in its life."""
    return is_delivered(order, after) and not is_delivered(order, before)


def is_settled(order: Order, progress: Progress) -> bool:
    """Whether every unit that is wanted is invoiced and every invoice is settled."""
    lines = quantities(order, progress).values()
    is_invoiced = all(line.invoiced >= line.wanted for line in lines) and any(line.invoiced for line in lines)
    return is_invoiced and all(invoice.is_settled for invoice in progress.invoices.values())


def is_complete(order: Order, progress: Progress) -> bool:
    """Whether nothing more is to be delivered, invoiced or paid."""
    return is_delivered(order, progress) and is_settled(order, progress)


def signals(order: Order, before: Progress, after: Progress, fact: Fact) -> tuple[str, ...]:
    """Names of the signals that this fact owes the workflow.

    Every stock_allocated, shipment_shipped and recall_answered; shipment_delivered and payment_settled only by the fact that made them true,
    whichever that was: an invoice may be heard of after its payment.
    """
    owed = [fact.kind] if fact.kind in ("stock_allocated", "shipment_shipped", "recall_answered") else []
    if completes_delivery(order, before, after):
        owed.append("shipment_delivered")
    if is_settled(order, after) and not is_settled(order, before):
        owed.append("payment_settled")
    return tuple(owed)


def signals_of_change(before: Order, after: Order, progress: Progress) -> tuple[str, ...]:
    """Names of the signals that a change owes the workflow: what the facts said may be all there is, now that less is wanted."""
    owed = ["shipment_delivered"] if is_delivered(after, progress) and not is_delivered(before, progress) else []
    if is_settled(after, progress) and not is_settled(before, progress):
        owed.append("payment_settled")
    return tuple(owed)

"""What waits for its invoice and drafts of invoices, as pages show them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import TypeAdapter

from gateway.console import entries
from gateway.console.accounting.asking import PAGE, Rows
from gateway.console.accounting.billed import BilledLine, parts_of
from gateway.console.accounting.values import moment, money
from gateway.console.visitor import Visitor
from gateway.http.plumbing.inputs import Quantity
from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.orders.domain.order import Order

_FIELD, _UNITS = "shipment-", "units-"
"""The fields of a shipment that is ticked, and of units of a line, begin with them."""
_QUANTITY: TypeAdapter[int] = TypeAdapter(Quantity)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A shipment that waits, or all of one order that wait for the same invoice; days are ISO dates, empty while nobody knows."""

    shipment_ids: tuple[str, ...]
    order_number: str
    customer_id: str
    policy: str
    shipped_on: str
    invoice_on: str
    amount: Money
    draft_id: str
    since: datetime | None
    units: int
    lines: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, row: pb.BillableShipment) -> Waiting:
        """From the wire."""
        return cls(
            (row.shipment_id,),
            row.order_number,
            row.customer_id,
            row.policy,
            row.shipped_on,
            row.invoice_on,
            money(row.amount, row.amount.currency),
            row.draft_id,
            moment(row.recorded_at_micros),
            sum(line.quantity for line in row.lines),
            {line.line_id: line.quantity for line in row.lines},
        )


@dataclass(frozen=True, slots=True)
class Counted(Rows[Waiting]):
    """A page of what waits, and how many shipments do in all."""

    count: int = 0


@dataclass(frozen=True, slots=True)
class InvoiceFigures:
    """What an invoice would say; `due_on` is empty while it waits for its goods to arrive."""

    lines: tuple[BilledLine, ...]
    parts: tuple[tuple[str, Money], ...]
    total: Money
    open: Money
    invoiced_on: str
    due_on: str

    @classmethod
    def of(cls, row: pb.Invoice) -> InvoiceFigures:
        """From the wire."""
        currency = row.total.currency
        return cls(
            tuple(BilledLine.of(line) for line in row.lines),
            parts_of(row),
            money(row.total, currency),
            money(row.open, currency),
            row.invoiced_on,
            row.due_on,
        )


@dataclass(frozen=True, slots=True)
class DraftShown:
    """A draft of an invoice."""

    draft_id: str
    order_number: str
    customer_id: str
    shipments: int
    amount: Money
    state: str
    made_by: str
    made_at: datetime | None
    approved_by: str
    approved_at: datetime | None
    ended_by: str
    ended_at: datetime | None
    invoice_id: str
    needs_second_person: bool

    @classmethod
    def of(cls, row: pb.InvoiceDraft) -> DraftShown:
        """From the wire."""
        return cls(
            row.draft_id,
            row.order_number,
            row.customer_id,
            len(row.shipment_ids),
            money(row.amount, row.amount.currency),
            row.state,
            row.made_by,
            moment(row.made_at_micros),
            row.approved_by,
            moment(row.approved_at_micros),
            row.ended_by,
            moment(row.ended_at_micros),
            row.invoice_id,
            row.needs_second_person,
        )

    @property
    def is_open(self) -> bool:
        """Whether it is neither posted nor discarded."""
        return self.state in ("draft", "approved")


def waiting(who: Visitor, *, customer_id: str = "", policy: str = "", cursor: str = "", limit: int = PAGE) -> Counted:
    """What waits, the longest first: shipments of an order that wait for the same invoice are one row."""
    wanted = pb.ListBillableRequest(customer_id=customer_id, policy=policy, cursor=cursor, limit=limit)
    found = who.deps.billing.ListBillable(wanted)
    return Counted(_together(found.shipments), found.next_cursor, found.count)


def of_order(who: Visitor, order_id: str) -> list[Waiting]:
    """The shipments of an order that wait, each a row."""
    found = who.deps.billing.ListBillable(pb.ListBillableRequest(order_ids=[order_id]))
    return [Waiting.of(row) for row in found.shipments]


def open_drafts(who: Visitor) -> list[DraftShown]:
    """Drafts that are neither posted nor discarded, the oldest first, at most a page."""
    found = who.deps.billing.ListInvoiceDrafts(pb.ListInvoiceDraftsRequest(state="open", limit=PAGE))
    return [DraftShown.of(row) for row in found.drafts]


def named(fields: Mapping[str, str], waiting: Sequence[Waiting]) -> tuple[str, ...]:
    """The shipments that are ticked, all that are free where none is."""
    free = [shipment_id for one in waiting if not one.draft_id for shipment_id in one.shipment_ids]
    chosen = set(sent(fields))
    return tuple(one for one in free if one in chosen) or tuple(free)


def sent(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The shipments whose fields a page has sent."""
    return tuple(name.removeprefix(_FIELD) for name in fields if name.startswith(_FIELD))


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """Units of an order's line that wait in the shipments that are ticked."""

    line_id: str
    sku: str
    description: str
    units: int


def waiting_lines(waiting: Sequence[Waiting], ticked: Sequence[str], order: Order) -> list[WaitingLine]:
    """What of each line waits in these shipments, as the order has its lines."""
    units: Counter[str] = Counter()
    for one in waiting:
        if one.shipment_ids[0] in ticked:
            units.update(one.lines)
    known = {line.line_id: line for line in order.lines}
    places = {line_id: place for place, line_id in enumerate(known)}
    found = sorted(units.items(), key=lambda each: (places.get(each[0], len(places)), each[0]))
    return [
        WaitingLine(line_id, known[line_id].sku, known[line_id].description, count)
        if line_id in known
        else WaitingLine(line_id, line_id, "", count)
        for line_id, count in found
    ]


def units_of(fields: Mapping[str, str]) -> list[types_pb2.LineQuantity]:
    """Units of lines that were typed; blank and 0 are none, and none of any means all."""
    typed = {
        name.removeprefix(_UNITS): text.strip()
        for name, text in fields.items()
        if name.startswith(_UNITS) and text.strip().strip("0")
    }
    return [types_pb2.LineQuantity(line_id=line_id, quantity=_count(text)) for line_id, text in typed.items()]


def _count(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 8):
        raise InvalidArgument("QUANTITY_UNREADABLE", "units of a line: enter a whole number")
    return entries.entered(_QUANTITY, int(typed), "units of a line", "QUANTITY_UNREADABLE")


def _together(rows: Iterable[pb.BillableShipment]) -> list[Waiting]:
    found: dict[tuple[str, str, str], Waiting] = {}
    for row in rows:
        key, one = (row.order_id, row.invoice_on, row.draft_id), Waiting.of(row)
        first = found.get(key)
        if first is not None:
            one = replace(
                first,
                shipment_ids=first.shipment_ids + one.shipment_ids,
                amount=first.amount + one.amount,
                shipped_on=min(first.shipped_on, one.shipped_on),
                units=first.units + one.units,
            )
        found[key] = one
    return list(found.values())

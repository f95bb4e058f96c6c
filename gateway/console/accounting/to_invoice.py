"""What waits for its invoice and drafts of invoices, as pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.console.accounting.asking import PAGE, Rows
from gateway.console.accounting.billed import BilledLine, parts_of
from gateway.console.accounting.values import moment, money
from gateway.console.visitor import Visitor
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.money import Money

_FIELD = "shipment-"
"""The field of a shipment that is ticked begins with it."""


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

"""An order's money as billing tells it, for its page: what is committed, has come, is missing, and is due when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.console.card import CardShown, card_of
from gateway.console.visitor import Visitor
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.clock import from_micros
from services.kernel.money import Money
from services.orders.domain.facts import Invoice
from services.orders.domain.order import Order
from services.orders.domain.projection import Progress
from services.runtime.grpc_client import Unreachable

_DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True)
class Due:
    """What of an invoice is open; `due_on` is an ISO date, empty while it waits for its goods to arrive."""

    number: str
    due_on: str
    open: Money


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """An order's money: `total` of it, what is billed, paid and held, and in what order the rest is due.

    `discount` was taken off its invoices for paying early; `credited` is what their credit notes come to, `written_off` bad debt. `committed`, `missing`, the waiting and `card` are billing's to say: None, zero and empty where it was not asked, or is away.
    """

    total: Money
    invoiced: Money
    paid: Money
    held: Money
    discount: Money
    due: tuple[Due, ...]
    credited: Money
    written_off: Money
    committed: Money | None = None
    missing: Money | None = None
    waiting_on: str = ""
    waiting_since: datetime | None = None
    card: CardShown | None = None
    is_away: bool = False

    @property
    def open(self) -> Money:
        """Billed and not settled."""
        return Money.total((each.open for each in self.due), self.total.currency)


def order_money(who: Visitor, order: Order, progress: Progress) -> OrderMoney:
    """Asks billing for who may ask it elsewhere, too; the caller has closed its transaction."""
    if not (who.caller.sees_money and who.may("GET /v1/orders/{order_id}/money")):
        return _known(order, progress)
    asked = pb.GetOrderMoneyRequest(order_id=order.order_id, currency=order.currency)
    try:
        found = who.deps.billing.GetOrderMoney(asked, timeout=_DEADLINE_S)
    except Unreachable:
        return _known(order, progress, is_away=True)
    since = found.waiting_since_micros
    known = _known(order, progress)
    return OrderMoney(
        known.total,
        known.invoiced,
        known.paid,
        known.held,
        known.discount,
        known.due,
        known.credited,
        known.written_off,
        committed=Money(found.committed.minor_units, order.currency),
        missing=Money(found.missing.minor_units, order.currency),
        waiting_on=found.waiting_on,
        waiting_since=from_micros(since) if since else None,
        card=card_of(order, found),
    )


def _parts(invoice: Invoice) -> list[tuple[str, int]]:
    """(day, what is open then in minor units); of an invoice from before billing told it, what is not paid."""
    if invoice.installments:
        return [(due_on, left) for due_on, _, left in invoice.installments]
    unpaid = 0 if invoice.is_settled else invoice.total_minor - invoice.paid_minor - invoice.credited_minor
    return [(invoice.due_on, invoice.open_minor or unpaid)]


def _known(order: Order, progress: Progress, *, is_away: bool = False) -> OrderMoney:
    """What the order's own facts say."""
    invoices = progress.bills
    due = (
        Due(each.number, on, Money(minor, order.currency))
        for each in progress.invoices.values()
        for on, minor in _parts(each)
        if minor
    )
    return OrderMoney(
        total=order.totals.total,
        invoiced=Money(sum(each.total_minor for each in invoices), order.currency),
        paid=Money(sum(each.paid_minor for each in invoices), order.currency),
        held=Money(progress.held_minor, order.currency),
        discount=Money(sum(each.discount_taken_minor for each in invoices), order.currency),
        credited=Money(sum(each.credited_minor for each in invoices), order.currency),
        written_off=Money(sum(each.written_off_minor for each in invoices), order.currency),
        due=tuple(sorted(due, key=lambda each: (each.due_on or "9999", each.number))),
        is_away=is_away,
    )

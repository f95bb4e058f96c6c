"""What the neighbors say to whoever decides: availability and credit, each within a deadline, outside of any transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from gateway.http.plumbing.deps import Deps
from oms.billing.v1 import billing_pb2 as billing
from oms.inventory.v1 import inventory_pb2 as inventory
from services.kernel.clock import from_micros
from services.kernel.errors import NotFound
from services.kernel.money import Money
from services.orders.access.matrix import Caller
from services.orders.domain.availability import Inbound, LineAvailability, SkuStock, availability
from services.orders.domain.credit_check import CreditCheck, open_amount
from services.orders.domain.order import Order
from services.orders.overview.decision_facts import DecisionFacts
from services.runtime.grpc_client import Unreachable

DEADLINE_S = 2.0
"""For each call: a page that decides does not wait longer for a neighbor, it says that it is away."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Which facts a caller may see: those that it may ask for elsewhere, too."""

    money: bool
    margin: bool
    credit: bool
    overdue: bool
    stock: bool


@dataclass(frozen=True, slots=True)
class OrderCash:
    """The cash of one order: what has come for it, and what must still come before its goods leave."""

    given: Money
    missing: Money
    waiting_on: str
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class NeighborFacts:
    """What the neighbors said; `away` names those that did not answer, `credit` and `cash` are None where there is none to see."""

    availability: tuple[LineAvailability, ...] = ()
    credit: CreditCheck | None = None
    cash: OrderCash | None = None
    away: tuple[str, ...] = ()


def sight_of(deps: Deps, who: Caller) -> Sight:
    """What this caller may see; nobody outside our staff is shown what a decision rests on."""
    if who.reach == "own":
        return Sight(money=False, margin=False, credit=False, overdue=False, stock=False)
    may = deps.matrix.allows
    sees_credit = who.sees_money and may(who.principal, "GET /v1/customers/{customer_id}")
    return Sight(
        money=who.sees_money,
        margin=who.sees_money and who.sees_margin,
        credit=sees_credit,
        overdue=sees_credit and may(who.principal, "GET /v1/receivables"),
        stock=may(who.principal, "GET /v1/stock"),
    )


def ask_neighbors(deps: Deps, facts: DecisionFacts, sight: Sight) -> NeighborFacts:
    """What this caller may see of stock and credit; a neighbor that is away leaves its part out and is named."""
    away: list[str] = []
    lines: tuple[LineAvailability, ...] = ()
    credit, cash = None, None
    if sight.stock:
        try:
            lines = availability(facts.order.lines, facts.reached, _stock(deps, facts.order))
        except Unreachable:
            away.append("inventory")
    if sight.credit:
        try:
            credit, cash = _credit(deps, facts), _cash(deps, facts.order)
        except Unreachable:
            away.append("billing")
    return NeighborFacts(lines, credit, cash, tuple(away))


def _stock(deps: Deps, order: Order) -> dict[str, SkuStock]:
    skus = sorted({line.sku for line in order.lines if line.kind != "service"})
    if not skus:
        return {}
    found = deps.inventory.GetAvailability(inventory.GetAvailabilityRequest(skus=skus), timeout=DEADLINE_S)
    return {one.sku: _of_sku(one) for one in found.skus}


def _of_sku(one: inventory.SkuAvailability) -> SkuStock:
    return SkuStock(
        on_hand=one.on_hand,
        available=one.available,
        backordered=one.backordered,
        inbound=tuple(
            Inbound(date.fromisoformat(each.expected_on), each.quantity, each.reference) for each in one.inbound
        ),
        inbound_quantity=one.inbound_quantity,
    )


def _credit(deps: Deps, facts: DecisionFacts) -> CreditCheck | None:
    """None for a customer without a credit account."""
    order, currency = facts.order, facts.order.currency
    asked = billing.GetCreditAccountRequest(customer_id=order.payer_id, currency=currency)
    try:
        account = deps.billing.GetCreditAccount(asked, timeout=DEADLINE_S).account
    except NotFound:
        return None
    wanted = billing.GetCommitmentRequest(order_id=order.order_id)
    committed = deps.billing.GetCommitment(wanted, timeout=DEADLINE_S).remaining
    overdue, since = _overdue(deps, order)
    return CreditCheck(
        limit=Money(account.limit.minor_units, currency),
        committed=Money(account.committed.minor_units, currency),
        receivable=Money(account.receivable.minor_units, currency),
        overdue=Money(overdue, currency),
        overdue_since=date.fromisoformat(since) if since else None,
        # what is authorized on a card is no part of the exposure
        counted=Money(0 if order.pays_by_card else committed.minor_units, currency),
        order_open=Money.zero(currency) if order.pays_by_card else open_amount(order.totals.total, facts.invoiced),
    )


def _cash(deps: Deps, order: Order) -> OrderCash:
    asked = billing.GetOrderMoneyRequest(order_id=order.order_id, currency=order.currency)
    found = deps.billing.GetOrderMoney(asked, timeout=DEADLINE_S)
    return OrderCash(
        given=Money(found.held.minor_units + found.paid.minor_units, order.currency),
        missing=Money(found.missing.minor_units, order.currency),
        waiting_on=found.waiting_on,
        waiting_since=from_micros(found.waiting_since_micros) if found.waiting_since_micros else None,
    )


def _overdue(deps: Deps, order: Order) -> tuple[int, str]:
    wanted = billing.ListReceivablesRequest(customer_id=order.payer_id)
    found = deps.billing.ListReceivables(wanted, timeout=DEADLINE_S).receivables
    row = next((row for row in found if (row.customer_id, row.currency) == (order.payer_id, order.currency)), None)
    return (row.days_30_minor + row.days_60_minor + row.older_minor, row.overdue_since) if row else (0, "")

"""Invariants that hold between services: what each says of itself must agree with the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as billing
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.types.v1 import types_pb2 as types
from services.kernel.money import Money
from services.orders.overview.audit import reached
from services.orders.overview.overdue import Due, still_holding
from services.runtime.audit import Finding, finding_of

_BATCH = 500


def stock_is_worth_its_balance(stock: Iterable[types.Money], ledger: Iterable[types.Money]) -> Finding:
    """Inventory's cost layers against billing's inventory account, in each currency."""
    layers = {money.currency: money.minor_units for money in stock}
    balances = {money.currency: money.minor_units for money in ledger}
    offenders = tuple(
        f"{currency}: stock {_printed(layers.get(currency, 0), currency)}, books {_printed(balances.get(currency, 0), currency)}"
        for currency in sorted({*layers, *balances})
        if layers.get(currency, 0) != balances.get(currency, 0)
    )
    return finding_of(
        "between.stock_value_is_inventory_balance", "stock at cost equals the inventory account", offenders
    )


def quarantine_is_worth_its_balance(apart: Iterable[types.Money], ledger: Iterable[types.Money]) -> Finding:
    """What goods in quarantine had cost against billing's account of them, in each currency."""
    costs = {money.currency: money.minor_units for money in apart}
    balances = {money.currency: money.minor_units for money in ledger}
    offenders = tuple(
        f"{currency}: goods {_printed(costs.get(currency, 0), currency)}, books {_printed(balances.get(currency, 0), currency)}"
        for currency in sorted({*costs, *balances})
        if costs.get(currency, 0) != balances.get(currency, 0)
    )
    return finding_of(
        "between.quarantine_is_its_balance", "goods in quarantine at cost equal the quarantine account", offenders
    )


def ended_orders_hold_no_stock(session: Session, answer: inventory.AuditResponse, due: Due) -> Finding:
    """Every order that holds stock or waits for it lives, or has just ended."""
    offenders = still_holding(session, list(answer.holding_order_ids), "stock", due)
    rule = "an order that has ended holds no stock and waits for none"
    return finding_of("between.ended_orders_hold_no_stock", rule, offenders)


def ended_orders_hold_no_credit(session: Session, answer: billing.AuditResponse, due: Due) -> Finding:
    """Every order with credit committed lives, or has just ended."""
    offenders = still_holding(session, list(answer.committed_order_ids), "credit", due)
    return finding_of("between.ended_orders_hold_no_credit", "an order that has ended holds no credit", offenders)


def ended_orders_release_nothing(session: Session, answer: fulfillment.AuditResponse, due: Due) -> Finding:
    """Every order with a shipment that is still to leave lives, or has just ended."""
    offenders = still_holding(session, list(answer.releasing_order_ids), "shipments", due)
    rule = "an order that has ended has no shipment that is still to leave"
    return finding_of("between.ended_orders_release_nothing", rule, offenders)


def invoices_sum_to_their_order(session: Session, billed: Sequence[billing.OrderBilled]) -> Finding:
    """A fully invoiced order was billed its total to the cent; any other at most its total."""
    offenders: list[str] = []
    for start in range(0, len(billed), _BATCH):
        batch = {row.order_id: row.total for row in billed[start : start + _BATCH]}
        offenders += _wrongly_billed(session, batch)
    rule = "the invoices of a fully invoiced order sum to its total, those of any other to no more"
    return finding_of("between.invoices_sum_to_order", rule, offenders)


def _wrongly_billed(session: Session, batch: dict[str, types.Money]) -> list[str]:
    found = reached(session, sorted(batch))
    offenders = [f"{order_id}: billed, but no such order" for order_id in sorted(set(batch) - set(found))]
    for order_id, (order, lines) in found.items():
        total = order.totals.total
        is_whole = all(line.invoiced >= line.wanted for line in lines.values())
        billed = batch[order_id].minor_units
        if batch[order_id].currency != total.currency or billed > total.minor or (is_whole and billed != total.minor):
            offenders.append(f"{order.number}: billed {_printed(billed, total.currency)} of {total}")
    return offenders


def _printed(minor: int, currency: str) -> str:
    return str(Money(minor, currency))

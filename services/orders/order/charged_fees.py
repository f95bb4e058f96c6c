"""What the customer of an order is charged for cancelling: the fee of a cancellation that is done, or is being carried out."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from services.orders.domain.cancellation import DONE, REQUESTED
from services.orders.domain.fees import charged_order
from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Order
from services.orders.store import holds, masterdata


@dataclass(frozen=True, slots=True)
class ChargedFee:
    """A fee, the order with what is charged as its lines and figures, and who is billed."""

    fee_id: str
    order: Order
    payer: Customer | None = None


def charged_fee(session: Session, order: Order, change_id: str = "") -> ChargedFee | None:
    """What cancelling by this change costs, or cancelling the whole order; None for nothing."""
    return _fee_of(session, order, change_id, DONE)


def coming_fee(session: Session, order: Order) -> ChargedFee | None:
    """What cancelling the whole order will cost, while that is being carried out; None for nothing."""
    return _fee_of(session, order, "", REQUESTED)


def has_fee(session: Session, order_id: str) -> bool:
    """Whether cancelling the whole order was ever to cost something, whatever came of that."""
    fees = [
        one.consequence.fee
        for one in holds.cancellations_of(session, order_id)
        if one.consequence and not one.change_id
    ]
    return any(fee is not None and fee.due.minor for fee in fees)


def _fee_of(session: Session, order: Order, change_id: str, state: str) -> ChargedFee | None:
    asked = [
        one
        for one in holds.cancellations_of(session, order.order_id)
        if one.state == state and one.change_id == change_id and one.consequence is not None
    ]
    fee = asked[-1].consequence.fee if asked and asked[-1].consequence else None
    if fee is None or not fee.due.minor:
        return None
    payer = masterdata.find_customer(session, order.bill_to_id or order.customer_id)
    return ChargedFee(asked[-1].cancellation_id, charged_order(order, fee), payer)

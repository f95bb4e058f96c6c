"""Where an order stands: independent axes, one derived word, and beside them whom it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.orders.domain.changes import AWAITING_CUSTOMER
from services.orders.domain.facts import CREDITED, WRITTEN_OFF
from services.orders.domain.holds import Hold, remaining
from services.orders.domain.order import (
    ACCEPTED,
    CANCELLED,
    CLOSED,
    EXPIRED,
    FAILED,
    IN_REVIEW,
    RECEIVED,
    REJECTED,
    Order,
)
from services.orders.domain.projection import LineQuantities, Progress, is_complete, quantities
from services.orders.domain.waiting import NOTHING_ASKED, Asked, WaitingFor, waiting_for

STATUS_VALUES = (
    "received",
    "in_review",
    "awaiting_customer",
    "accepted",
    "on_hold",
    "backordered",
    "in_fulfilment",
    "partially_shipped",
    "shipped",
    "delivered",
    "completed",
    "completed_with_cancellations",
    "rejected",
    "cancelled",
    "expired",
)

FULLY_SHIPPED, DELIVERED = "fully_shipped", "delivered"
ALL_SHIPPED = (FULLY_SHIPPED, DELIVERED)
"""How fulfilment of an order reads of which all has left, while it lives."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes of an order's state, each with its own words; `holds` are the types of the open holds."""

    review: str
    fulfilment: str
    billing: str
    payment: str
    holds: tuple[str, ...]
    returns: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything derived at once: what the projection row caches for the overview."""

    status: str
    axes: Axes
    waiting_for: WaitingFor | None


def derive(
    order: Order, progress: Progress, holds: Sequence[Hold], since: datetime, asked: Asked = NOTHING_ASKED
) -> Standing:
    """The standing of an order; `since` is when this could have begun, keep an earlier one with `keep_since`."""
    lines = tuple(quantities(order, progress).values())
    axes = Axes(
        review=_review(order),
        fulfilment=_fulfilment(order, lines),
        billing=_billing(lines),
        payment=_payment(lines, progress),
        holds=tuple(hold.hold_type for hold in remaining(holds)),
        returns=_returns(lines, progress),
    )
    waiting = waiting_for(order, progress, lines, holds, asked, since)
    return Standing(_status(order, axes, lines, progress, asked), axes, waiting)


def keep_since(standing: Standing, earlier: WaitingFor | None) -> Standing:
    """The same standing, waiting since the earlier instant when it still waits for the same."""
    now = standing.waiting_for
    if now is None or earlier is None or (now.who, now.what) != (earlier.who, earlier.what):
        return standing
    return replace(standing, waiting_for=replace(now, since=earlier.since))


def _review(order: Order) -> str:
    """received, in_review, accepted, rejected, withdrawn or expired; an order cancelled later stays accepted."""
    if order.phase in (RECEIVED, IN_REVIEW, REJECTED, EXPIRED):
        return order.phase
    return "accepted" if order.cleared_at is not None or order.phase in (ACCEPTED, CLOSED) else "withdrawn"


def _fulfilment(order: Order, lines: Sequence[LineQuantities]) -> str:
    if order.phase == CLOSED:
        return "closed"
    wanted = sum(line.wanted for line in lines)
    for reached, whole, part in (
        (sum(line.arrived for line in lines) if any(line.delivered for line in lines) else 0, DELIVERED, ""),
        (sum(line.shipped for line in lines), FULLY_SHIPPED, "part_shipped"),
        (sum(line.released for line in lines), "fully_released", "part_released"),
        (sum(line.allocated for line in lines), "allocated", "allocated"),
    ):
        if wanted and reached >= wanted:
            return whole
        if reached and part:
            return part
    return "unrouted"


def _returns(lines: Sequence[LineQuantities], progress: Progress) -> str:
    """none, open, part or full: by what has come back of what has shipped, unless a return is under way."""
    if progress.open_returns:
        return "open"
    returned = sum(line.returned for line in lines)
    if not returned:
        return "none"
    return "full" if returned >= sum(line.shipped for line in lines) else "part"


def _billing(lines: Sequence[LineQuantities]) -> str:
    invoiced = sum(line.invoiced for line in lines)
    if not invoiced:
        return "none"
    return "full" if all(line.invoiced >= line.wanted for line in lines) else "part"


def _payment(lines: Sequence[LineQuantities], progress: Progress) -> str:
    """unpaid, deposit, part, paid, credited, written_off or over.

    What is exchanged without an invoice counts as paid. Once everything is billed, of an exchange what is charged, and every invoice is
    settled it is written_off where any of it was, credited where all of it was, else paid.
    """
    bills = progress.invoices.values()
    if progress.exchange is not None and not bills:
        return "paid"
    if sum(bill.open_minor for bill in bills) < 0:
        return "over"
    exchange = progress.exchange
    is_billed = exchange.is_billed(progress.lines) if exchange is not None else _billing(lines) == "full"
    if is_billed and all(bill.is_settled for bill in bills):
        found = {bill.status for bill in bills}
        return WRITTEN_OFF if WRITTEN_OFF in found else CREDITED if found == {CREDITED} else "paid"
    if any(bill.paid_minor for bill in bills):
        return "part"
    return "deposit" if progress.held_minor else "unpaid"


def _status(order: Order, axes: Axes, lines: Sequence[LineQuantities], progress: Progress, asked: Asked) -> str:
    if order.phase in (RECEIVED, REJECTED, CANCELLED, EXPIRED):
        return order.phase
    if order.phase == FAILED:
        return "cancelled"
    if order.phase == IN_REVIEW and asked.change is not None and asked.change.state == AWAITING_CUSTOMER:
        return "awaiting_customer"
    if axes.holds:
        return "on_hold"
    if order.phase == IN_REVIEW:
        return "in_review"
    if order.phase == CLOSED or is_complete(order, progress):
        return "completed_with_cancellations" if any(line.cancelled for line in lines) else "completed"
    return _fulfilment_word(axes, lines)


def _fulfilment_word(axes: Axes, lines: Sequence[LineQuantities]) -> str:
    words = {
        "delivered": "delivered",
        "fully_shipped": "shipped",
        "part_shipped": "partially_shipped",
        "fully_released": "in_fulfilment",
        "part_released": "in_fulfilment",
    }
    if axes.fulfilment in words:
        return words[axes.fulfilment]
    return "backordered" if any(line.backordered for line in lines) else "accepted"

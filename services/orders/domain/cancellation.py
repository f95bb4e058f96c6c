"""Cancelling an order or what of it has not shipped, and closing it at that: the request, what it comes to, what stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import NotPermitted, Refused
from services.kernel.money import Money
from services.orders.domain.amendment import Obstacle
from services.orders.domain.cancelled_units import LineToCancel, Units, asked_units, is_whole, without
from services.orders.domain.consequence import Consequence, consequence
from services.orders.domain.fees import FeeTerms
from services.orders.domain.order import ACCEPTED, Order
from services.orders.domain.projection import Progress

REQUESTED, DONE, DECLINED = "requested", "done", "declined"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A request to cancel or to close; the workflow settles it: done, or declined with a reason.

    `change_id` names the change that cancels units of an order which goes on. `consequence` is what it comes to, and once it is done
    what it came to; None for a request of before that was kept.
    """

    cancellation_id: str
    order_id: str
    state: str
    reason: str
    requested_by: str
    requested_role: str
    requested_at: datetime
    settled_at: datetime | None = None
    settled_reason: str = ""
    change_id: str = ""
    consequence: Consequence | None = None


KEEPS_CASH = "support"
"""Who may cancel without a refund: it was agreed with the customer, as for a swap."""


def check_refund(role: str, *, keeps_cash: bool) -> None:
    """Refuse a cancellation without a refund (REFUND_IS_OWED) to everybody but support."""
    if keeps_cash and role != KEEPS_CASH:
        raise NotPermitted("REFUND_IS_OWED", "only support cancels without a refund: ask them, or have it refunded")


def check_withdrawal(reach: str, asked: Cancellation) -> None:
    """Refuse a customer who takes back what our side asked for (CANCELLATION_NOT_YOURS)."""
    if reach == "own" and asked.requested_role != "customer":
        raise NotPermitted("CANCELLATION_NOT_YOURS", "our staff asked for it: ask them to withdraw it")


@dataclass(frozen=True, slots=True)
class ShippedUnits:
    """Units of a shipment that has left: no cancellation reaches them. One on its way may be stopped there; any may come back by a return."""

    shipment_id: str
    number: str
    units: int
    is_on_its_way: bool


def shipped_units(progress: Progress) -> tuple[ShippedUnits, ...]:
    """What has left of an order and is not coming back already, by shipment."""
    left = [one for one in progress.shipments.values() if one.state in ("shipped", "delivered") and not one.is_service]
    return tuple(
        ShippedUnits(one.shipment_id, one.number, sum(line.quantity for line in one.lines), one.state == "shipped")
        for one in sorted(left, key=lambda one: one.number)
        if not one.intercepted_at
    )


@dataclass(frozen=True, slots=True)
class CancellationPreview:
    """What cancelling now would do, and the version that it makes: None where all of the order ends.

    `obstacles` say why it is not possible; empty when it is. `shipped` is what it does not reach.
    """

    obstacles: tuple[Obstacle, ...]
    consequence: Consequence
    becomes: Order | None = None
    shipped: tuple[ShippedUnits, ...] = ()

    @property
    def is_possible(self) -> bool:
        """Whether nothing stands against it."""
        return not self.obstacles


def preview(
    order: Order,
    progress: Progress,
    asked: Sequence[LineToCancel],
    committed: int | None,
    against: Sequence[Obstacle] = (),
    *,
    is_closing: bool = False,
    fees: FeeTerms | None = None,
) -> CancellationPreview:
    """The consequence of cancelling these lines now, or of closing them; without any all that has not shipped.

    `fees` is what cancelling what is built to order costs. `committed` is what billing holds of the customer's credit for the order, in minor units, None when it is away; `against` is what
    else stands against it.
    """
    credit = None if committed is None else Money(committed, order.currency)
    ended = f"the order is {order.phase} already, so there is nothing to {'close' if is_closing else 'cancel'}"
    found = [*((Obstacle("ORDER_HAS_ENDED", ended),) if order.has_ended else ()), *against]
    found += _not_to_close(order) if is_closing else ()
    units, unsound = asked_units(order, progress, asked)
    found += () if found else unsound or _nothing_shipped(order, progress, units, is_closing=is_closing)
    if found:
        nothing = None if credit is None else Money.zero(order.currency)
        return CancellationPreview(
            tuple(found), consequence(order, order, progress, {}, nothing, is_closing=is_closing)
        )
    try:
        is_end = is_whole(order, progress, units)
        becomes = None if is_end else without(order, progress, units, is_closing=is_closing)
    except Refused as refusal:
        obstacle = Obstacle(refusal.reason, refusal.message)
        return CancellationPreview((obstacle,), consequence(order, order, progress, {}, credit, is_closing=is_closing))
    does = consequence(order, becomes, progress, units, credit, is_closing=is_closing, fees=fees)
    return CancellationPreview((), does, becomes)


def _not_to_close(order: Order) -> tuple[Obstacle, ...]:
    if order.phase == ACCEPTED or order.has_ended:
        return ()
    return (Obstacle("NOT_ACCEPTED", "the order is not accepted yet: cancel it, or lines of it, instead"),)


def _nothing_shipped(order: Order, progress: Progress, units: Units, *, is_closing: bool) -> tuple[Obstacle, ...]:
    """Closing leaves an order at what has shipped: one of which nothing has is cancelled."""
    if not is_closing or not is_whole(order, progress, units):
        return ()
    return (
        Obstacle("NOTHING_SHIPPED", "nothing of the order has shipped, so there is nothing to bill: cancel it instead"),
    )

"""Cancellation of a whole order before anything has shipped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.kernel.errors import Refused
from services.orders.domain.order import Order
from services.orders.domain.projection import Progress, quantities

REQUESTED, DONE, DECLINED = "requested", "done", "declined"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A request to cancel; the workflow settles it: done, or declined with a reason."""

    cancellation_id: str
    order_id: str
    state: str
    reason: str
    requested_by: str
    requested_role: str
    requested_at: datetime
    settled_at: datetime | None = None
    settled_reason: str = ""


@dataclass(frozen=True, slots=True)
class CancellationPreview:
    """What cancelling now would do: units per line that stop, units of stock that are freed, and what money follows.

    `reasons` say why it is not possible, as (code, sentence); empty when it is. `released_credit_minor` is what goes back to
    the customer's credit, None while nobody knows; `refund_minor` what has been paid and would be owed back.
    """

    is_possible: bool
    reasons: tuple[tuple[str, str], ...]
    cancelled: dict[str, int]
    freed_stock: dict[str, int]
    stopped_shipments: tuple[str, ...]
    released_credit_minor: int | None
    refund_minor: int
    currency: str


def preview(order: Order, progress: Progress, committed: int | None, *, is_pending: bool) -> CancellationPreview:
    """The consequences of cancelling the whole order now; `committed` is what billing holds for it, None when it is away."""
    why = _obstacles(order, progress, is_pending=is_pending)
    lines = quantities(order, progress)
    paid = sum(invoice.paid_minor for invoice in progress.invoices.values())
    return CancellationPreview(
        is_possible=not why,
        reasons=tuple(why),
        cancelled={line_id: line.ordered - line.shipped for line_id, line in lines.items()},
        freed_stock={line_id: line.kept for line_id, line in lines.items()},
        stopped_shipments=tuple(
            shipment.number
            for shipment in progress.shipments.values()
            if shipment.state in ("released", "picked", "packed")
        ),
        released_credit_minor=0 if why else committed,
        refund_minor=paid,
        currency=order.currency,
    )


def check(order: Order, progress: Progress, *, is_pending: bool) -> None:
    """Refuse with the first obstacle, in words."""
    for code, sentence in _obstacles(order, progress, is_pending=is_pending):
        raise Refused(code, sentence)


def _obstacles(order: Order, progress: Progress, *, is_pending: bool) -> list[tuple[str, str]]:
    found = []
    if order.has_ended:
        found.append(("ORDER_HAS_ENDED", f"the order is {order.phase} already, so there is nothing to cancel"))
    shipped = sum(line.shipped for line in quantities(order, progress).values())
    if shipped:
        found.append(("ALREADY_SHIPPED", f"{shipped} units have shipped: ask for a return of them instead"))
    if is_pending:
        found.append(("CANCELLATION_PENDING", "a cancellation is being carried out: wait for its outcome"))
    return found

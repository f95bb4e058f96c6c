"""What lists of invoices, payments and waiting orders are asked for, and the rows of the last: protobuf to domain and back."""

from collections.abc import Sequence
from datetime import datetime

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.credit import WaitingOrder
from services.billing.domain.payments import STATES
from services.billing.wire import one_of
from services.kernel.clock import from_micros, micros
from services.kernel.errors import InvalidArgument
from services.kernel.text import clean_key, optional_text, text
from services.runtime.wire import MAX_PAGE, money


def named(ids: Sequence[str], what: str) -> tuple[str, ...]:
    """The ids of a filter, each once; `what` they name, such as invoices."""
    if len(ids) > MAX_PAGE:
        raise InvalidArgument(f"{what.upper()}_TOO_MANY", f"name at most {MAX_PAGE} {what} at once")
    return tuple(sorted({text(one, f"id of {what}") for one in ids}))


def payment_filter(request: pb.ListPaymentsRequest) -> dict[str, str]:
    """Which payments are asked for, as payments.page() takes it."""
    return {
        "customer_id": optional_text(request.customer_id, "customer_id"),
        "after": optional_text(request.cursor, "cursor"),
        "reference": optional_text(clean_key(request.reference), "reference"),
        "state": one_of(request.state, STATES, "state of a payment"),
    }


def waiting_message(of: WaitingOrder) -> pb.WaitingOrder:
    """An order that waits."""
    asked = of.waiting.request
    return pb.WaitingOrder(
        order_id=asked.order_id,
        customer_id=asked.customer_id,
        amount=money(asked.amount),
        payment_method=asked.payment_method,
        waiting_on=of.waiting_on,
        given=money(of.cash.given),
        missing=money(of.missing),
        waiting_since_micros=micros(of.waiting.waiting_since),
    )


def waiting_cursor(cursor: str) -> tuple[datetime, str] | None:
    """The moment and order that a page ended with; None for the beginning, InvalidArgument for what no page gave."""
    if not cursor:
        return None
    since, _, order_id = cursor.partition("/")
    if not (since.isascii() and since.isdigit() and len(since) < 18 and order_id):
        raise InvalidArgument("CURSOR_INVALID", "send back the next_cursor of the last page, or none")
    return from_micros(int(since)), text(order_id, "cursor")


def cursor_after(of: WaitingOrder) -> str:
    """Where a page ends."""
    return f"{micros(of.waiting.waiting_since)}/{of.waiting.request.order_id}"

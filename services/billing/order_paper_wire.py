"""Protobuf to domain: an order as its documents name it."""

from oms.orders.v1 import orders_pb2
from services.billing import header_wire, wire
from services.billing.documents.order_content import OrderPaper
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money

CONFIRMATION, PRO_FORMA = "order_confirmation", "pro_forma"
DOCUMENTS = (CONFIRMATION, PRO_FORMA)
_ACCEPTED = frozenset({"accepted", "closed"})
_OPEN = frozenset({"received", "in_review", "accepted"})


def document(given: str) -> str:
    """One of DOCUMENTS."""
    if given not in DOCUMENTS:
        raise InvalidArgument("UNKNOWN_DOCUMENT", f"a document of an order is one of {', '.join(DOCUMENTS)}")
    return given


def check_phase(order: orders_pb2.Order, wanted: str) -> None:
    """Refuse a document that an order in this phase has not, or that would name a total which nobody knows."""
    if wanted == CONFIRMATION and order.phase not in _ACCEPTED:
        raise Refused("ORDER_NOT_ACCEPTED", f"{order.number} is not accepted: it has a confirmation once it is")
    if wanted == PRO_FORMA and order.phase not in _OPEN:
        raise Refused("ORDER_HAS_ENDED", f"{order.number} has ended: nothing is to be paid before its goods leave")
    if order.is_tax_pending:
        raise Refused("TAX_UNDETERMINED", f"the tax of {order.number} is not known yet: ask again once it is")


def paper(order: orders_pb2.Order, received: Money, time_zone: str) -> OrderPaper:
    """The order as its documents name it; `received` is what has come for it."""
    billable = wire.billable_order(order)
    lines = {line.line_id: line for line in order.lines}
    return OrderPaper(
        billable,
        header_wire.header(order, time_zone),
        order.version,
        {
            line_id: (line.ordered or line.quantity, Money(line.extended.minor_units, billable.currency))
            for line_id, line in lines.items()
        },
        Money(order.deposit.minor_units, billable.currency) if order.HasField("deposit") else None,
        received,
    )

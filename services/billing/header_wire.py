"""Protobuf to domain: the header of an invoice, from the document of its order."""

from datetime import date

from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing.domain.headers import ADDRESS_PARTS, Address, Header
from services.kernel.clock import business_day, given_instant
from services.kernel.errors import InvalidArgument
from services.kernel.text import one_line, optional_text

MAX_TEXT = 1_000


def header(order: orders_pb2.Order, time_zone: str) -> Header:
    """What an invoice keeps of its order; what the order does not say stays empty."""
    placed_at = given_instant(order.placed_at_micros, "placed_at_micros") if order.placed_at_micros else None
    return Header(
        po_number=_line(order.po_number, "po_number"),
        bill_to_name=_line(order.bill_to_name if order.bill_to_id else order.customer_name, "name of who is billed"),
        ship_to=address(order.ship_to, "ship_to"),
        ordered_on=business_day(placed_at, time_zone) if placed_at else None,
        payment_method=order.payment_method,
        tax_rate=order.tax_rate,
        tax_on=_day(order.tax_on),
        tax_exemption=_line(order.tax_exemption, "tax_exemption"),
        customer_tax_id=_line(order.customer_tax_id, "customer_tax_id"),
        billing_address=address(order.billing_address, "billing_address"),
    )


def address(given: types_pb2.Address, what: str) -> Address:
    """An address, each of its parts in one line."""
    return Address(**{name: _line(getattr(given, name), f"{name} of {what}") for name in ADDRESS_PARTS})


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise InvalidArgument("TAX_DAY_UNKNOWN", f"tax_on is {given[:20]!r}: send a day such as 2026-12-01") from None


def _line(value: str, what: str) -> str:
    return optional_text(one_line(value), what, longest=MAX_TEXT)

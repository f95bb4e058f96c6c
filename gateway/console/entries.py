"""What people type into a form, held to the shapes of the API: a page takes no value that the API would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from gateway.http.orders.order_input import ShipTo
from gateway.http.plumbing.field_messages import sentence
from gateway.http.plumbing.inputs import Amount, Day, Instant, Price
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, UnitPrice
from services.orders.domain.order import Address

Value = TypeVar("Value")

ADDRESS_FIELDS = {
    "name": "name",
    "street": "street",
    "city": "city",
    "region": "state or region",
    "postal_code": "ZIP or postal code",
    "country": "country",
}
"""Member of an address → what its field is called."""
_CODE = 2
_DAY: TypeAdapter[date] = TypeAdapter(Day)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_AMOUNT: TypeAdapter[str] = TypeAdapter(Amount)
_PRICE: TypeAdapter[str] = TypeAdapter(Price)
_SHIP_TO: TypeAdapter[ShipTo] = TypeAdapter(ShipTo)


def entered(shape: TypeAdapter[Value], typed: Any, what: str, reason: str) -> Value:
    """What was typed, as the API's shape reads it; InvalidArgument, which names `what` and says what to enter, for all others."""
    try:
        return shape.validate_python(typed)
    except ValidationError as unfit:
        wrong = unfit.errors()[0]
        named = ADDRESS_FIELDS.get(str(wrong["loc"][0]), what) if wrong["loc"] else what
        raise InvalidArgument(reason, f"{named}: {sentence(wrong)}") from unfit


def day(typed: str, what: str) -> date:
    """A day of the calendar that anybody may give."""
    return entered(_DAY, typed, what, "DATE_UNREADABLE")


def instant(typed: str, time_zone: str, what: str) -> datetime:
    """An instant that anybody may give; one without a zone of its own is on the clock of this one."""
    try:
        when = datetime.fromisoformat(typed)
    except ValueError as unreadable:
        raise InvalidArgument("TIME_UNREADABLE", f"{what}: enter it as 2026-12-01T14:05") from unreadable
    placed = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(time_zone))
    return entered(_INSTANT, placed.isoformat(), what, "TIME_UNREADABLE")


def money(typed: str, currency: str, what: str) -> Money:
    """An amount, never negative, in a currency."""
    return Money.parse(entered(_AMOUNT, typed, what, "NOT_AN_AMOUNT"), currency)


def unit_price(typed: str, currency: str, what: str) -> UnitPrice:
    """A unit price in a currency."""
    return UnitPrice.parse(entered(_PRICE, typed, what, "NOT_AN_AMOUNT"), currency)


def address(typed: Mapping[str, str]) -> Address:
    """Where goods go; a country is a code, in whatever case it was typed."""
    given = {**typed, "country": typed["country"].upper()}
    if len(given["country"]) > _CODE:
        raise InvalidArgument("ADDRESS_UNREADABLE", "country: must be two letters, such as US")
    return Address(**entered(_SHIP_TO, given, "address", "ADDRESS_UNREADABLE").model_dump())

"""The form of a change order: what people typed becomes a request that names only what differs from the order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date

from pydantic import TypeAdapter

from gateway.console import entries
from gateway.http.orders.change_input import LineQuantity
from gateway.http.plumbing.inputs import Sku
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money, UnitPrice
from services.orders.domain.changes import ChangeRequest, LineChange, SpokenConsent
from services.orders.domain.order import Address, Line, Order

NEW_LINES = 3
_DIGITS = re.compile(r"[0-9]{1,7}")
_QUANTITY: TypeAdapter[int] = TypeAdapter(LineQuantity)
_SKU: TypeAdapter[str] = TypeAdapter(Sku)
_MAX_TEXT = 200


def request_of(order: Order, fields: Mapping[str, str], zone: str) -> ChangeRequest:
    """The request; what is left as it was, or left blank, does not change. InvalidArgument for what cannot be read.

    A time that somebody typed is one of the clock of `zone`.
    """
    reason = fields.get("reason", "")
    if not reason or len(reason) > _MAX_TEXT:
        raise InvalidArgument("REASON_MISSING", f"say why the order changes, in at most {_MAX_TEXT} characters")
    return ChangeRequest(
        reason=reason,
        lines=(*_changed(order, fields), *_added(order, fields)),
        ship_to=_address(order, fields),
        requested_on=_day(order, fields.get("requested_on", "")),
        cancel_after=_last_day(order, fields.get("cancel_after", "")),
        is_ship_complete=_split(order, fields.get("ship_complete", "")),
        discount=_amount("discount", fields, order.totals.discount),
        freight=_amount("freight", fields, order.totals.freight),
        consent=_consent(fields, zone),
    )


def _consent(fields: Mapping[str, str], zone: str) -> SpokenConsent | None:
    """What the customer has said already; who, when and how belong together."""
    given_by, at, how = (fields.get(f"consent_{name}", "") for name in ("by", "at", "how"))
    if not (given_by or at or how):
        return None
    if not (given_by and at and how):
        sentence = "say who of the customer agreed, when and how, or leave all three blank"
        raise InvalidArgument("CONSENT_INCOMPLETE", sentence)
    if max(len(given_by), len(how)) > _MAX_TEXT:
        raise InvalidArgument("CONSENT_TOO_LONG", f"who agreed, and how, have at most {_MAX_TEXT} characters each")
    return SpokenConsent(given_by, entries.instant(at, zone, "when the customer agreed"), how)


def _changed(order: Order, fields: Mapping[str, str]) -> Iterator[LineChange]:
    for line in order.lines:
        quantity = _quantity(fields.get(f"quantity-{line.line_id}", ""), line.sku)
        sku = _sku(fields.get(f"sku-{line.line_id}", ""))
        price = _price(order, line, fields.get(f"price-{line.line_id}", ""))
        changes = LineChange(
            line.line_id,
            sku if sku != line.sku else "",
            quantity if quantity != line.quantity else None,
            price if price is None or price.amount != line.unit_price.amount else None,
        )
        if changes != LineChange(line.line_id):
            yield changes


def _added(order: Order, fields: Mapping[str, str]) -> Iterator[LineChange]:
    for row in range(1, NEW_LINES + 1):
        sku = _sku(fields.get(f"new-sku-{row}", ""))
        if not sku:
            continue
        quantity = _quantity(fields.get(f"new-quantity-{row}", ""), sku)
        if not quantity:
            raise InvalidArgument("QUANTITY_MISSING", f"enter the quantity of {sku}")
        yield LineChange("", sku, quantity, _price_text(order, fields.get(f"new-price-{row}", "")))


def _quantity(text: str, sku: str) -> int | None:
    if not text:
        return None
    if not _DIGITS.fullmatch(text):
        raise InvalidArgument(
            "QUANTITY_UNREADABLE", f"enter the quantity of {sku} as a whole number; 0 removes the line"
        )
    return entries.entered(_QUANTITY, int(text), f"quantity of {sku}", "QUANTITY_UNREADABLE")


def _sku(typed: str) -> str:
    return entries.entered(_SKU, typed, "SKU", "SKU_UNREADABLE") if typed else ""


def _price(order: Order, line: Line, text: str) -> UnitPrice | None:
    return None if text == line.unit_price.text else _price_text(order, text)


def _price_text(order: Order, text: str) -> UnitPrice | None:
    return entries.unit_price(text, order.currency, "unit price") if text else None


def _amount(name: str, fields: Mapping[str, str], current: Money) -> Money | None:
    text = fields.get(name, "")
    given = entries.money(text, current.currency, name) if text else current
    return None if given == current else given


def _address(order: Order, fields: Mapping[str, str]) -> Address | None:
    kept = {name: getattr(order.ship_to, name) for name in entries.ADDRESS_FIELDS}
    given = {name: fields.get(f"to-{name}", kept[name]) for name in kept}
    address = order.ship_to if given == kept else entries.address(given)
    return None if address == order.ship_to else address


def _day(order: Order, text: str) -> date | None:
    day = entries.day(text, "requested date") if text else None
    return None if day == order.requested_on else day


def _last_day(order: Order, text: str) -> date | None:
    day = entries.day(text, "last day to ship") if text else None
    return None if day == order.cancel_after else day


def _split(order: Order, text: str) -> bool | None:
    wanted = {"yes": True, "no": False}.get(text)
    return None if wanted is None or wanted == order.is_ship_complete else wanted

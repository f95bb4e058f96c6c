"""What the wire modules of all services share: amounts, instants, countries and pages, from protobuf and to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from oms.types.v1 import types_pb2 as types
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.tax import MAX_REASON, TaxKind, TaxPart
from services.kernel.text import optional_text, text

PAGE, MAX_PAGE = 100, 500

_COUNTRY = re.compile(r"[A-Z]{2}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_RATE = re.compile(r"0(\.[0-9]{1,10})?|1(\.0{1,10})?")


def money(amount: Money) -> types.Money:
    """An amount for the wire."""
    return types.Money(minor_units=amount.minor, currency=amount.currency)


def optional_money(amount: Money | None) -> types.Money | None:
    """An amount for the wire; a field without one is not set."""
    return None if amount is None else money(amount)


def optional_micros(instant: datetime | None) -> int:
    """An instant for the wire: microseconds since 1970, 0 for none."""
    return micros(instant) if instant else 0


def tax_part(part: TaxPart) -> types.TaxPart:
    """What is taxed in one way, for the wire."""
    return types.TaxPart(
        key=part.key,
        code=part.kind.code,
        rate=f"{part.kind.rate:f}",
        reason=part.kind.reason,
        merchandise_minor=part.merchandise.minor,
        discount_minor=part.discount.minor,
        freight_minor=part.freight.minor,
        tax_minor=part.tax.minor,
    )


def read_tax_part(message: types.TaxPart, currency: str) -> TaxPart:
    """What is taxed in one way, from the wire; InvalidArgument for a code or a rate that is none and for a negative amount."""
    key = text(message.key, "key of a tax part")
    minors = (message.merchandise_minor, message.discount_minor, message.freight_minor, message.tax_minor)
    if min(minors) < 0:
        raise InvalidArgument("AMOUNT_NEGATIVE", f"the amounts of tax part {key} are positive")
    kind = TaxKind(message.code, tax_rate(message.rate), optional_text(message.reason, "reason", longest=MAX_REASON))
    return TaxPart(key, kind, *(Money(minor, currency) for minor in minors))


def tax_rate(given: str) -> Decimal:
    """A tax rate; InvalidArgument TAX_RATE_OUT_OF_RANGE for what is no decimal fraction."""
    if not _RATE.fullmatch(given):
        raise InvalidArgument("TAX_RATE_OUT_OF_RANGE", "a tax rate is a decimal fraction from 0 to 1, such as 0.0825")
    return Decimal(given)


def country(code: str) -> str:
    """An ISO 3166-1 code by its shape; InvalidArgument COUNTRY_UNKNOWN for anything else."""
    if not _COUNTRY.fullmatch(code):
        raise InvalidArgument(
            "COUNTRY_UNKNOWN", "country must be an ISO 3166-1 code of two capital letters, such as US"
        )
    return code


def page_size(limit: int, *, usual: int = PAGE, most: int = MAX_PAGE) -> int:
    """How many rows a page has: 0 means the usual. InvalidArgument LIMIT_OUT_OF_RANGE below 0 and above the most."""
    if not 0 <= limit <= most:
        raise InvalidArgument("LIMIT_OUT_OF_RANGE", f"limit must be from 1 to {most}, or 0 for {usual}")
    return limit or usual


def named_orders(order_ids: Sequence[str]) -> tuple[str, ...]:
    """The order ids of a filter, each once; InvalidArgument TOO_MANY_ORDERS for more than a page, and for an id that is none."""
    if len(order_ids) > MAX_PAGE:
        raise InvalidArgument("TOO_MANY_ORDERS", f"name at most {MAX_PAGE} orders at once")
    return tuple(sorted({text(one, "order_ids") for one in order_ids}))


def number_cursor(cursor: str) -> int:
    """Where a page ended whose rows are numbered, 0 for the beginning; InvalidArgument CURSOR_INVALID for what is no number."""
    if not cursor:
        return 0
    if not _NUMBER.fullmatch(cursor):
        raise InvalidArgument("CURSOR_INVALID", "send back the next_cursor of the last page, or none")
    return int(cursor)

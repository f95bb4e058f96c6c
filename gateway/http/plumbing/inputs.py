"""Strict, bounded input types: whatever passes them can be stored, sorted and shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from services.kernel.clock import LAST_YEAR
from services.kernel.text import UNPRINTABLE, clean_key, mailbox, one_line

PRINTABLE = f"^[^{UNPRINTABLE}]*$"
SOLID = rf"^[^\s{UNPRINTABLE}]([^{UNPRINTABLE}]*[^\s{UNPRINTABLE}])?$"
IDENTITY = r"^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}$"
SUBJECT = r"^[A-Za-z0-9][A-Za-z0-9_.:@|+\-]{0,127}$"
"""The subject of a token, as identity providers write them: a name, an address, "auth0|…"."""
MAX_QUANTITY = 1_000_000


@dataclass(frozen=True, slots=True)
class Made:
    """Of a text that is made plain before it is checked: its document promises no pattern, for every spelling is taken."""

    plain: Callable[[str], str]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Before the text's own checks."""
        make = self.plain
        return no_info_before_validator_function(
            lambda value: make(value) if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The text's own, without its pattern."""
        document = handler(schema)
        document.pop("pattern", None)
        return document


TIDY = Made(one_line)
"""Line breaks, tabs and invisible characters are made plain, not refused."""
TYPED_KEY = Made(clean_key)
"""A key that people type: the same whatever blanks, hyphens and Unicode form it came with."""

Identity = Annotated[str, StringConstraints(pattern=IDENTITY, max_length=64)]
Subject = Annotated[str, StringConstraints(pattern=SUBJECT, max_length=128)]
Sku = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-/]{0,63}$", max_length=64), TYPED_KEY]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=SOLID), TIDY]
Text = Annotated[str, StringConstraints(max_length=500, pattern=PRINTABLE), TIDY]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=SOLID), TYPED_KEY]
_LOCAL = rf"[^\s@<>()\[\],;:\\\"{UNPRINTABLE}]{{1,64}}"
_LABEL = rf"[^\s@<>()\[\],;:\\\"./_{UNPRINTABLE}]{{1,63}}"
EMAIL = rf"^{_LOCAL}@{_LABEL}(\.{_LABEL}){{1,8}}$"
Email = Annotated[str, StringConstraints(max_length=200, pattern=EMAIL), AfterValidator(mailbox), TYPED_KEY]
OptionalEmail = Annotated[
    str, StringConstraints(max_length=200, pattern=f"^$|{EMAIL}"), AfterValidator(mailbox), TYPED_KEY
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$", max_length=3), Field(examples=["USD"])]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$", max_length=2), Field(examples=["US"])]
Amount = Annotated[
    str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?$", max_length=16), Field(examples=["1329.00"])
]
Price = Annotated[
    str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$", max_length=19), Field(examples=["129.00"])
]
Fraction = Annotated[
    str, StringConstraints(pattern=r"^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$", max_length=8), Field(examples=["0.0825"])
]
Percent = Annotated[
    str,
    StringConstraints(pattern=r"^(100(\.0{1,4})?|[1-9]?[0-9](\.[0-9]{1,4})?)$", max_length=8),
    Field(examples=["15"]),
]
TaxCategory = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$", max_length=40)]
PaymentTerms = Annotated[
    str, StringConstraints(min_length=1, max_length=400, pattern=r"^[0-9A-Za-z][0-9A-Za-z%@./ ,]*$")
]
"""The text of terms; services.kernel.terms reads it."""
Quantity = Annotated[int, Field(strict=True, ge=1, le=MAX_QUANTITY)]
Minor = Annotated[int, Field(strict=True, ge=0, le=10**12)]
Version = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
Switch = Annotated[bool, Field(strict=True)]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)


def _day(value: Any) -> date:
    if type(value) is date:  # a form's, which was read already
        return _of_our_years(value)
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("write a date as 2026-12-01")
    return _of_our_years(date.fromisoformat(value))


def _of_our_years(day: date) -> date:
    if not 2000 <= day.year <= LAST_YEAR:
        raise ValueError(f"the year must be from 2000 to {LAST_YEAR}")
    return day


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("write an instant as 2026-12-01T09:30:00Z")
    instant = datetime.fromisoformat(value.upper())
    if not 2000 <= instant.year <= LAST_YEAR:
        raise ValueError(f"the year must be from 2000 to {LAST_YEAR}")
    return instant.astimezone(UTC)


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
HourMinute = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]
Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]


class Input(BaseModel):
    """A request body: unknown members are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True, hide_input_in_errors=True)


def example(**members: Any) -> ConfigDict:
    """The `model_config` of a body with an example of it, as the reference shows it."""
    return ConfigDict(json_schema_extra={"examples": [members]})


class MoneyInput(Input):
    """An amount: decimal text and its currency."""

    amount: Amount
    currency: Currency


class AddressInput(Input):
    """Where goods go."""

    name: Name
    street: Name
    city: Name
    region: Annotated[str, StringConstraints(max_length=64, pattern=PRINTABLE), TIDY] = Field(
        default="", description="State or province, as its code."
    )
    postal_code: Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=SOLID), TIDY]
    country: Country

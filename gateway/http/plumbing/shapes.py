"""Shapes of answers that many nouns share, and how they are made from protobuf and domain values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from pydantic import BaseModel, Field

from oms.types.v1 import types_pb2 as types
from services.kernel.clock import from_micros
from services.kernel.money import Money
from services.kernel.tax import TaxPart, summary
from services.orders.domain.order import Totals


class MoneyShape(BaseModel):
    """An amount."""

    amount: str = Field(description="Decimal text with the currency's decimals.", examples=["1329.00"])
    currency: str = Field(description="ISO 4217.", examples=["USD"])

    @classmethod
    def of(cls, money: Money) -> MoneyShape:
        """From a domain value."""
        return cls(amount=money.text, currency=money.currency)

    @classmethod
    def of_proto(cls, money: types.Money) -> MoneyShape | None:
        """From the wire; None for an amount that was never set."""
        return cls.of(Money(money.minor_units, money.currency)) if money.currency else None

    @classmethod
    def of_minor(cls, minor: int, currency: str) -> MoneyShape:
        """From whole minor units."""
        return cls.of(Money(minor, currency))


class TaxShape(BaseModel):
    """What of an order or an invoice is taxed in one way."""

    code: str = Field(
        description="As EN 16931 codes it: S taxed, Z zero rated, E exempt, AE reverse charge, K intra-Community supply, G export."
    )
    rate: str = Field(description="A fraction.", examples=["0.0825"])
    reason: str = Field(description="Why nothing is charged, as documents print it; may be empty.")
    net: MoneyShape = Field(description="What the tax is on: goods less their discount, and freight that is taxed so.")
    tax: MoneyShape

    @classmethod
    def rows(cls, parts: Iterable[TaxPart]) -> list[TaxShape]:
        """A row for each way of taxing, the highest rate first."""
        return [
            cls(
                code=row.kind.code,
                rate=f"{row.kind.rate:f}",
                reason=row.kind.reason,
                net=MoneyShape.of(row.net),
                tax=MoneyShape.of(row.tax),
            )
            for row in summary(parts)
        ]


class TotalsShape(BaseModel):
    """What an order comes to."""

    merchandise: MoneyShape
    discount: MoneyShape
    freight: MoneyShape
    tax: MoneyShape
    total: MoneyShape = Field(description="merchandise - discount + freight + tax.")
    taxes: list[TaxShape] = Field(default=[], description="How it is taxed; empty for who sees no money.")

    @classmethod
    def of(cls, totals: Totals) -> TotalsShape:
        """From the domain."""
        return cls(
            merchandise=MoneyShape.of(totals.merchandise),
            discount=MoneyShape.of(totals.discount),
            freight=MoneyShape.of(totals.freight),
            tax=MoneyShape.of(totals.tax),
            total=MoneyShape.of(totals.total),
            taxes=TaxShape.rows(totals.parts),
        )


class AddressShape(BaseModel):
    """A postal address."""

    name: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str

    @classmethod
    def of_proto(cls, address: types.Address) -> AddressShape:
        """From the wire."""
        return cls(
            name=address.name,
            street=address.street,
            city=address.city,
            region=address.region,
            postal_code=address.postal_code,
            country=address.country,
        )


def instant(micros: int) -> str | None:
    """RFC 3339 of microseconds since the epoch; None for 0, which says "not yet"."""
    return rfc3339(from_micros(micros)) if micros else None


def rfc3339(moment: datetime | str) -> str:
    """RFC 3339 in UTC with a Z, also of the ISO text that a fact carries: no instant leaves this API in another way."""
    instant = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{instant.astimezone(UTC).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def day_or_instant(due: date | datetime) -> str:
    """A day as YYYY-MM-DD, an instant as rfc3339() has it."""
    return rfc3339(due) if isinstance(due, datetime) else due.isoformat()


def proto_money(money: Money) -> types.Money:
    """For the wire."""
    return types.Money(minor_units=money.minor, currency=money.currency)

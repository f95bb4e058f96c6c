"""Exchange rates: what amounts of one currency are in another, by day."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.editing import SeenVersion, StoredVersion
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Currency, Day, Input, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from services.kernel.errors import InvalidArgument
from services.orders.domain.exchange import ExchangeRate
from services.orders.masterdata import exchange

router = APIRouter(tags=["master data"])

RateText = Annotated[
    str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,10})?$", max_length=21), Field(examples=["3.2485"])
]


class ExchangeRateInput(Input):
    """A rate; the same pair and first day replace it."""

    from_currency: Currency
    to_currency: Currency
    rate: RateText = Field(description="What one unit of from_currency is worth in to_currency.")
    valid_from: Day = Field(description="The first business day it holds on; it holds until a later one.")
    version: SeenVersion = None

    model_config = example(from_currency="KWD", to_currency="USD", rate="3.2485", valid_from="2026-12-01")


class ExchangeRateShape(BaseModel):
    """A rate."""

    from_currency: str
    to_currency: str
    rate: str
    valid_from: str
    version: StoredVersion


@router.get("/v1/exchange-rates")
def list_exchange_rates(deps: DepsOf, _who: CallerOf, paging: PagingOf) -> Page[ExchangeRateShape]:
    """Rates by pair and first day."""
    with deps.database.reading() as session:
        found = exchange.list_rates(session, after=_after(paging.after("exchange-rates")), limit=paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, _cursor)
    return Page(rows=[_shape(row) for row in page], next_cursor=next_cursor)


@router.post("/v1/exchange-rates", response_model=ExchangeRateShape)
def put_exchange_rate(
    deps: DepsOf, who: CallerOf, body: ExchangeRateInput, once: OnceOf, if_match: IfMatch
) -> Response:
    """Create or replace a rate. Limits and thresholds are compared through the latest one up to the business day."""

    def put(session: Session) -> ExchangeRateShape:
        rate = ExchangeRate(body.from_currency, body.to_currency, Decimal(body.rate), body.valid_from)
        expected = expected_version(body.version, if_match)
        return _shape(exchange.put_rate(session, rate, who.principal.sub, deps.clock(), expected))

    return once.answer_here(body, put)


def _cursor(rate: ExchangeRate) -> str:
    return sealed("exchange-rates", f"{rate.from_currency}~{rate.to_currency}~{rate.valid_from.isoformat()}")


def _after(key: str) -> tuple[str, str, str] | None:
    if not key:
        return None
    parts = key.split("~")
    if len(parts) != 3:
        raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
    return parts[0], parts[1], parts[2]


def _shape(rate: ExchangeRate) -> ExchangeRateShape:
    return ExchangeRateShape(
        from_currency=rate.from_currency,
        to_currency=rate.to_currency,
        rate=f"{rate.rate:f}",
        valid_from=rate.valid_from.isoformat(),
        version=rate.version,
    )

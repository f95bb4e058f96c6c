"""Tax rates: how categories of goods, and freight, are taxed by place and day."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from gateway.http.masterdata.exemptions import Region
from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.editing import SeenVersion, StoredVersion
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import PRINTABLE, TIDY, Country, Day, Fraction, Input, TaxCategory, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from services.kernel.errors import InvalidArgument
from services.orders.domain.taxation import FREIGHT, TaxRate, TaxRateKey
from services.orders.masterdata import taxes

router = APIRouter(tags=["master data"])

AS_GOODS = "goods"


class TaxRateInput(Input):
    """A rate; the same place, category and first day replace it."""

    country: Country
    region: Region = Field(default="", description="A state or province; empty is all of the country.", examples=["TX"])
    postal_prefix: Annotated[str, StringConstraints(max_length=12, pattern=r"^[A-Z0-9 -]{0,12}$")] = Field(
        default="", description="How its postal codes begin; empty is all of them. The longest that fits wins."
    )
    category: TaxCategory = Field(description="A tax category of products, or freight.", examples=["standard"])
    rate: Fraction | Literal["goods"] = Field(
        description="A fraction of the price; `goods`, for freight alone, taxes it as the goods that it carries. "
        "Freight without a rate is not taxed, but by a seller in the EU, who taxes it as the goods.",
        examples=["0.0825"],
    )
    reason: Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE), TIDY] = Field(
        default="", description="Why nothing is charged, where the rate is 0; printed on documents."
    )
    valid_from: Day = Field(description="The first day it holds on; it holds until a later one.")
    version: SeenVersion = None

    model_config = example(country="US", region="TX", category="standard", rate="0.0825", valid_from="2026-12-01")


class TaxRateShape(BaseModel):
    """A rate."""

    country: str
    region: str
    postal_prefix: str
    category: str
    rate: str
    reason: str
    valid_from: str
    version: StoredVersion


@router.get("/v1/tax-rates")
def list_tax_rates(deps: DepsOf, _who: CallerOf, paging: PagingOf) -> Page[TaxRateShape]:
    """Rates by place, category and first day. A seller in the EU has those of its member states beside them."""
    with deps.database.reading() as session:
        found = taxes.list_rates(session, after=_after(paging.after("tax-rates")), limit=paging.limit + 1)
    page, next_cursor = cut(found, paging.limit, lambda row: sealed("tax-rates", "~".join(row.key)))
    return Page(rows=[_shape(row) for row in page], next_cursor=next_cursor)


@router.post("/v1/tax-rates", response_model=TaxRateShape)
def put_tax_rate(deps: DepsOf, who: CallerOf, body: TaxRateInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Create or replace a rate. Orders have the rates of the day on which they are placed, for their whole life."""

    def put(session: Session) -> TaxRateShape:
        expected = expected_version(body.version, if_match)
        return _shape(taxes.put_rate(session, _rate(body), who.principal.sub, deps.clock(), expected))

    return once.answer_here(body, put)


def _rate(body: TaxRateInput) -> TaxRate:
    is_as_goods = body.rate == AS_GOODS
    if is_as_goods and body.category != FREIGHT:
        raise InvalidArgument("TAX_RATE_MISSING", "only freight is taxed as the goods are: give a rate such as 0.0825")
    return TaxRate(
        country=body.country,
        category=body.category,
        valid_from=body.valid_from,
        rate=None if is_as_goods else Decimal(body.rate),
        region=body.region,
        postal_prefix=body.postal_prefix,
        reason=body.reason,
    )


def _after(key: str) -> TaxRateKey | None:
    if not key:
        return None
    parts = key.split("~")
    if len(parts) != len(("country", "region", "postal_prefix", "category", "valid_from")):
        raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
    country, region, prefix, category, first = parts
    return country, region, prefix, category, first


def _shape(rate: TaxRate) -> TaxRateShape:
    return TaxRateShape(
        country=rate.country,
        region=rate.region,
        postal_prefix=rate.postal_prefix,
        category=rate.category,
        rate=AS_GOODS if rate.rate is None else f"{rate.rate:f}",
        reason=rate.reason,
        valid_from=rate.valid_from.isoformat(),
        version=rate.version,
    )

"""Rates: what carriers charge from each warehouse to each zone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Country, Currency, Identity, Input, Minor, example
from gateway.http.plumbing.paging import Page
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types

router = APIRouter(tags=["master data"])


class RateInput(Input):
    """What a carrier charges from a warehouse to a zone, in minor units."""

    warehouse_id: Identity
    carrier: Identity
    zone: Identity
    base_minor: Minor = Field(description="A shipment, before its weight.")
    per_kg_minor: Minor = Field(default=0, description="Each started kilogram.")
    per_unit_minor: Minor = Field(default=0, description="Handling of each unit, by third-party warehouses.")
    transit_days: Annotated[int, Field(strict=True, ge=0, le=365, description="Days from pickup to delivery.")]


class ZoneInput(Input):
    """Which zone a region lies in."""

    country: Country
    region: Annotated[str, StringConstraints(pattern=r"^(\*|[A-Z0-9]{1,8})$", max_length=8)] = Field(
        default="*", description="A region code; * for every other region of the country."
    )
    zone: Identity


class RatesInput(Input):
    """The whole rate table; it replaces the one before."""

    currency: Currency
    rates: Annotated[list[RateInput], Field(min_length=1, max_length=5000)]
    zones: Annotated[list[ZoneInput], Field(min_length=1, max_length=5000)]

    model_config = example(
        currency="USD",
        rates=[
            {
                "warehouse_id": "wh_dallas",
                "carrier": "parcelway",
                "zone": "south",
                "base_minor": 690,
                "per_kg_minor": 28,
                "transit_days": 1,
            }
        ],
        zones=[{"country": "US", "region": "TX", "zone": "south"}],
    )


class Rates(BaseModel):
    """How many rows are stored."""

    rate_count: int
    zone_count: int


@router.post("/v1/rates", response_model=Rates)
def put_rates(deps: DepsOf, body: RatesInput, once: OnceOf) -> Response:
    """Replace the whole rate table, zones included; shipments that have left keep their freight."""

    def act(_request_id: str) -> Rates:
        stored = deps.fulfillment.PutRates(
            pb.PutRatesRequest(
                currency=body.currency,
                rates=[pb.Rate(**rate.model_dump()) for rate in body.rates],
                zones=[pb.ZoneRule(**zone.model_dump()) for zone in body.zones],
            )
        )
        return Rates(rate_count=stored.rate_count, zone_count=stored.zone_count)

    return once.answer(body, act)


class RateQuote(BaseModel):
    """The cheapest carrier of one warehouse."""

    warehouse_id: str
    carrier: str
    cost_minor: int = Field(description="In minor units of the rate table's currency.")
    transit_days: int


@router.get("/v1/rates")
def quote_rates(
    deps: DepsOf,
    _who: CallerOf,
    country: Annotated[Country, Query(description="The destination's country, ISO 3166-1.")],
    region: Annotated[
        str, Query(pattern=r"^[A-Z0-9]{0,8}$", max_length=8, description="The destination's region code.")
    ] = "",
    weight_grams: Annotated[int, Query(ge=0, le=10**9, description="Weight of everything, grams.")] = 1000,
    unit_count: Annotated[int, Query(ge=1, le=1_000_000, description="Units in all.")] = 1,
) -> Page[RateQuote]:
    """What each warehouse would cost for a destination, cheapest first."""
    found = deps.fulfillment.QuoteWarehouses(
        pb.QuoteWarehousesRequest(
            ship_to=types.Address(country=country, region=region), weight_grams=weight_grams, unit_count=unit_count
        )
    )
    return Page(rows=[_quote(row) for row in found.quotes], next_cursor=None)


def _quote(row: pb.WarehouseQuote) -> RateQuote:
    return RateQuote(
        warehouse_id=row.warehouse_id, carrier=row.carrier, cost_minor=row.cost_minor, transit_days=row.transit_days
    )

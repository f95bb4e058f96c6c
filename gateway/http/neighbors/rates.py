"""Rates: what carriers charge from each warehouse to each zone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.editing import ETAG, SeenVersion, StoredVersion, changed_whole, partial, tag
from gateway.http.plumbing.expected_version import IfMatch, expected_version
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Country, Currency, Identity, Input, Minor, example
from gateway.http.plumbing.paging import Page
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound
from services.orders.approvals import carriers

router = APIRouter(tags=["master data"])

MOST_PLACES = 200
"""Warehouses of which one call asks who waits for them."""


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
    version: SeenVersion = None

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


if TYPE_CHECKING:
    RatesPatch = Input
else:
    RatesPatch = partial("RatesPatch", RatesInput, (), zones=[{"country": "US", "region": "*", "zone": "south"}])


class RateShape(BaseModel):
    """What a carrier charges from a warehouse to a zone, in minor units."""

    warehouse_id: str
    carrier: str
    zone: str
    base_minor: int
    per_kg_minor: int
    per_unit_minor: int
    transit_days: int


class ZoneShape(BaseModel):
    """Which zone a region lies in; region * is every other region of the country."""

    country: str
    region: str
    zone: str


class RateTable(BaseModel):
    """The whole rate table."""

    currency: str
    rates: list[RateShape]
    zones: list[ZoneShape]
    version: StoredVersion


class Rates(BaseModel):
    """How many rows are stored."""

    rate_count: int
    zone_count: int
    version: StoredVersion


@router.post("/v1/rates", response_model=Rates)
def put_rates(deps: DepsOf, body: RatesInput, once: OnceOf, if_match: IfMatch) -> Response:
    """Replace the whole rate table, zones included; shipments that have left keep their freight.

    Refused while a shipment that has yet to leave would have no carrier any more. Orders that wait for what a warehouse has, and to
    which a carrier goes from there only now, are sourced again; what was held for want of a carrier goes on.
    """

    def act(_request_id: str) -> Rates:
        return _put(deps, body, expected_version(body.version, if_match))

    return once.answer(body, act)


@router.patch("/v1/rates", responses=ETAG)
def change_rates(deps: DepsOf, _who: CallerOf, body: RatesPatch, if_match: IfMatch, response: Response) -> Rates:
    """Replace the rates, the zones or the currency, as far as they are named; the rest of the table stays."""
    return changed_whole(
        body, RatesInput, if_match, response, lambda: _table(deps), lambda whole, expected: _put(deps, whole, expected)
    )


@router.get("/v1/rates/table", responses={**ETAG, 404: {}})
def get_rates(deps: DepsOf, _who: CallerOf, response: Response) -> RateTable:
    """The whole rate table, as POST takes it; not found before there is one."""
    table = _table(deps)
    tag(response, table.version)
    return table


def _table(deps: Deps) -> RateTable:
    found = deps.fulfillment.GetRates(pb.GetRatesRequest())
    return RateTable(
        currency=found.currency,
        rates=[
            RateShape(
                warehouse_id=row.warehouse_id,
                carrier=row.carrier,
                zone=row.zone,
                base_minor=row.base_minor,
                per_kg_minor=row.per_kg_minor,
                per_unit_minor=row.per_unit_minor,
                transit_days=row.transit_days,
            )
            for row in found.rates
        ],
        zones=[ZoneShape(country=row.country, region=row.region, zone=row.zone) for row in found.zones],
        version=found.version,
    )


def _put(deps: Deps, body: RatesInput, expected: int | None) -> Rates:
    known = _known(deps)
    stored = deps.fulfillment.PutRates(
        pb.PutRatesRequest(
            currency=body.currency,
            rates=[pb.Rate(**rate.model_dump()) for rate in body.rates],
            zones=[pb.ZoneRule(**zone.model_dump()) for zone in body.zones],
            expected_version=expected,
        )
    )
    # the table that stands already, once more: an earlier try may have stored it and gone no further
    before = set() if stored.version == known.version else _ways(known)
    if gained := sorted({place for place, *_ in _ways(body) - before}):
        _follow(deps, gained)
    return Rates(rate_count=stored.rate_count, zone_count=stored.zone_count, version=stored.version)


def _follow(deps: Deps, gained: list[str]) -> None:
    """Carriers go from these warehouses to where they did not: who waits for that is sourced, and who was held for it goes on."""
    for start in range(0, len(gained), MOST_PLACES):
        some = inventory.RequestSourcingForRatesRequest(warehouse_ids=gained[start : start + MOST_PLACES])
        deps.inventory.RequestSourcingForRates(some)
    with deps.database.reading() as session:
        held = carriers.undeliverable(session)
    for order_id, ship_to in held.items():
        quotes = deps.fulfillment.QuoteWarehouses(pb.QuoteWarehousesRequest(ship_to=types.Address(**asdict(ship_to))))
        if quotes.quotes:
            with deps.database.transaction() as session:
                carriers.came(session, order_id, deps.contacts, deps.clock())


def _known(deps: Deps) -> pb.GetRatesResponse:
    try:
        return deps.fulfillment.GetRates(pb.GetRatesRequest())
    except NotFound:
        return pb.GetRatesResponse()


def _ways(table: RatesInput | pb.GetRatesResponse) -> set[tuple[str, str, str]]:
    """(Warehouse, country, region) from where to where somebody carries."""
    zones: dict[str, list[tuple[str, str]]] = {}
    for rule in table.zones:
        zones.setdefault(rule.zone, []).append((rule.country, rule.region))
    return {(rate.warehouse_id, *place) for rate in table.rates for place in zones.get(rate.zone, ())}


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

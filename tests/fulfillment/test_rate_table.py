from __future__ import annotations

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.servicer import FulfillmentServicer
from services.kernel.errors import InvalidArgument
from tests.fulfillment.floor import DALLAS, NO_CONTEXT, RATES, Floor
from tests.threads import at_once


def quotes(floor: Floor, grams: int, units: int, **place: str) -> list[tuple[str, str, int]]:
    ship_to = types.Address()
    ship_to.CopyFrom(DALLAS)
    for name, value in place.items():
        setattr(ship_to, name, value)
    request = pb.QuoteWarehousesRequest(ship_to=ship_to, weight_grams=grams, unit_count=units)
    answer = floor.service.QuoteWarehouses(request, NO_CONTEXT)
    return [(each.warehouse_id, each.carrier, each.cost_minor) for each in answer.quotes]


def test_each_warehouse_quotes_its_cheapest_carrier(floor: Floor) -> None:
    assert quotes(floor, 2500, 2) == [
        ("W1", "slow", 900 + 3 * 10),
        ("P", "slow", 1200 + 2 * 150),
        ("W2", "slow", 1600 + 3 * 10),
    ]


def test_the_rest_of_the_country_has_its_own_zone(floor: Floor) -> None:
    assert quotes(floor, 0, 1, region="NY") == [("W1", "slow", 9900)]


def test_no_zone_for_the_address_is_an_empty_answer(floor: Floor) -> None:
    assert quotes(floor, 0, 1, country="FR") == []


def test_a_new_table_replaces_all_of_the_old_one(floor: Floor) -> None:
    rate = pb.Rate(warehouse_id="W7", carrier="post", zone="z", base_minor=5)
    zone = pb.ZoneRule(country="US", region="*", zone="z")

    answer = floor.service.PutRates(pb.PutRatesRequest(currency="USD", rates=[rate], zones=[zone]), NO_CONTEXT)

    assert (answer.rate_count, answer.zone_count) == (1, 1)
    assert quotes(floor, 0, 1) == [("W7", "post", 5)]


def test_a_bad_table_leaves_the_old_one(floor: Floor) -> None:
    before = quotes(floor, 0, 1)

    with pytest.raises(InvalidArgument):
        floor.service.PutRates(pb.PutRatesRequest(currency="USD", rates=[*RATES.rates, RATES.rates[0]]), NO_CONTEXT)

    assert quotes(floor, 0, 1) == before


@pytest.mark.on_postgres
def test_tables_put_at_once_leave_one_of_them_whole(floor: Floor) -> None:
    at_once([lambda: floor.service.PutRates(RATES, NO_CONTEXT)] * 12, threads=6)

    assert len(quotes(floor, 0, 1)) == 3


def test_the_freight_of_a_shipped_parcel_does_not_follow_the_table(floor: Floor) -> None:
    (shipment,) = floor.release(("L1", "W1", 1))
    sent = floor.send(shipment)

    floor.service.PutRates(pb.PutRatesRequest(currency="EUR"), NO_CONTEXT)

    assert floor.get(shipment).freight_cost == sent.freight_cost


@pytest.mark.on_postgres
def test_rates_that_another_process_put_are_quoted_at_once(floor: Floor) -> None:
    other = FulfillmentServicer(floor.database)
    assert quotes(floor, 0, 1)[0] == ("W1", "slow", 900)

    other.PutRates(
        pb.PutRatesRequest(
            currency="USD",
            rates=[pb.Rate(warehouse_id="W7", carrier="post", zone="z", base_minor=5)],
            zones=[pb.ZoneRule(country="US", region="*", zone="z")],
        ),
        NO_CONTEXT,
    )

    assert quotes(floor, 0, 1) == [("W7", "post", 5)]

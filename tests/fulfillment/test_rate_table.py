from __future__ import annotations

from functools import partial

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.servicer import FulfillmentServicer
from services.kernel.errors import InvalidArgument, Refused
from tests.fulfillment.desk import DALLAS, NO_CONTEXT, RATES, WarehouseDesk
from tests.threads import at_once


def quotes(desk: WarehouseDesk, grams: int, units: int, **place: str) -> list[tuple[str, str, int]]:
    ship_to = types.Address()
    ship_to.CopyFrom(DALLAS)
    for name, value in place.items():
        setattr(ship_to, name, value)
    request = pb.QuoteWarehousesRequest(ship_to=ship_to, weight_grams=grams, unit_count=units)
    answer = desk.service.QuoteWarehouses(request, NO_CONTEXT)
    return [(each.warehouse_id, each.carrier, each.cost_minor) for each in answer.quotes]


def test_each_warehouse_quotes_its_cheapest_carrier(desk: WarehouseDesk) -> None:
    assert quotes(desk, 2500, 2) == [
        ("W1", "slow", 900 + 3 * 10),
        ("P", "slow", 1200 + 2 * 150),
        ("W2", "slow", 1600 + 3 * 10),
    ]


def test_the_rest_of_the_country_has_its_own_zone(desk: WarehouseDesk) -> None:
    assert quotes(desk, 0, 1, region="NY") == [("W1", "slow", 9900)]


def test_no_zone_for_the_address_is_an_empty_answer(desk: WarehouseDesk) -> None:
    assert quotes(desk, 0, 1, country="FR") == []


def test_a_new_table_replaces_all_of_the_old_one(desk: WarehouseDesk) -> None:
    rate = pb.Rate(warehouse_id="W7", carrier="post", zone="z", base_minor=5)
    zone = pb.ZoneRule(country="US", region="*", zone="z")

    answer = desk.service.PutRates(pb.PutRatesRequest(currency="USD", rates=[rate], zones=[zone]), NO_CONTEXT)

    assert (answer.rate_count, answer.zone_count) == (1, 1)
    assert quotes(desk, 0, 1) == [("W7", "post", 5)]


def test_a_bad_table_leaves_the_old_one(desk: WarehouseDesk) -> None:
    before = quotes(desk, 0, 1)

    with pytest.raises(InvalidArgument):
        desk.service.PutRates(pb.PutRatesRequest(currency="USD", rates=[*RATES.rates, RATES.rates[0]]), NO_CONTEXT)

    assert quotes(desk, 0, 1) == before


@pytest.mark.on_postgres
def test_tables_put_at_once_leave_one_of_them_whole(desk: WarehouseDesk) -> None:
    at_once([lambda: desk.service.PutRates(RATES, NO_CONTEXT)] * 12, threads=6)

    assert len(quotes(desk, 0, 1)) == 3


def test_the_freight_of_a_shipped_parcel_does_not_follow_the_table(desk: WarehouseDesk) -> None:
    (shipment,) = desk.release(("L1", "W1", 1))
    sent = desk.send(shipment)

    desk.service.PutRates(pb.PutRatesRequest(currency="EUR"), NO_CONTEXT)

    assert desk.get(shipment).freight_cost == sent.freight_cost


@pytest.mark.on_postgres
def test_rates_that_another_process_put_are_quoted_at_once(desk: WarehouseDesk) -> None:
    other = FulfillmentServicer(desk.database)
    assert quotes(desk, 0, 1)[0] == ("W1", "slow", 900)

    other.PutRates(
        pb.PutRatesRequest(
            currency="USD",
            rates=[pb.Rate(warehouse_id="W7", carrier="post", zone="z", base_minor=5)],
            zones=[pb.ZoneRule(country="US", region="*", zone="z")],
        ),
        NO_CONTEXT,
    )

    assert quotes(desk, 0, 1) == [("W7", "post", 5)]


def without(warehouse_id: str) -> pb.PutRatesRequest:
    rates = [rate for rate in RATES.rates if rate.warehouse_id != warehouse_id]
    return pb.PutRatesRequest(currency=RATES.currency, rates=rates, zones=RATES.zones)


@pytest.mark.parametrize("moved", ["released", "picked", "packed"])
def test_rates_that_a_shipment_rests_on_stay_until_it_has_left(desk: WarehouseDesk, moved: str) -> None:
    (shipment,) = desk.release(("L1", "W1", 1))
    if moved != "released":
        desk.pick(shipment)
    if moved == "packed":
        desk.pack(shipment)

    with pytest.raises(Refused) as refused:
        desk.service.PutRates(without("W1"), NO_CONTEXT)

    assert (refused.value.reason, refused.value.detail) == ("RATE_IN_USE", {"shipments": "1"})
    assert "SH-1001" in refused.value.message
    assert desk.service.PutRates(without("W2"), NO_CONTEXT).version == 2


def test_rates_of_what_has_left_or_was_cancelled_may_go(desk: WarehouseDesk) -> None:
    (sent,) = desk.release(("L1", "W1", 1))
    desk.send(sent)
    desk.release(("L1", "W1", 1), order_id="ord_2")
    desk.cancel("ord_2")

    assert desk.service.PutRates(without("W1"), NO_CONTEXT).version == 2


def test_the_table_that_is_read_can_be_put_and_changes_nothing(desk: WarehouseDesk) -> None:
    table = desk.service.GetRates(pb.GetRatesRequest(), NO_CONTEXT)

    again = pb.PutRatesRequest(
        currency=table.currency, rates=table.rates, zones=table.zones, expected_version=table.version
    )

    assert desk.service.PutRates(again, NO_CONTEXT).version == table.version == 1
    assert sorted(map(str, table.rates)) == sorted(map(str, RATES.rates))


@pytest.mark.on_postgres
def test_of_all_who_saw_one_table_exactly_one_replaces_it(desk: WarehouseDesk) -> None:
    def replace(minor: int) -> int | None:
        rate = pb.Rate(warehouse_id="W7", carrier="post", zone="z", base_minor=minor)
        zone = pb.ZoneRule(country="US", region="*", zone="z")
        wanted = pb.PutRatesRequest(currency="USD", rates=[rate], zones=[zone], expected_version=1)
        try:
            return desk.service.PutRates(wanted, NO_CONTEXT).version
        except Refused as refused:
            if (refused.reason, refused.detail) != ("VERSION_STALE", {"version": "2"}):
                raise
            return None

    outcomes = at_once([partial(replace, minor) for minor in range(1, 7)])

    assert [version for version in outcomes if version is not None] == [2]

from __future__ import annotations

from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment import filter_wire, wire
from services.kernel.errors import InvalidArgument
from tests.fulfillment.desk import DALLAS

NO_NAME = types.Address(street="1", city="D", postal_code="7", country="US")
NO_COUNTRY = types.Address(name="A", street="1", city="D", postal_code="7", country="us")


def line(**members: Any) -> pb.ReleaseLine:
    usual: dict[str, Any] = {"line_id": "L1", "sku": "A", "warehouse_id": "W1", "quantity": 1}
    return pb.ReleaseLine(**(usual | members))


def rate(**members: Any) -> pb.Rate:
    return pb.Rate(**({"warehouse_id": "W", "carrier": "c", "zone": "z"} | members))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"lines": [line(quantity=0)]}, "QUANTITY_NOT_POSITIVE"),
        ({"lines": [line(quantity=-1)]}, "QUANTITY_OUT_OF_RANGE"),
        ({"lines": [line(quantity=2**63 - 1)]}, "QUANTITY_OUT_OF_RANGE"),
        ({"lines": [line(line_id="")]}, "FIELD_MISSING"),
        ({"lines": [line(sku=" ")]}, "FIELD_MISSING"),
        ({"lines": [line(line_id="L\0")]}, "TEXT_NOT_PRINTABLE"),
        ({"lines": [line(sku="A" * 201)]}, "TEXT_TOO_LONG"),
        ({"lines": [line(description="A" * 501)]}, "TEXT_TOO_LONG"),
        ({"lines": [line(unit_weight_grams=-1)]}, "QUANTITY_OUT_OF_RANGE"),
        ({"lines": [line()] * 20_001}, "TOO_MANY_ROWS"),
        ({"order_id": ""}, "FIELD_MISSING"),
        ({"order_number": " "}, "FIELD_MISSING"),
        ({"ship_to": NO_COUNTRY}, "COUNTRY_UNKNOWN"),
        ({"ship_to": NO_NAME}, "FIELD_MISSING"),
    ],
)
def test_a_malformed_release_says_what_is_wrong(broken: dict[str, Any], reason: str) -> None:
    usual: dict[str, Any] = {"order_id": "ord_1", "order_number": "SO-1", "ship_to": DALLAS, "lines": [line()]}

    with pytest.raises(InvalidArgument) as refusal:
        wire.release(pb.ReleaseShipmentsRequest(**(usual | broken)))

    assert refusal.value.reason == reason


def test_a_visit_alone_needs_no_address() -> None:
    request = pb.ReleaseShipmentsRequest(order_id="ord_1", order_number="SO-1", lines=[line(warehouse_id="")])

    assert wire.release(request).ship_to.country == ""


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"status": "eaten"}, "STATUS_UNKNOWN"),
        ({"status": ""}, "STATUS_UNKNOWN"),
        ({"occurred_at_micros": 0}, "INSTANT_OUT_OF_RANGE"),
        ({"occurred_at_micros": -1}, "INSTANT_OUT_OF_RANGE"),
        ({"occurred_at_micros": 2**63 - 1}, "INSTANT_OUT_OF_RANGE"),
        ({"event_id": ""}, "FIELD_MISSING"),
        ({"carrier": "a\0b"}, "TEXT_NOT_PRINTABLE"),
        ({"tracking_number": ""}, "FIELD_MISSING"),
        ({"tracking_number": "SLO!"}, "TRACKING_NUMBER_MISREAD"),
    ],
)
def test_a_malformed_event_says_what_is_wrong(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        wire.carrier_event(event(**broken))

    assert refusal.value.reason == reason


def test_a_tracking_number_is_read_as_people_type_it() -> None:
    assert wire.carrier_event(event(tracking_number=" slo000000000018 ")).tracking_number == "SLO000000000018"


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"limit": 501}, "LIMIT_OUT_OF_RANGE"),
        ({"limit": -1}, "LIMIT_OUT_OF_RANGE"),
        ({"cursor": "abc"}, "CURSOR_INVALID"),
        ({"cursor": "9" * 19}, "CURSOR_INVALID"),
        ({"state": 17}, "STATE_UNKNOWN"),
        ({"order_id": "\0"}, "TEXT_NOT_PRINTABLE"),
    ],
)
def test_a_malformed_list_request_says_what_is_wrong(wanted: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        filter_wire.shipment_filter(pb.ListShipmentsRequest(**wanted))

    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"currency": ""}, "CURRENCY_UNKNOWN"),
        ({"rates": [rate(warehouse_id="")]}, "FIELD_MISSING"),
        ({"rates": [rate(base_minor=-1)]}, "RATE_NEGATIVE"),
        ({"rates": [rate(per_kg_minor=2**62)]}, "AMOUNT_TOO_LARGE"),
        ({"rates": [rate(transit_days=366)]}, "TRANSIT_OUT_OF_RANGE"),
        ({"rates": [rate(), rate(transit_days=1)]}, "DUPLICATE_RATE"),
        ({"zones": [pb.ZoneRule(country="usa", region="*", zone="z")]}, "COUNTRY_UNKNOWN"),
        ({"zones": [pb.ZoneRule(country="US", zone="z")]}, "FIELD_MISSING"),
        ({"zones": [pb.ZoneRule(country="US", region="*", zone=zone) for zone in "yz"]}, "DUPLICATE_ZONE_RULE"),
    ],
)
def test_a_malformed_table_says_what_is_wrong(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        wire.rate_table(pb.PutRatesRequest(**({"currency": "USD"} | table)))

    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("grams", "units", "country"), [(-1, 1, "US"), (1, -1, "US"), (2**63 - 1, 1, "US"), (1, 1, "")]
)
def test_a_malformed_quote_request_is_refused(grams: int, units: int, country: str) -> None:
    ship_to = types.Address(country=country)

    with pytest.raises(InvalidArgument):
        wire.quote_request(pb.QuoteWarehousesRequest(ship_to=ship_to, weight_grams=grams, unit_count=units))


def event(**members: Any) -> pb.RecordCarrierEventRequest:
    usual: dict[str, Any] = {
        "carrier": "slow",
        "event_id": "e1",
        "tracking_number": "SLO000000000018",
        "status": "delivered",
        "occurred_at_micros": 1,
    }
    return pb.RecordCarrierEventRequest(**(usual | members))

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from oms.inventory.v1 import inventory_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.inventory import wire
from services.kernel.errors import InvalidArgument


def reserve(**changes: object) -> pb.ReserveStockRequest:
    line = types.LineQuantity(line_id="l1", sku="A", quantity=1)
    fields: dict[str, object] = {
        "request_id": "k",
        "order_id": "o1",
        "lines": [line],
        "costs": [pb.WarehouseCost(warehouse_id="w1", cost_minor=1)],
    }
    return pb.ReserveStockRequest(**{**fields, **changes})  # type: ignore[arg-type]  # fields by name, each of its type


def line(**changes: object) -> pb.ReserveStockRequest:
    fields: dict[str, object] = {"line_id": "l1", "sku": "A", "quantity": 1}
    return reserve(lines=[types.LineQuantity(**{**fields, **changes})])  # type: ignore[arg-type]  # see reserve()


def receive(**changes: object) -> pb.ReceiveStockRequest:
    fields: dict[str, object] = {
        "warehouse_id": "w1",
        "sku": "A",
        "quantity": 1,
        "unit_cost": "1.00",
        "currency": "USD",
    }
    return pb.ReceiveStockRequest(**{**fields, **changes})  # type: ignore[arg-type]  # see reserve()


def expect(expected_on: str) -> pb.ExpectReceiptRequest:
    return pb.ExpectReceiptRequest(warehouse_id="w1", sku="A", quantity=1, expected_on=expected_on)


def warehouse(**changes: object) -> pb.PutWarehouseRequest:
    fields: dict[str, object] = {"warehouse_id": "w1", "name": "Dallas", "kind": "own"}
    return pb.PutWarehouseRequest(warehouse=pb.Warehouse(**{**fields, **changes}))  # type: ignore[arg-type]  # see reserve()


def adjust(delta: int, reason: str = "count") -> pb.AdjustStockRequest:
    return pb.AdjustStockRequest(warehouse_id="w1", sku="A", delta=delta, reason=reason)


TWICE = types.LineQuantity(line_id="l1", sku="A", quantity=1)


def _tariff(**members: Any) -> pb.WarehouseCost:
    tariff = pb.CarrierTariff(**{"carrier": "ups"} | members)
    return pb.WarehouseCost(warehouse_id="w1", tariffs=[tariff])


PLACE = pb.WarehouseCost(warehouse_id="w1", cost_minor=1)

MALFORMED: list[tuple[Callable[..., object], Message, str]] = [
    (wire.demand, line(quantity=0), "QUANTITY_NOT_POSITIVE"),
    (wire.demand, line(quantity=-1), "QUANTITY_OUT_OF_RANGE"),
    (wire.demand, line(quantity=10**9 + 1), "QUANTITY_OUT_OF_RANGE"),
    (wire.demand, line(quantity=2**63 - 1), "QUANTITY_OUT_OF_RANGE"),
    (wire.demand, line(sku=""), "SKU_MALFORMED"),
    (wire.demand, line(sku="A B"), "SKU_MALFORMED"),
    (wire.demand, line(sku="A\n"), "SKU_MALFORMED"),
    (wire.demand, line(sku="A" * 65), "SKU_MALFORMED"),
    (wire.demand, line(line_id=""), "FIELD_MISSING"),
    (wire.demand, line(line_id="l\x00"), "TEXT_NOT_PRINTABLE"),
    (wire.demand, line(line_id="l\u202e"), "TEXT_NOT_PRINTABLE"),
    (wire.demand, line(line_id="l 1"), "ID_MALFORMED"),
    (wire.demand, reserve(lines=[TWICE, TWICE]), "LINE_TWICE"),
    (wire.demand, reserve(costs=[PLACE, PLACE]), "WAREHOUSE_TWICE"),
    (wire.demand, reserve(costs=[]), "WAREHOUSES_MISSING"),
    (wire.demand, reserve(costs=[pb.WarehouseCost(warehouse_id="w1", cost_minor=-1)]), "NUMBER_OUT_OF_RANGE"),
    (wire.demand, reserve(costs=[_tariff(base_minor=-1)]), "NUMBER_OUT_OF_RANGE"),
    (wire.demand, reserve(costs=[_tariff(promised_on="soon")]), "DATE_MALFORMED"),
    (wire.demand, reserve(costs=[_tariff(late_days=-1)]), "NUMBER_OUT_OF_RANGE"),
    (wire.demand, reserve(costs=[_tariff(carrier="")]), "FIELD_MISSING"),
    (wire.demand, reserve(unit_weights=[pb.SkuWeight(sku="A", grams=-1)]), "NUMBER_OUT_OF_RANGE"),
    (wire.demand, reserve(unit_weights=[pb.SkuWeight(sku="A"), pb.SkuWeight(sku="A")]), "SKU_TWICE"),
    (wire.demand, reserve(currency="XXX"), "CURRENCY_UNKNOWN"),
    (wire.demand, reserve(order_id="o" * 65), "TEXT_TOO_LONG"),
    (wire.demand, reserve(placed_at_micros=-1), "NUMBER_OUT_OF_RANGE"),
    (wire.demand, reserve(lease_seconds=-1), "NUMBER_OUT_OF_RANGE"),
    (wire.demand, reserve(lines=[TWICE] * 2001), "TOO_MANY"),
    (wire.receipt, receive(unit_cost="-1"), "PRICE_OUT_OF_RANGE"),
    (wire.receipt, receive(unit_cost="1e3"), "NOT_AN_AMOUNT"),
    (wire.receipt, receive(unit_cost="NaN"), "NOT_AN_AMOUNT"),
    (wire.receipt, receive(unit_cost="1.1234567"), "NOT_AN_AMOUNT"),
    (wire.receipt, receive(currency="usd"), "CURRENCY_UNKNOWN"),
    (wire.receipt, receive(reference="a\x07"), "TEXT_NOT_PRINTABLE"),
    (wire.adjustment, adjust(0), "NOTHING_TO_ADJUST"),
    (wire.adjustment, adjust(-(10**9) - 1), "NUMBER_OUT_OF_RANGE"),
    (wire.adjustment, adjust(1, ""), "FIELD_MISSING"),
    (wire.announcement, expect("20260301"), "DATE_MALFORMED"),
    (wire.announcement, expect("2026-02-30"), "DATE_MALFORMED"),
    (wire.announcement, expect(""), "DATE_MALFORMED"),
    (wire.warehouse, warehouse(kind="depot"), "WAREHOUSE_KIND"),
    (wire.warehouse, warehouse(name=""), "FIELD_MISSING"),
    (wire.warehouse, warehouse(address=types.Address(country="usa")), "COUNTRY_UNKNOWN"),
]


@pytest.mark.parametrize(("read", "request_message", "reason"), MALFORMED)
def test_a_malformed_request_is_refused_with_a_sentence(
    read: Callable[..., object], request_message: Message, reason: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        read(request_message)

    assert refusal.value.reason == reason
    assert len(refusal.value.message) > 20


def test_a_page_has_two_hundred_rows_unless_asked_and_a_thousand_at_most() -> None:
    assert (wire.limit(0), wire.limit(1000)) == (200, 1000)
    for count in (-1, 1001):
        with pytest.raises(InvalidArgument):
            wire.limit(count)


def test_a_cursor_that_no_list_gave_is_refused() -> None:
    for cursor in ("A", "|w1", "A|", "A|w 1"):
        with pytest.raises(InvalidArgument):
            wire.level_cursor(cursor)

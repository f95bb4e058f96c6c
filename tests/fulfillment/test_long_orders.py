"""An order of as many lines as one may have costs fulfillment as many statements as one of a tenth of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument
from tests.fulfillment.desk import NO_CONTEXT, WarehouseDesk
from tests.plans import counted

FEWER = MAX_LINES // 10


def life(desk: WarehouseDesk, count: int) -> dict[str, int]:
    """Step → its statements: from two warehouses, units recalled from one of them, the other one shipped, delivered, listed."""
    order_id = f"ord_{count}"
    lines = [(str(number), place, 2) for number in range(1, count + 1) for place in ("W1", "W2")]
    with counted(desk.database) as ran:
        first, second = desk.release(*lines, order_id=order_id)
    statements = {"release": len(ran)}
    kept = {str(number): 3 for number in range(1, count + 1)}
    steps: dict[str, Callable[[], object]] = {
        "pick": lambda: desk.pick(second, *((line.line_id, 2) for line in second.lines)),
        "pack": lambda: desk.pack(second),
        "ship": lambda: desk.ship(second),
        "recall": lambda: desk.recall(order_id, f"chg_{count}", "", **kept),
        "answer": lambda: desk.answer(desk.recalls(order_id=order_id).recalls[0].recall_id, yes=True),
        "cancel": lambda: desk.cancel(order_id),
        "list": lambda: desk.page(order_id=order_id),
    }
    for name, act in steps.items():
        with counted(desk.database) as ran:
            act()
        statements[name] = len(ran)
    assert first.shipment_id != second.shipment_id
    return statements


def test_statements_do_not_grow_with_the_lines_of_an_order(desk: WarehouseDesk) -> None:
    desk.release(("1", "W1", 1), order_id="ord_0")  # reads the rates, which are kept

    few, many = life(desk, FEWER), life(desk, MAX_LINES)

    assert many == few
    assert desk.broken_rules() == {}


def test_a_picker_counts_as_many_lines_as_a_shipment_may_have(desk: WarehouseDesk) -> None:
    lines = [types.LineQuantity(line_id=str(number), quantity=1) for number in range(MAX_LINES + 1)]
    request = pb.PickShipmentRequest(request_id="r", shipment_id="shp_1", lines=lines)

    with pytest.raises(InvalidArgument) as refused:
        desk.service.PickShipment(request, NO_CONTEXT)

    assert refused.value.reason == "TOO_MANY_ROWS"

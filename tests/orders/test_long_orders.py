"""An order of as many lines as one may have costs orders as many statements as one of a tenth of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.bounds import MAX_LINES, MAX_MESSAGE
from services.kernel.errors import InvalidArgument
from services.orders.domain.mails.mail import MOST_ROWS
from services.orders.domain.masterdata import Product
from services.orders.masterdata import catalog
from services.orders.order import aggregate
from tests.orders.desk import ANY, NOON, SUPPORT, Desk, invoiced, shipment, stock, together, usd
from tests.plans import counted

FEWER = MAX_LINES // 10


def stocked(desk: Desk, count: int) -> None:
    """A catalog of so many products, S1 and so on."""
    with desk.database.transaction() as session:
        for number in range(1, count + 1):
            product = Product(f"S{number}", f"Part {number}", list_price=usd("0.10"), standard_cost=usd("0.05"))
            catalog.put_product(session, product, "root", NOON)


def life(desk: Desk, count: int) -> dict[str, int]:
    """Step → its statements, from placed to invoiced: half of each line at once, the rest waits for supply."""
    statements: dict[str, int] = {}
    with counted(desk.database) as ran:
        order_id = desk.place(*((f"S{number}", 2) for number in range(1, count + 1))).order_id
    statements["place"] = len(ran)
    lines = [str(number) for number in range(1, count + 1)]
    promises = [
        pb.LinePromise(line_id=line, quantity=1, promised_on=day) for line in lines for day in ("2026-12-01", "")
    ]
    half = dict.fromkeys(lines, 1)
    steps: dict[str, Callable[[], object]] = {
        "validate": lambda: desk.validate(order_id),
        "accept": lambda: desk.record(order_id, "accepted", promises=promises),
        "reserve": lambda: desk.notify(
            desk.fact(order_id, "inventory", "stock_reserved", 1, stock(dict.fromkeys(lines, (1, 1))))
        ),
        "release": lambda: desk.notify(
            desk.fact(order_id, "fulfillment", "shipments_released", 1, together(shipment("SH-1", "released", half)))
        ),
        "expect": lambda: desk.notify(
            desk.fact(order_id, "inventory", "stock_expected", 2, stock(dict.fromkeys(lines, (1, 1)), "2026-12-24"))
        ),
        "ship": lambda: desk.notify(
            desk.fact(order_id, "fulfillment", "shipment_shipped", 2, shipment("SH-1", "shipped", half))
        ),
        "invoice": lambda: desk.notify(
            desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", count * 10, half))
        ),
        "read": lambda: desk.servicer.GetOrder(pb.GetOrderRequest(order_id=order_id), ANY),
        "show": lambda: page_of(desk, order_id),
    }
    for name, act in steps.items():
        with counted(desk.database) as ran:
            act()
        statements[name] = len(ran)
    return statements


def page_of(desk: Desk, order_id: str) -> aggregate.OrderPage:
    with desk.database.reading() as session:
        return aggregate.page(session, order_id, SUPPORT.scope)


def test_statements_do_not_grow_with_the_lines_of_an_order(desk: Desk) -> None:
    stocked(desk, MAX_LINES)

    few, many = life(desk, FEWER), life(desk, MAX_LINES)

    assert many == few
    assert desk.broken() == []


def test_an_order_has_no_more_lines_than_everybody_takes(desk: Desk) -> None:
    with pytest.raises(InvalidArgument) as refused:
        desk.place(*[("PUMP", 1)] * (MAX_LINES + 1))

    assert refused.value.reason == "LINES_OUT_OF_RANGE"


def test_mails_list_their_first_lines_and_say_how_many_more_there_are(desk: Desk) -> None:
    order_id = desk.accepted(*[("PUMP", 1)] * (MOST_ROWS + 7))

    received = desk.outbox("notify", order_id)[0]["detail"]["variables"]

    assert (len(received["lines"]), received["more_lines"]) == (MOST_ROWS, 7)


def test_the_longest_order_of_the_longest_texts_fits_a_call_several_times() -> None:
    line = pb.OrderLine(
        line_id="999999", sku="S" * 64, description="\N{PILE OF POO}" * 500, kind="build_to_order", quantity=10**9,
        unit_price="123456789012.123456", unit_weight_grams=10**9,
    )  # fmt: skip

    assert line.ByteSize() * MAX_LINES * 3 < MAX_MESSAGE

"""Dangerous goods: an order line keeps what its product was when it was ordered, over all its versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.orders.masterdata import catalog
from services.orders.order import aggregate
from services.orders.store import versions
from tests.orders.desk import ANY, PRODUCTS, Desk


def flag(desk: Desk, *, is_hazardous: bool) -> None:
    with desk.database.transaction() as session:
        catalog.put_product(session, replace(PRODUCTS[0], is_hazardous=is_hazardous), "root", desk.now)


@pytest.mark.on_postgres
def test_a_line_keeps_whether_its_product_was_dangerous(desk: Desk) -> None:
    flag(desk, is_hazardous=True)
    placed = desk.place(("PUMP", 2), ("CENT", 1))
    flag(desk, is_hazardous=False)
    later = desk.place(("PUMP", 2))

    asked = [pb.GetOrderRequest(order_id=one.order_id) for one in (placed, later)]
    first, second = (desk.servicer.GetOrder(one, ANY).order for one in asked)

    assert [line.is_hazardous for line in first.lines] == [True, False]
    assert [line.is_hazardous for line in second.lines] == [False]


def test_its_versions_keep_it_too(desk: Desk) -> None:
    flag(desk, is_hazardous=True)
    placed = desk.place(("PUMP", 2), ("CENT", 1))

    with desk.database.reading() as session:
        order = aggregate.read(session, placed.order_id).order
    read = versions.of_document(order, versions.document(order))

    assert [line.is_hazardous for line in read.lines] == [True, False]
    assert "is_hazardous" not in versions.document(order)["lines"][1]

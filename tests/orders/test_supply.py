"""Supply that is announced after an order was accepted: its page and its promises have the new day."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.calendars import Calendar
from services.orders.domain import promises
from services.orders.domain.mails import Promise
from services.orders.domain.projection import LineProgress, Progress
from tests.orders.desk import Desk, shipment, stock, together


def test_the_day_of_later_supply_becomes_the_promise_of_what_waits(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 5)).order_id
    desk.validate(order_id)
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (2, 3)})))
    at_work = together(shipment("SH-1", "released", {"1": 2}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipments_released", 1, at_work))
    days = [pb.LinePromise(line_id="1", quantity=2, promised_on="2026-11-27"), pb.LinePromise(line_id="1", quantity=3)]
    desk.record(order_id, "accepted", promises=days)

    desk.notify(desk.fact(order_id, "inventory", "stock_expected", 2, stock({"1": (2, 3)}, "2026-12-03")))

    found = desk.read(order_id)
    waiting = Promise("1", 3, "2026-12-03", True, "2026-12-03")
    assert found.promises == (Promise("1", 2, "2026-11-27"), waiting)
    assert found.lines()["1"].expected_on == "2026-12-03"
    assert (desk.events(order_id)[-1].what, desk.events(order_id)[-1].why) == ("stock_expected", "2026-12-03")
    assert desk.signals(order_id) == []
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 2, shipment("SH-1", "delivered", {"1": 2})))
    waits = desk.read(order_id).standing.waiting_for
    assert waits is not None
    assert (waits.who, waits.due) == ("supplier", date(2026, 12, 3))
    assert desk.broken() == []


def test_days_that_come_late_change_no_promise(desk: Desk) -> None:
    order_id = desk.place(("PUMP", 5)).order_id
    desk.validate(order_id)
    desk.notify(desk.fact(order_id, "inventory", "stock_allocated", 3, stock({"1": (2, 3)}, "2026-12-09")))
    desk.record(order_id, "accepted", promises=[pb.LinePromise(line_id="1", quantity=3, promised_on="2026-12-09")])

    desk.notify(desk.fact(order_id, "inventory", "stock_expected", 2, stock({"1": (0, 5)}, "2026-12-03")))

    assert desk.read(order_id).promises == (Promise("1", 3, "2026-12-09"),)


@given(
    shipped=st.lists(st.integers(1, 9), max_size=3),
    waits=st.integers(0, 9),
    was=st.sampled_from(["", "2026-12-01"]),
    now=st.sampled_from(["", "2026-12-01", "2026-12-03"]),
)
def test_new_days_keep_every_unit_and_what_is_in_shipments(shipped: list[int], waits: int, was: str, now: str) -> None:
    in_shipments = [Promise("1", units, "2026-12-01") for units in shipped]
    waiting = [Promise("1", waits, was)] if waits else []
    before = Progress({"1": LineProgress(backordered=waits, expected_on=was)})
    after = Progress({"1": LineProgress(backordered=waits, expected_on=now)})

    promised = promises.moved(
        [*in_shipments, Promise("2", 4, was), *waiting], before, after, Calendar("business"), date(2026, 11, 1)
    )

    assert [(one.line_id, one.quantity, one.promised_on) for one in promised] == [
        *(("1", units, "2026-12-01") for units in shipped),
        ("2", 4, was),
        *([("1", waits, now)] if waits else []),
    ]

"""Schedules of warehouses: stored once, seen by quotes and promises, and free for who has none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.fulfillment.v1 import schedules_pb2
from services.kernel.errors import InvalidArgument, Refused
from tests.fulfillment.desk import DALLAS, NO_CONTEXT, WarehouseDesk

pytestmark = pytest.mark.on_postgres


def put(desk: WarehouseDesk, expected: int | None = None, **members: Any) -> schedules_pb2.Schedule:
    """The schedule of W1: Monday to Friday, UTC, but for what is named."""
    usual: dict[str, Any] = {"warehouse_id": "W1", "working_days": ["mon", "tue", "wed", "thu", "fri"]}
    schedule = schedules_pb2.Schedule(**(usual | members))
    request = schedules_pb2.PutScheduleRequest(schedule=schedule, expected_version=expected)
    return desk.service.PutSchedule(request, NO_CONTEXT).schedule


def quoted(desk: WarehouseDesk, units: int = 4) -> dict[str, tuple[str, str]]:
    """Warehouse → the day that its first carrier promises, and why it begins later."""
    request = pb.QuoteWarehousesRequest(ship_to=DALLAS, weight_grams=500 * units, unit_count=units)
    found = desk.service.QuoteWarehouses(request, NO_CONTEXT).quotes
    return {one.warehouse_id: (one.tariffs[0].promised_on, one.delay) for one in found}


def test_quotes_and_promises_follow_the_cut_off(desk: WarehouseDesk) -> None:
    before = quoted(desk)
    [prompt] = desk.release(("L1", "W1", 4))
    day = desk.clock.now.strftime("%H:%M")

    stored = put(desk, cut_off=day)
    after = quoted(desk)
    [late] = desk.release(("L1", "W1", 4), order_id="ord_2")

    assert (stored.version, stored.cut_off, stored.time_zone) == (1, day, "UTC")
    assert after["W2"] == before["W2"]
    assert date.fromisoformat(after["W1"][0]) > date.fromisoformat(before["W1"][0])
    assert f"its cut-off at {day} has passed" in after["W1"][1]
    assert late.promised_on > prompt.promised_on
    assert desk.broken_rules() == {}


def test_what_is_with_the_warehouse_and_not_packed_is_before_what_comes(desk: WarehouseDesk) -> None:
    put(desk, daily_units=10)
    empty = quoted(desk, 10)["W1"]

    [first] = desk.release(("L1", "W1", 6))
    behind = quoted(desk, 10)["W1"]
    desk.pick(first)
    still = quoted(desk, 10)["W1"]
    desk.pack(first)
    done = quoted(desk, 10)["W1"]

    assert empty[1] == ""
    assert "it handles 10 units a day, and 6 are before these 10" in behind[1]
    assert (still, done) == (behind, empty)


def test_a_schedule_is_replaced_by_who_saw_it_and_the_same_again_is_nothing(desk: WarehouseDesk) -> None:
    first = put(desk, cut_off="14:00", closed_on=["2026-12-24", "2026-12-24"], holidays_of="US-TX")
    again = put(desk, cut_off="14:00", closed_on=["2026-12-24"], holidays_of="US-TX")
    second = put(desk, 1, cut_off="15:00")
    with pytest.raises(Refused, match="version 2"):
        put(desk, 1, cut_off="16:00")

    assert (first.version, again.version, second.version) == (1, 1, 2)
    assert first.closed_on == ["2026-12-24"]
    [listed] = desk.service.ListSchedules(schedules_pb2.ListSchedulesRequest(), NO_CONTEXT).schedules
    assert listed == second


def test_a_public_holiday_is_a_day_off(desk: WarehouseDesk) -> None:
    put(desk, holidays_of="US-TX")
    desk.clock.now = datetime(2026, 7, 3, 9, tzinfo=UTC)  # Independence Day is observed on this Friday

    assert "it is closed on 2026-07-03" in quoted(desk)["W1"][1]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"working_days": []}, "WEEKDAY_UNKNOWN"),
        ({"working_days": ["monday"]}, "WEEKDAY_UNKNOWN"),
        ({"time_zone": "Mars/Base"}, "TIME_ZONE_UNKNOWN"),
        ({"time_zone": "../etc/passwd"}, "TIME_ZONE_UNKNOWN"),
        ({"cut_off": "2 pm"}, "TIME_UNREADABLE"),
        ({"closed_on": ["Christmas"]}, "DATE_UNREADABLE"),
        ({"closed_on": ["2026-12-24"] * 367}, "TOO_MANY_ROWS"),
        ({"holidays_of": "Texas"}, "CALENDAR_UNKNOWN"),
        ({"daily_units": -1}, "QUANTITY_OUT_OF_RANGE"),
        ({"warehouse_id": ""}, "FIELD_MISSING"),
    ],
)
def test_what_is_no_schedule_says_what_to_do(desk: WarehouseDesk, members: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        put(desk, **members)

    assert refused.value.reason == reason

"""The day that an instant is on: the company's, or that of people with a calendar of their own, never simply UTC's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.console.readable import Readable
from oms.billing.v1 import billing_pb2
from services.billing import models as billing_models
from services.fulfillment import models as fulfillment_models
from services.kernel.calendars import Calendar, after_hours
from services.kernel.clock import business_day, start_of_day
from services.kernel.formats import Formats
from services.orders.domain.access import EVERYTHING
from services.orders.domain.changes import LineChange
from services.orders.domain.masterdata import PriceAgreement
from services.orders.domain.matrix import Deadlines
from services.orders.domain.review_plan import MANUFACTURING, opened
from services.orders.domain.reviews import ANY, Step
from services.orders.masterdata import prices
from services.orders.overview.figures import read_figures
from services.orders.policies import contexts
from services.orders.policies.examples import examples
from tests.billing.desk import CONTEXT, order_of
from tests.billing.desk import Desk as BillingDesk
from tests.conftest import MakeDatabase
from tests.fulfillment.desk import WarehouseDesk
from tests.orders.change_desk import asked, changed
from tests.orders.desk import NOON, Desk, usd

CHICAGO, KOLKATA, AUCKLAND = "America/Chicago", "Asia/Kolkata", "Pacific/Auckland"

# instant, zone, the business day there
DAYS = [
    ("2026-06-01T04:59:59+00:00", CHICAGO, "2026-05-31"),  # CDT is UTC−5
    ("2026-06-01T05:00:00+00:00", CHICAGO, "2026-06-01"),
    ("2026-12-01T05:59:59+00:00", CHICAGO, "2026-11-30"),  # CST is UTC−6
    ("2026-12-01T06:00:00+00:00", CHICAGO, "2026-12-01"),
    ("2026-05-31T18:29:59+00:00", KOLKATA, "2026-05-31"),  # UTC+5:30
    ("2026-05-31T18:30:00+00:00", KOLKATA, "2026-06-01"),
    ("2026-12-31T10:59:59+00:00", AUCKLAND, "2026-12-31"),  # NZDT is UTC+13
    ("2026-12-31T11:00:00+00:00", AUCKLAND, "2027-01-01"),
    ("2026-06-01T00:00:00+00:00", "UTC", "2026-06-01"),
    ("2026-06-01T23:30:00-05:00", "UTC", "2026-06-02"),
]
EVENING = datetime(2026, 12, 1, 3, 0, tzinfo=UTC)
"""Monday, November 30, 9 PM in Chicago."""
MONDAY, TUESDAY = date(2026, 11, 30), date(2026, 12, 1)
IN_BOTH = [("UTC", TUESDAY), (CHICAGO, MONDAY)]


@pytest.mark.parametrize(("instant", "zone", "day"), DAYS)
def test_an_instant_is_on_the_day_of_its_place(instant: str, zone: str, day: str) -> None:
    at = datetime.fromisoformat(instant)

    assert business_day(at, zone).isoformat() == day


@given(st.integers(0, 20 * 366 * 86_400), st.sampled_from(DAYS))
def test_a_day_begins_where_the_one_before_it_ends(seconds: int, case: tuple[str, str, str]) -> None:
    at, zone = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds), case[1]
    begins = start_of_day(business_day(at, zone), zone)

    assert business_day(begins, zone) == business_day(at, zone)
    assert business_day(begins - timedelta(microseconds=1), zone) < business_day(at, zone)


def test_a_naive_instant_has_no_day() -> None:
    with pytest.raises(ValueError, match="time zone"):
        business_day(EVENING.replace(tzinfo=None), "UTC")


@pytest.fixture(params=IN_BOTH, ids=["UTC", "Chicago"])
def today(request: pytest.FixtureRequest, desk: Desk) -> date:
    """The company's business day of EVENING; the desk is the company's."""
    desk.database.time_zone, day = request.param
    desk.now = EVENING - timedelta(seconds=1)
    found: date = day
    return found


def test_a_price_begins_on_the_companys_day(desk: Desk, today: date) -> None:
    with desk.database.transaction() as session:
        prices.put_agreement(session, PriceAgreement("cus_acme", "PUMP", usd("99.00"), TUESDAY), "root", NOON)

    order_id = desk.accepted(("PUMP", 1))
    changed(desk, order_id, asked(LineChange(sku="PUMP", quantity=1)))

    price = usd("99.00") if today == TUESDAY else usd("129.00")
    assert [line.unit_price for line in desk.read(order_id).order.lines] == [price, price]


def test_rules_count_from_the_companys_day_and_see_its_agreements(desk: Desk, today: date) -> None:
    on_monday = desk.validate(desk.place(("PUMP", 1), requested_on=MONDAY).order_id)
    agreement = PriceAgreement("cus_example", "PUMP", usd("99.00"), TUESDAY)
    whole = examples()[0]
    evidence = replace(
        whole,
        order=replace(whole.order, placed_at=EVENING),
        agreements={"PUMP": (agreement,)},
        time_zone=desk.database.time_zone,
    )

    seen = contexts.line_context(whole.order.lines[0], evidence)["agreement"]["exists"]

    is_late = today == TUESDAY
    assert ("REQUESTED_DATE_PAST" in on_monday.reasons) == is_late
    assert seen == (today == TUESDAY)


def test_the_mail_of_a_new_order_names_the_companys_day(desk: Desk, today: date) -> None:
    order_id = desk.place(("PUMP", 1)).order_id

    received = next(row for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "order_received")

    assert today.isoformat() in json.dumps(received["detail"])


def test_what_is_due_on_the_companys_day_is_not_late_yet(desk: Desk, today: date) -> None:
    desk.accepted(("PUMP", 1))
    with desk.database.transaction() as session:
        session.execute(text("UPDATE order_progress SET waiting_due = :on"), {"on": MONDAY.isoformat()})

    with desk.database.reading() as session:
        waiting = read_figures(session, EVERYTHING, (), (), EVENING, with_margins=False).waiting
    now = EVENING.astimezone(ZoneInfo(desk.database.time_zone))

    readable = Readable(Formats(desk.database.time_zone))
    is_late = today == TUESDAY
    assert bool(waiting.past_due) == is_late
    assert (readable.is_late(MONDAY, now), readable.due(MONDAY, now)) == (is_late, "1 d late" if is_late else "today")


@pytest.mark.parametrize(("zone", "day"), IN_BOTH)
def test_an_invoice_is_of_the_companys_day_and_due_from_it(make_database: MakeDatabase, zone: str, day: date) -> None:
    desk = BillingDesk(make_database(billing_models.Table.metadata, "billing"))
    desk.database.time_zone = zone

    invoice = desk.invoice(order_of({"1": (1, "10.00")}, net_days=30), "shp_1", {"1": 1}, shipped_at=EVENING)

    due = day + timedelta(days=30)
    assert (invoice.invoiced_on, invoice.due_on) == (day.isoformat(), due.isoformat())


@pytest.mark.parametrize(("zone", "day"), IN_BOTH)
def test_a_receivable_ages_by_the_companys_day(make_database: MakeDatabase, zone: str, day: date) -> None:
    desk = BillingDesk(make_database(billing_models.Table.metadata, "billing"))
    desk.database.time_zone = zone
    on_monday = EVENING - timedelta(hours=12)
    desk.invoice(order_of({"1": (1, "10.00")}, net_days=0), "shp_1", {"1": 1}, shipped_at=on_monday)
    desk.now = EVENING

    (row,) = desk.billing.ListReceivables(billing_pb2.ListReceivablesRequest(), CONTEXT).receivables

    # due on Monday: on Tuesday one day over, on Monday not
    is_over = day == TUESDAY
    assert (row.current_minor, row.days_30_minor) == ((0, 1000) if is_over else (1000, 0))


@pytest.mark.parametrize(("zone", "promised"), [("UTC", "2026-12-07"), (CHICAGO, "2026-12-04")])
def test_a_promise_counts_from_the_companys_day(make_database: MakeDatabase, zone: str, promised: str) -> None:
    desk = WarehouseDesk(make_database(fulfillment_models.Table.metadata, "fulfillment"))
    desk.database.time_zone = zone
    desk.clock.now = EVENING

    (shipment,) = desk.release(("L1", "W1", 1))

    # one day of handling and three of the carrier: from Tuesday to Monday, from Monday to Friday
    assert shipment.promised_on == promised


@pytest.mark.parametrize(("zone", "day"), IN_BOTH)
def test_a_plant_is_asked_on_its_own_day(zone: str, day: date) -> None:
    step = Step("stp", "rev", "ord", 1, "seller", 1, MANUFACTURING, "", ANY, 1, "none", (), ())

    assert opened(step, (), Calendar("plant", zone), Deadlines(), EVENING).asked_on == day


def test_business_hours_count_from_the_day_of_their_people() -> None:
    # 9 PM on Monday in Chicago: an hour of Tuesday from 8 AM there, 14:00 UTC
    office = Calendar("office", CHICAGO, frozenset(range(5)), time(8), time(17))

    assert after_hours(office, EVENING, 1) == datetime(2026, 12, 1, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("service", ["billing", "fulfillment", "inventory", "orders"])
def test_every_process_gives_its_database_the_companys_clock(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_TIME_ZONE", CHICAGO)
    room = import_module(f"services.{service}.__main__")
    settings = import_module(f"services.{service}.settings").Settings
    own = {"database_url": f"sqlite:///{tmp_path}/own.db", "listen": "127.0.0.1:0", "keys_dir": tmp_path / "keys"}

    process = room.assemble(settings(**own, **({"http_listen": "127.0.0.1:0"} if service == "orders" else {})))

    assert process.database.time_zone == CHICAGO
    process.stop(0.1)

"""What cancelling costs of what is built to order: by the policy's ladder, shown before, charged once, and waived by staff alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import yaml

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.calendars import Calendar, before_working_days
from services.kernel.errors import InvalidArgument, NotPermitted
from services.orders.approvals import production
from services.orders.domain.consequence import consequence
from services.orders.domain.fee_ladders import NO_FEES, FeeLadder, parse_fees
from services.orders.domain.fees import FeeTerms
from services.orders.domain.masterdata import Product
from services.orders.domain.order import Settlement, totals
from services.orders.domain.projection import LineProgress, Progress
from services.orders.domain.tax_parts import DEFAULT_TAXATION, PENDING, Taxation
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Asked
from services.orders.masterdata import catalog
from services.orders.policies import engine
from services.orders.policies import versions as policy_versions
from services.runtime.db import Database
from tests.orders.cancel_desk import ask, found, preview, settle
from tests.orders.desk import ANY, BUYER, SUPPORT, Desk, amount, stock, usd
from tests.orders.review_desk import ReviewDesk
from tests.orders.test_domain_projection import order
from tests.orders.test_review_life import PIA, made_to_order

LADDER = {"not_started": 10, "started": 40, "finished": 100}


def _desk_with_fees(desk: Desk, **ladder: object) -> None:
    document = yaml.safe_load(engine.BUILT_IN.read_text("utf-8"))
    document["cancellation_fees"] = {**LADDER, **ladder}
    with desk.database.transaction() as session:
        policy_versions.put_policy(session, document, "root", desk.now)
        catalog.put_product(session, Product("RIG", "Rig", "build_to_order", usd("100.00")), "root", desk.now)


def _fee(
    terms: FeeTerms,
    units: int,
    so_far: LineProgress,
    settlement: Settlement | None = None,
    taxation: Taxation = DEFAULT_TAXATION,
) -> list[tuple[str, int, str]]:
    """Stage, units and amount of what cancelling units of an order of 10 at 100.00 costs; the whole order for all of them."""
    of = order(10)
    [line] = of.lines
    line = replace(line, kind="build_to_order", unit_price=usd("100.00"), extended=amount("1000.00"))
    of = replace(
        of,
        lines=(line,),
        totals=totals([line], amount("0.00"), amount("0.00"), taxation),
        settlement=settlement,
        taxation=taxation,
    )
    does = consequence(of, None, Progress({"1": so_far}), {"1": units}, None, fees=terms)
    return [(one.stage, one.units, str(one.amount.amount)) for one in does.fee.lines] if does.fee else []


def test_units_cost_by_how_far_they_are_built() -> None:
    """10 at 100.00: 4 are in stock, 6 wait; 40 % of 600.00 and all of 400.00 once the plant has begun."""
    so_far, ladder = LineProgress(allocated=4, backordered=6), FeeLadder(10, 40, 100)

    assert _fee(FeeTerms(ladder), 10, so_far) == [("not_started", 6, "60.00"), ("finished", 4, "400.00")]
    begun = FeeTerms(ladder, frozenset({"1"}))
    assert _fee(begun, 10, so_far) == [("started", 6, "240.00"), ("finished", 4, "400.00")]
    assert _fee(FeeTerms(FeeLadder()), 10, so_far) == []


def test_what_a_marketplace_has_taken_the_money_for_has_no_fee() -> None:
    terms, sold = FeeTerms(FeeLadder(50, 50, 50)), Settlement("113-1", None, None)

    assert _fee(terms, 10, LineProgress(), settlement=sold) == []


def test_an_order_whose_tax_nobody_knows_has_no_fee_for_that_could_not_be_taxed() -> None:
    terms = FeeTerms(FeeLadder(50, 50, 50, is_taxed=True))

    assert _fee(terms, 10, LineProgress(), taxation=Taxation(source=PENDING)) == []
    assert _fee(terms, 10, LineProgress()) == [("not_started", 10, "500.00")]


@pytest.mark.parametrize(
    "given", [{"started": 101}, {"started": -1}, {"begun": 10}, {"is_taxed": "yes"}, {"started": 1.5}, "40"]
)
def test_a_ladder_that_cannot_be_is_refused(given: object) -> None:
    with pytest.raises(InvalidArgument, match="cancellation_fees"):
        parse_fees(given)


def test_a_policy_names_no_fee_unless_it_does() -> None:
    assert parse_fees({}) == NO_FEES
    assert parse_fees({"started": 30, "is_taxed": True}) == FeeLadder(0, 30, 0, is_taxed=True)


def test_production_has_begun_lead_time_before_the_confirmed_day() -> None:
    office = Calendar("office", days=frozenset(range(5)))

    # Wednesday 16 Dec less 5 working days is Wednesday 9 Dec
    assert before_working_days(office, date(2026, 12, 16), 5) == date(2026, 12, 9)
    assert before_working_days(office, date(2026, 12, 16), 0) == date(2026, 12, 16)
    # a lead time that nobody meant has begun, and stops no cancellation
    assert before_working_days(office, date(2026, 12, 16), 100_000) < date(2020, 1, 1)


def test_a_part_is_charged_with_what_was_previewed(desk: Desk) -> None:
    _desk_with_fees(desk)
    order_id = desk.accepted(("RIG", 10), ("PUMP", 2))
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (4, 6), "2": (2, 0)}, "2026-12-08")))

    shown = preview(desk, order_id, {"1": 8, "2": 1}).consequence
    done = ask(desk, order_id, {"1": 8, "2": 1})
    answer = settle(desk, order_id, done)
    again = settle(desk, order_id, done, key="another run")

    # 10 % of 6 that wait, 100 % of 2 that are produced; the pump costs nothing
    assert shown.fee is not None
    assert [(one.stage, one.units, one.amount) for one in shown.fee.lines] == [
        ("not_started", 6, amount("60.00")),
        ("finished", 2, amount("200.00")),
    ]
    assert (shown.fee.due, shown.fee.tax) == (amount("260.00"), amount("0.00"))
    assert found(desk, order_id, done).consequence == shown
    assert (answer.fee.fee_id, answer.fee.order.total.minor_units) == (done.cancellation.cancellation_id, 26_000)
    assert [line.extended.minor_units for line in answer.fee.order.lines] == [6_000, 20_000]
    assert again.fee == answer.fee
    assert desk.broken() == []


def test_a_whole_order_that_is_cancelled_is_charged_when_that_is_recorded(desk: Desk) -> None:
    _desk_with_fees(desk, is_taxed=True)
    order_id = desk.accepted(("RIG", 10))
    done = ask(desk, order_id)

    answer = desk.record(order_id, "cancelled", done.cancellation.cancellation_id)

    # 10 % of 1,000.00 and 7.25 % tax on it
    assert (answer.fee.order.merchandise.minor_units, answer.fee.order.tax.minor_units) == (10_000, 725)
    assert answer.fee.fee_id == done.cancellation.cancellation_id
    assert not answer.frees_money


def test_a_whole_order_says_what_it_will_cost_before_money_goes_back(desk: Desk) -> None:
    _desk_with_fees(desk)
    order_id, part = desk.accepted(("RIG", 10)), desk.accepted(("RIG", 10))

    def coming(of: str) -> str:
        return desk.servicer.GetClearance(pb.GetClearanceRequest(order_id=of), ANY).fee.fee_id

    before = coming(order_id)
    done = ask(desk, order_id)
    ask(desk, part, {"1": 5})
    asked = coming(order_id), coming(part)
    desk.record(order_id, "cancelled", done.cancellation.cancellation_id)

    assert (before, asked, coming(order_id)) == ("", (done.cancellation.cancellation_id, ""), "")


def test_what_is_paid_goes_back_less_the_fee(desk: Desk) -> None:
    _desk_with_fees(desk)
    order_id = desk.accepted(("RIG", 10))
    held = {
        "payment_id": "pay_1",
        "amount_minor": 107_250,
        "currency": "USD",
        "reference": "wire",
        "held_minor": 107_250,
    }
    desk.notify(desk.fact(order_id, "billing", "deposit_received", 1, held))

    assert preview(desk, order_id).consequence.freed_cash == amount("972.50")
    assert preview(desk, order_id, waived="our mistake").consequence.freed_cash == amount("1072.50")
    # 5 stay, 536.25 with tax: 536.25 would be free, and 50.00 of it are the fee
    assert preview(desk, order_id, {"1": 5}).consequence.freed_cash == amount("486.25")


def test_staff_waive_a_fee_with_a_reason_and_customers_do_not(desk: Desk) -> None:
    _desk_with_fees(desk)
    order_id = desk.accepted(("RIG", 10))
    with pytest.raises(NotPermitted):
        ask(desk, order_id, {"1": 5}, waived="we like it so")
    with desk.database.reading() as session, pytest.raises(NotPermitted):
        cancel.preview(session, order_id, BUYER, None, Asked((), waived_reason="please"), desk.now)


def test_a_waived_fee_is_shown_and_not_charged(desk: Desk) -> None:
    _desk_with_fees(desk)
    order_id = desk.accepted(("RIG", 10))
    done = ask(desk, order_id, {"1": 5}, SUPPORT, waived="our mistake")

    answer = settle(desk, order_id, done)

    came = found(desk, order_id, done).consequence
    assert came is not None
    assert came.fee is not None
    assert (came.fee.total, came.fee.due, came.fee.waived_reason) == (amount("50.00"), amount("0.00"), "our mistake")
    assert not answer.HasField("fee")


def test_closing_costs_nothing(desk: Desk) -> None:
    _desk_with_fees(desk)
    order_id = desk.accepted(("RIG", 10), ("PUMP", 2))

    assert preview(desk, order_id, {"1": None}, is_closing=True).consequence.fee is None


def test_the_plants_day_says_when_production_has_begun(database: Database) -> None:
    """Confirmed for Wednesday 30 December, 5 and 10 working days: Texas is off on 24 and 25, so from 21 and 14 December on."""
    desk = ReviewDesk(database)
    order_id = made_to_order(desk, cancellation_fees=LADDER)
    for step in desk.steps(order_id):
        desk.decide(order_id, PIA, step=step, ready_on=date(2026, 12, 30))

    def started(day: int) -> set[str]:
        with desk.database.reading() as session:
            terms = production.fee_terms(session, desk.read(order_id), "", datetime(2026, 12, day, 18, tzinfo=UTC))
        assert terms is not None
        return set(terms.started)

    assert (started(13), started(14), started(20), started(21)) == (set(), {"2"}, {"2"}, {"1", "2"})


def test_money_of_an_order_in_review_stays_until_it_is_known_whether_a_fee_is_charged(database: Database) -> None:
    desk = ReviewDesk(database)
    order_id = made_to_order(desk, cancellation_fees=LADDER)

    def due() -> tuple[str, bool]:
        found = desk.servicer.GetClearance(pb.GetClearanceRequest(order_id=order_id), ANY)
        return found.fee.fee_id, found.is_fee_due

    before = due()
    done = ask(desk, order_id)
    asked = due()
    answer = desk.record(order_id, "cancelled", done.cancellation.cancellation_id)

    assert (before, asked, due()) == (("", False), ("", True), ("", False))
    assert (answer.fee.fee_id, answer.frees_money) == (done.cancellation.cancellation_id, True)

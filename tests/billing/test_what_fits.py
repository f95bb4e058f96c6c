"""Orders of customers who ship what fits under their limit while the rest waits, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing import wire
from services.billing.domain.charging import BilledSoFar, Charges, Shares
from services.billing.domain.fitting import units_that_fit
from services.billing.domain.invoices import bill
from services.kernel.bounds import MAX_LINES
from services.kernel.money import Money
from tests.billing.desk import CONTEXT, NOW, Desk, order_of
from tests.billing.messages import usd
from tests.threads import at_once

TEN = order_of({"1": (10, "100.00")})


def ships_what_fits(
    desk: Desk, limit: int, *, parent_id: str = "", overdue: tuple[int, int] | None = None
) -> pb.CreditAccount:
    desk.limit(limit)
    return put_terms(desk, parent_id=parent_id, overdue=overdue, fits=True)


def put_terms(
    desk: Desk, *, parent_id: str = "", overdue: tuple[int, int] | None = None, fits: bool
) -> pb.CreditAccount:
    request = pb.PutCreditTermsRequest(
        customer_id="cus_acme",
        currency="USD",
        parent_id=parent_id,
        overdue_rule=pb.OverdueRule(days=overdue[0], least=usd(overdue[1])) if overdue else None,
        ships_what_fits=fits,
        changed_by="ada@example.com",
    )
    return desk.billing.PutCreditTerms(request, CONTEXT).account


def lines(units: dict[str, int]) -> list[types_pb2.LineQuantity]:
    return [types_pb2.LineQuantity(line_id=line, sku=f"SKU-{line}", quantity=units[line]) for line in units]


def covered(
    desk: Desk, order: orders_pb2.Order, wanted: dict[str, int], released: dict[str, int] | None = None
) -> dict[str, int] | None:
    """Line id → units that may go; None when all that the order asks for may."""
    request = pb.GetCoveredUnitsRequest(order=order, wanted=lines(wanted), released=lines(released or {}))
    answer = desk.billing.GetCoveredUnits(request, CONTEXT)
    return None if answer.is_all else {line.line_id: line.quantity for line in answer.lines}


def test_what_fits_of_an_order_may_go_and_the_rest_goes_when_there_is_room(desk: Desk) -> None:
    """Ten at 100 against a limit of 550: five may go; two more after 200 of what was invoiced are paid; all when all is."""
    ships_what_fits(desk, 55_000)

    answer = desk.commit("ord_1", 100_000)
    first = (desk.committed("ord_1"), covered(desk, TEN, {"1": 10}), desk.money("ord_1")["waiting_on"])
    desk.invoice(TEN, "shp_1", {"1": 5})
    desk.pay(20_000, "BANK-1")
    second = (desk.committed("ord_1"), covered(desk, TEN, {"1": 10}, {"1": 5}))
    desk.pay(30_000, "BANK-2")

    assert answer.is_granted
    assert first == (55_000, {"1": 5}, "rest")
    assert second == (25_000, {"1": 7})
    assert covered(desk, TEN, {"1": 10}, {"1": 5}) is None
    assert desk.committed("ord_1") == 50_000
    assert [one.get("rest_minor", 0) for one in desk.facts("credit_rest_changed")] == [45_000, 25_000, 0]
    assert desk.facts("credit_granted") == [], "nothing of it waited for a hold to go"
    assert desk.money("ord_1")["waiting_on"] == ""
    assert desk.violations() == {}


def test_an_order_waits_whole_unless_its_customer_ships_what_fits(desk: Desk) -> None:
    desk.limit(55_000)
    waits = desk.commit("ord_1", 100_000).is_granted
    before = desk.committed("ord_1")

    account = put_terms(desk, fits=True)

    assert (waits, before) == (False, None)
    assert desk.committed("ord_1") == 55_000
    assert (account.ships_what_fits, account.terms_changed_by) == (True, "ada@example.com")
    assert datetime.fromtimestamp(account.terms_changed_at_micros / 1e6, UTC) == NOW
    assert desk.violations() == {}


def test_what_has_a_part_keeps_it_when_its_customer_waits_whole_from_now_on(desk: Desk) -> None:
    ships_what_fits(desk, 55_000)
    desk.commit("ord_1", 100_000)
    put_terms(desk, fits=False)

    other = desk.commit("ord_2", 1_000).is_granted
    more = desk.adjust("ord_1", 110_000).is_granted
    part = (desk.committed("ord_1"), covered(desk, TEN, {"1": 10}))
    desk.limit(90_000)
    grown = (desk.committed("ord_1"), covered(desk, TEN, {"1": 10}))
    desk.limit(150_000)

    assert (other, more) == (False, True)
    assert (part, grown) == ((55_000, {"1": 5}), (90_000, {"1": 9}))
    assert (desk.committed("ord_1"), desk.committed("ord_2"), covered(desk, TEN, {"1": 10})) == (110_000, 1_000, None)
    assert desk.violations() == {}


@pytest.mark.parametrize("method", ["prepaid", "deposit", "card"])
def test_only_what_is_on_terms_goes_in_part(desk: Desk, method: str) -> None:
    ships_what_fits(desk, 55_000)

    assert not desk.commit("ord_1", 100_000, method=method, deposit=10_000).is_granted
    assert desk.committed("ord_1") is None


def test_an_order_of_which_nothing_fits_waits_whole(desk: Desk) -> None:
    ships_what_fits(desk, 55_000)
    desk.commit("ord_1", 55_000)

    assert not desk.commit("ord_2", 100_000).is_granted
    assert (desk.committed("ord_2"), desk.money("ord_2")["waiting_on"]) == (None, "credit")
    assert desk.violations() == {}


def test_a_part_that_is_worth_no_unit_is_given_back_and_the_order_waits_whole(desk: Desk) -> None:
    """Room of 99.99 for units of 100: held, so that somebody may decide; the room is another's, and one unit's room is of use."""
    ships_what_fits(desk, 9_999)

    first = desk.commit("ord_1", 100_000)
    second = desk.commit("ord_1", 100_000, order=TEN)
    other = desk.commit("ord_2", 9_000).is_granted
    desk.release("ord_2")
    before = desk.committed("ord_1")
    desk.limit(10_000)

    assert (first.asks_for_order, second.is_granted, second.asks_for_order, other) == (True, False, False, True)
    assert before == 0
    assert (desk.committed("ord_1"), covered(desk, TEN, {"1": 10})) == (10_000, {"1": 1})
    assert desk.violations() == {}


def test_an_order_that_ships_complete_takes_no_part(desk: Desk) -> None:
    ships_what_fits(desk, 55_000)
    whole = orders_pb2.Order()
    whole.CopyFrom(TEN)
    whole.is_ship_complete = True

    desk.commit("ord_1", 100_000)
    answer = desk.commit("ord_1", 100_000, order=whole)
    desk.limit(99_999)
    before = (desk.committed("ord_1"), desk.money("ord_1")["waiting_on"])
    desk.limit(100_000)

    assert not answer.is_granted
    assert before == (0, "credit")
    assert (desk.committed("ord_1"), covered(desk, TEN, {"1": 10})) == (100_000, None)
    assert desk.violations() == {}


def test_a_part_that_is_of_use_is_kept_when_that_is_said(desk: Desk) -> None:
    ships_what_fits(desk, 55_000)

    answers = [desk.commit("ord_1", 100_000, order=of).is_granted for of in (None, TEN, TEN)]

    assert answers == [True, True, True]
    assert (desk.committed("ord_1"), covered(desk, TEN, {"1": 10})) == (55_000, {"1": 5})
    assert desk.violations() == {}


def test_a_parents_limit_and_overdue_invoices_bound_the_part(desk: Desk) -> None:
    desk.limit(30_000, "group")
    ships_what_fits(desk, 90_000, parent_id="group", overdue=(5, 100))
    desk.commit("ord_1", 50_000)
    part = desk.committed("ord_1")
    desk.invoice(order_of({"1": (5, "100.00")}), "shp_1", {"1": 3})
    desk.now = NOW + timedelta(days=90)
    desk.limit(200_000, "group")
    desk.limit(200_000)

    assert part == 30_000
    assert (desk.committed("ord_1"), desk.money("ord_1")["waiting_on"]) == (0, "overdue")
    assert desk.violations() == {}


def test_a_change_of_an_order_in_part_keeps_what_it_has(desk: Desk) -> None:
    """More waits with the rest; less that fits is covered whole; the same asked again changes nothing."""
    ships_what_fits(desk, 55_000)
    desk.commit("ord_1", 100_000)
    again = desk.commit("ord_1", 100_000).is_granted

    more = desk.adjust("ord_1", 120_000).is_granted
    after_more = (desk.committed("ord_1"), desk.money("ord_1")["waiting_on"])
    less = desk.adjust("ord_1", 40_000).is_granted

    assert (again, more, less) == (True, True, True)
    assert after_more == (55_000, "rest")
    assert (desk.committed("ord_1"), desk.money("ord_1")["waiting_on"], desk.headroom()) == (40_000, "", 15_000)
    assert [one.get("rest_minor", 0) for one in desk.facts("credit_rest_changed")] == [45_000, 65_000, 0]
    assert desk.violations() == {}


def test_an_order_in_part_that_ends_gives_its_part_back_and_waits_no_more(desk: Desk) -> None:
    ships_what_fits(desk, 55_000)
    desk.commit("ord_1", 100_000)
    desk.commit("ord_2", 20_000)

    given_back = desk.release("ord_1")

    assert (given_back, desk.committed("ord_2"), desk.money("ord_1")["waiting_on"]) == (55_000, 20_000, "")
    assert desk.violations() == {}


def test_a_hold_that_went_because_of_a_part_lets_go_no_more_than_that(desk: Desk) -> None:
    """Held whole, then a part has room: the workflow that hears that its hold is gone forces nothing."""
    desk.limit(0)
    put_terms(desk, fits=True)
    waits = desk.commit("ord_1", 100_000).is_granted
    desk.limit(55_000)

    answer = desk.adjust("ord_1", 100_000, is_forced=True, keeps_part=True)

    assert (waits, answer.is_granted) == (False, True)
    assert [one["amount_minor"] for one in desk.facts("credit_granted")] == [100_000]
    assert [one["rest_minor"] for one in desk.facts("credit_rest_changed")] == [45_000, 45_000]
    assert (desk.committed("ord_1"), covered(desk, TEN, {"1": 10}), desk.headroom()) == (55_000, {"1": 5}, 0)
    assert desk.violations() == {}


@pytest.mark.parametrize("limit", [0, 55_000])
def test_somebody_who_lets_an_order_go_lets_go_all_of_it_whatever_room_came_meanwhile(desk: Desk, limit: int) -> None:
    desk.limit(0)
    put_terms(desk, fits=True)
    desk.commit("ord_1", 100_000)
    desk.limit(limit)

    desk.adjust("ord_1", 100_000, is_forced=True)

    assert (desk.committed("ord_1"), covered(desk, TEN, {"1": 10}), desk.headroom()) == (100_000, None, limit - 100_000)
    assert desk.violations() == {}


def test_room_that_does_not_come_is_told_to_nobody(desk: Desk) -> None:
    """Neither of one in part, however often somebody looks, nor of an accepted one whose growth waits whole."""
    desk.limit(100_000)
    desk.commit("ord_0", 45_000)
    desk.adjust("ord_0", 145_000)
    put_terms(desk, fits=True)
    desk.commit("ord_1", 100_000)
    sent = len(desk.facts("credit_rest_changed"))
    for _ in range(3):
        desk.limit(100_000)

    assert desk.facts("credit_granted")[1:] == []
    assert len(desk.facts("credit_rest_changed")) == sent
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_parts_that_are_taken_in_parallel_never_pass_the_limit_together(desk: Desk) -> None:
    ships_what_fits(desk, 55_000)

    at_once([partial(desk.commit, f"ord_{number}", 10_000, request_id=f"commit/{number}") for number in range(8)])

    parts = sorted(desk.committed(f"ord_{number}") or 0 for number in range(8))
    assert parts == [0, 0, 5_000, 10_000, 10_000, 10_000, 10_000, 10_000]
    assert desk.headroom() == 0
    assert desk.violations() == {}


def _nothing_billed() -> BilledSoFar:
    zero = Money.zero("USD")
    return BilledSoFar({}, Charges(zero, zero, zero, zero))


def test_what_is_released_stays_and_takes_its_room() -> None:
    """The first line has come later than the second, which is with the warehouse: it takes what that leaves."""
    order = wire.covering(pb.GetCoveredUnitsRequest(order=order_of({"1": (5, "100.00"), "2": (5, "100.00")})))[0]

    fit = units_that_fit(order, {"2": 4}, {"1": 5, "2": 5}, _nothing_billed(), Money(55_000, "USD"))

    assert fit == {"1": 1, "2": 4}


@given(
    units=st.dictionaries(st.sampled_from("123"), st.integers(1, 30), min_size=1),
    cents=st.integers(1, 9_999),
    freight=st.integers(0, 5_000),
    discount=st.integers(0, 50),
    limit=st.integers(0, 400_000),
)
def test_what_fits_is_billed_within_what_is_covered_and_one_more_would_not_be(
    units: dict[str, int], cents: int, freight: int, discount: int, limit: int
) -> None:
    price = f"{cents // 100}.{cents % 100:02d}"
    sent = order_of(
        {line: (count, price) for line, count in units.items()},
        freight=freight,
        discount=min(discount, cents),
        tax_rate="0.0825",
    )
    order = wire.covering(pb.GetCoveredUnitsRequest(order=sent))[0]
    room = Money(limit, "USD")

    fit = units_that_fit(order, {}, units, _nothing_billed(), room)

    def comes_to(quantities: dict[str, int]) -> Money:
        return bill(
            order, {line: count for line, count in quantities.items() if count}, _nothing_billed()
        ).charges.total

    assert comes_to(fit) <= room or not any(fit.values())
    for line, count in units.items():
        if fit[line] < count:
            assert comes_to(fit | {line: fit[line] + 1}) > room


def test_what_is_billed_already_takes_no_room() -> None:
    """Of ten units five are billed: what is committed for the rest covers two of it, and what left is not asked again."""
    order = wire.covering(pb.GetCoveredUnitsRequest(order=TEN))[0]
    billed = BilledSoFar({"1": 5}, replace(_nothing_billed().charges, merchandise=Money(50_000, "USD")))

    assert units_that_fit(order, {"1": 5}, {"1": 10}, billed, Money(25_000, "USD")) == {"1": 7}
    assert units_that_fit(order, {"1": 5}, {"1": 10}, billed, Money(0, "USD")) == {"1": 5}


def test_an_order_of_2000_lines_costs_a_few_sums_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = order_of({str(number): (1_000, "1.37") for number in range(MAX_LINES)}, freight=9_999, tax_rate="0.0825")
    order = wire.covering(pb.GetCoveredUnitsRequest(order=sent))[0]
    wanted = {line.line_id: line.quantity for line in order.lines}
    asked = 0

    charge = Shares.charge

    def counting(*of: Any) -> Any:
        nonlocal asked
        asked += 1
        return charge(*of)

    monkeypatch.setattr(Shares, "charge", counting)
    fit = units_that_fit(order, {}, wanted, _nothing_billed(), Money(order.charges.total.minor // 2, "USD"))

    assert 900_000 < sum(fit.values()) < 1_100_000
    # goods and freight, for each try
    assert asked <= 2 * 14 * MAX_LINES

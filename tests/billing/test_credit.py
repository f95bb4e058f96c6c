"""Committing and releasing credit, on both databases."""

from __future__ import annotations

import random
import threading
from concurrent.futures import wait
from functools import partial

import pytest
from sqlalchemy import text

from services.billing.store import credit
from services.kernel.errors import Refused
from services.kernel.money import Money
from services.runtime.db import Database
from tests.billing.desk import Desk, order_of
from tests.threads import Crew, at_once


@pytest.mark.on_postgres
def test_two_orders_cannot_share_the_same_headroom(desk: Desk) -> None:
    desk.limit(130_000)

    answers = at_once([partial(desk.commit, order_id, 100_000, request_id=order_id) for order_id in ("ord_1", "ord_2")])

    assert sorted(answer.is_granted for answer in answers) == [False, True]
    assert desk.account() == (100_000, 0)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_the_naive_twin_lets_two_orders_share_it(desk: Desk, database: Database) -> None:
    desk.limit(130_000)
    both_have_read = threading.Barrier(2, timeout=60)

    def commit_naively() -> bool:
        with database.reading() as session:
            headroom = session.execute(
                text("SELECT limit_minor - committed_minor - receivable_minor FROM credit_account")
            ).scalar_one()
        both_have_read.wait()
        if headroom < 100_000:
            return False
        with database.transaction() as session:
            session.execute(text("UPDATE credit_account SET committed_minor = committed_minor + 100000"))
        return True

    granted = at_once([commit_naively] * 2)

    assert granted == [True, True]
    assert desk.account() == (200_000, 0)
    assert "billing.credit_committed_is_commitments" in desk.violations()


@pytest.mark.on_postgres
def test_twenty_parallel_requests_for_one_order_commit_once(desk: Desk) -> None:
    desk.limit(10_000)

    answers = at_once([partial(desk.commit, "ord_1", 1000, request_id=f"r{n}") for n in range(20)], threads=8)

    assert all(answer.is_granted for answer in answers)
    assert desk.account() == (1000, 0)


def test_a_repeat_gets_the_first_answer_and_another_request_id_commits_no_more(desk: Desk) -> None:
    desk.limit(10_000)

    first = desk.commit("ord_1", 6000, request_id="order/ord_1/credit/1")
    repeat = desk.commit("ord_1", 6000, request_id="order/ord_1/credit/1")
    other = desk.commit("ord_1", 6000, request_id="order/ord_1/credit/2")

    assert first == repeat
    assert other.is_granted
    assert desk.account() == (6000, 0)


def test_a_refusal_is_an_answer_and_commits_nothing_until_somebody_forces_it(desk: Desk) -> None:
    desk.limit(1000)

    assert not desk.commit("ord_1", 1001).is_granted
    assert desk.account() == (0, 0)
    assert desk.adjust("ord_1", 1001, is_forced=True).is_granted
    assert desk.adjust("ord_1", 1001, is_forced=True).is_granted

    assert desk.account() == (1001, 0)
    assert desk.violations() == {}


def test_a_customer_without_an_account_has_no_credit_unless_it_is_forced(desk: Desk) -> None:
    refused = desk.commit("ord_1", 1, customer_id="cus_new")

    assert (refused.is_granted, refused.limit.minor_units, refused.limit.currency) == (False, 0, "USD")
    assert desk.adjust("ord_1", 1, customer_id="cus_new", is_forced=True).is_granted
    assert desk.account("cus_new") == (1, 0)


@pytest.mark.parametrize("method", ["terms", "deposit"])
def test_an_order_to_be_paid_first_is_granted_what_cash_is_there_for_and_no_cash_serves_two(
    desk: Desk, method: str
) -> None:
    assert not desk.commit("ord_1", 5000, method=method).is_granted
    assert desk.account() == (0, 0)
    desk.pay(7000, "BANK-1")

    assert desk.commit("ord_1", 5000, method=method).is_granted
    assert not desk.commit("ord_2", 5000, method=method).is_granted
    assert desk.commit("ord_3", 2000, method=method).is_granted

    assert desk.account() == (7000, -7000)
    assert desk.violations() == {}


def test_the_last_cent_of_the_limit_may_be_used(desk: Desk) -> None:
    desk.limit(1000)

    assert desk.commit("ord_1", 1000).is_granted
    assert not desk.commit("ord_2", 1).is_granted
    assert desk.commit("ord_3", 0).is_granted


def test_a_release_gives_back_once(desk: Desk) -> None:
    desk.limit(1000)
    desk.commit("ord_1", 700)

    assert desk.release("ord_1", "order/ord_1/release/1") == 700
    assert desk.release("ord_1", "order/ord_1/release/1") == 700
    assert desk.release("ord_1") == 0
    assert desk.release("ord_unknown") == 0

    assert desk.account() == (0, 0)
    assert desk.violations() == {}


def test_what_an_order_has_committed_is_what_its_release_gives_back(desk: Desk) -> None:
    desk.limit(2500)
    order = order_of({"1": (2, "10.00")})

    assert not desk.commit("ord_1", 2600).is_granted
    assert desk.committed("ord_1") is None
    desk.commit("ord_1", 2000)
    assert desk.committed("ord_1") == 2000
    desk.adjust("ord_1", 2400)
    assert desk.committed("ord_1") == 2400
    desk.invoice(order, "shp_1", {"1": 1})
    assert desk.committed("ord_1") == desk.release("ord_1") == 1400
    assert desk.committed("ord_1") == 0


def test_a_new_limit_keeps_what_is_committed(desk: Desk) -> None:
    desk.limit(1000)
    desk.commit("ord_1", 700)

    desk.limit(500)

    assert desk.account() == (700, 0)
    assert not desk.commit("ord_2", 1).is_granted


def test_a_changed_order_commits_its_new_total_in_place_of_the_old_one(desk: Desk) -> None:
    desk.limit(1000)
    desk.commit("ord_1", 700)

    raised = desk.adjust("ord_1", 1000, request_id="order/ord_1/change/chg_1/credit")
    assert (raised.is_granted, raised.exposure.minor_units, raised.limit.minor_units) == (True, 700, 1000)
    assert desk.adjust("ord_1", 1000, request_id="order/ord_1/change/chg_1/credit") == raised
    assert desk.account() == (1000, 0)

    assert desk.adjust("ord_1", 250).is_granted
    assert desk.account() == (250, 0)
    assert desk.violations() == {}


def test_a_larger_order_without_room_changes_nothing_until_it_is_forced(desk: Desk) -> None:
    desk.limit(1000)
    desk.commit("ord_1", 700)

    assert not desk.adjust("ord_1", 1001).is_granted
    assert desk.account() == (700, 0)
    assert desk.adjust("ord_1", 1001, is_forced=True).is_granted
    assert desk.account() == (1001, 0)
    assert desk.violations() == {}


def test_a_smaller_order_is_granted_even_to_a_customer_beyond_the_limit(desk: Desk) -> None:
    desk.limit(1000)
    desk.commit("ord_1", 1000)
    desk.limit(10)

    assert desk.adjust("ord_1", 900).is_granted
    assert desk.adjust("ord_1", 900).is_granted
    assert not desk.adjust("ord_1", 901).is_granted

    assert desk.account() == (900, 0)
    assert desk.violations() == {}


def test_what_is_invoiced_is_owed_and_commits_no_more(desk: Desk) -> None:
    desk.limit(100_000)
    order = order_of({"1": (10, "10.00")})
    desk.commit("ord_1", order.total.minor_units)
    desk.invoice(order, "shp_1", {"1": 6})

    desk.adjust("ord_1", 7000)
    assert desk.account() == (1000, 6000)
    desk.adjust("ord_1", 5000)
    assert desk.account() == (0, 6000)
    desk.adjust("ord_1", 9000)
    assert desk.account() == (3000, 6000)
    assert desk.violations() == {}


@pytest.mark.parametrize("method", ["terms", "deposit"])
def test_a_changed_order_to_be_paid_first_is_granted_what_cash_is_there_for(desk: Desk, method: str) -> None:
    desk.pay(7000, "BANK-1")
    desk.commit("ord_1", 5000, method=method)

    assert not desk.adjust("ord_1", 7001, method=method).is_granted
    assert desk.adjust("ord_1", 7000, method=method).is_granted

    assert desk.account() == (7000, -7000)
    assert desk.violations() == {}


def test_an_order_that_never_committed_does_so_when_it_is_changed(desk: Desk) -> None:
    assert not desk.adjust("ord_1", 1).is_granted
    assert desk.adjust("ord_1", 0).is_granted
    desk.limit(1000)

    assert desk.adjust("ord_1", 400).is_granted

    assert desk.account() == (400, 0)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_two_changes_at_once_cannot_share_the_same_headroom(desk: Desk) -> None:
    desk.limit(1000)
    for number in range(8):
        desk.commit(f"ord_{number}", 100)

    answers = at_once([partial(desk.adjust, f"ord_{n}", 200, request_id=f"r{n}") for n in range(8)])

    assert [answer.is_granted for answer in answers].count(True) == 2
    assert desk.account() == (1000, 0)
    assert desk.violations() == {}


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_order_owes_what_its_last_version_says_and_has_nothing_committed(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    desk.limit(10_000_000)
    lines = {str(number): (chance.randint(2, 9), f"{chance.randint(1, 9999) / 100:.2f}") for number in range(3)}
    order = order_of(lines, discount=100, freight=1999, tax_rate="0.0825")
    desk.commit("ord_1", order.total.minor_units)
    shipped = dict.fromkeys(lines, 0)

    for step in range(3):
        line_id = chance.choice(list(lines))
        if shipped[line_id] < lines[line_id][0]:
            desk.invoice(order, f"shp_{step}", {line_id: 1})
            shipped[line_id] += 1
        lines = {
            key: (shipped.get(key, 0) + chance.randint(1, 5), price)
            for key, (_, price) in lines.items()
            if shipped.get(key) or chance.random() < 0.8
        } | {f"new-{step}": (chance.randint(1, 5), f"{chance.randint(100, 9999) / 100:.2f}")}
        shipped |= {key: 0 for key in lines if key not in shipped}
        order = order_of(lines, discount=100 + 50 * step, freight=1999 + step, tax_rate="0.0825")
        assert desk.adjust("ord_1", order.total.minor_units).is_granted
        assert sum(desk.account()) == order.total.minor_units
    desk.invoice(order, "shp_last", {key: units - shipped[key] for key, (units, _) in lines.items()})

    assert desk.account() == (0, order.total.minor_units)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_release_waits_for_the_invoice_that_takes_its_part(desk: Desk, database: Database) -> None:
    desk.adjust("ord_1", 2000, is_forced=True)

    with Crew(1) as crew:
        with database.transaction() as session:
            credit.take(session, "cus_acme", "USD")
            held = credit.commitment(session, "ord_1")
            assert held is not None
            credit.invoice_commitment(session, held, Money(800, "USD"))
            credit.move(session, "cus_acme", committed=Money(-800, "USD"), receivable=Money.zero("USD"))
            releasing = crew.submit(desk.release, "ord_1")
            assert not wait([releasing], timeout=0.5).done
        released = releasing.result()

    assert (released, desk.account()) == (1200, (0, 0))
    assert desk.violations() == {}


@pytest.mark.parametrize("is_released", [False, True])
def test_no_order_moves_the_credit_of_a_customer_it_is_not_committed_to(desk: Desk, *, is_released: bool) -> None:
    desk.limit(130_000)
    desk.limit(130_000, "cus_other")
    desk.commit("ord_1", 100_000)
    if is_released:
        desk.release("ord_1")
    before = desk.account(), desk.account("cus_other")
    order = order_of({"1": (1, "10.00")}, customer_id="cus_other")

    for attempt in (
        lambda: desk.commit("ord_1", 50_000, customer_id="cus_other"),
        lambda: desk.adjust("ord_1", 50_000, customer_id="cus_other", is_forced=True),
        lambda: desk.adjust("ord_1", 50_000, customer_id="cus_other"),
        lambda: desk.invoice(order, "shp_1", {"1": 1}),
    ):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.reason == "ORDER_OF_ANOTHER_ACCOUNT"

    assert (desk.account(), desk.account("cus_other")) == before
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_of_500_orders_of_a_hundredth_of_the_limit_exactly_100_pass(desk: Desk) -> None:
    desk.limit(100_000)

    def commit_some(first: int) -> int:
        return sum(desk.commit(f"ord_{first + number}", 1_000).is_granted for number in range(25))

    granted = at_once([partial(commit_some, first) for first in range(0, 500, 25)])

    assert sum(granted) == 100
    assert desk.account() == (100_000, 0)
    assert desk.violations() == {}


@pytest.mark.parametrize("minor", [50_000, 150_000])
def test_an_order_that_is_changed_counts_as_it_was_committed_whatever_is_said_of_how_it_is_paid(
    desk: Desk, minor: int
) -> None:
    desk.limit(200_000)
    desk.commit("ord_1", 100_000)

    adjusted = desk.adjust("ord_1", minor, method="card")

    assert adjusted.is_granted
    assert desk.account() == (minor, 0)
    assert desk.release("ord_1") == minor
    assert desk.account() == (0, 0)
    assert desk.violations() == {}

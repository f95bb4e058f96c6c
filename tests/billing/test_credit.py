"""Committing and releasing credit, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from services.runtime.db import Database
from tests.billing.desk import Desk


def test_two_orders_cannot_share_the_same_headroom(desk: Desk) -> None:
    desk.limit(130_000)
    start = threading.Barrier(2)

    def commit(order_id: str) -> bool:
        start.wait()
        return desk.commit(order_id, 100_000, request_id=order_id).is_granted

    with ThreadPoolExecutor(2) as pool:
        granted = list(pool.map(commit, ["ord_1", "ord_2"]))

    assert sorted(granted) == [False, True]
    assert desk.account() == (100_000, 0)
    assert desk.violations() == {}


def test_the_naive_twin_lets_two_orders_share_it(desk: Desk, database: Database) -> None:
    desk.limit(130_000)
    both_have_read = threading.Barrier(2)

    def commit_naively(_order_id: str) -> bool:
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

    with ThreadPoolExecutor(2) as pool:
        granted = list(pool.map(commit_naively, ["ord_1", "ord_2"]))

    assert granted == [True, True]
    assert desk.account() == (200_000, 0)
    assert "billing.credit_committed_is_commitments" in desk.violations()


def test_twenty_parallel_requests_for_one_order_commit_once(desk: Desk) -> None:
    desk.limit(10_000)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: desk.commit("ord_1", 1000, request_id=f"r{number}"), range(20)))

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
    assert desk.commit("ord_1", 1001, is_forced=True).is_granted
    assert desk.commit("ord_1", 1001, is_forced=True).is_granted

    assert desk.account() == (1001, 0)
    assert desk.violations() == {}


def test_a_customer_without_an_account_has_no_credit_unless_it_is_forced(desk: Desk) -> None:
    refused = desk.commit("ord_1", 1, customer_id="cus_new")

    assert (refused.is_granted, refused.limit.minor_units, refused.limit.currency) == (False, 0, "USD")
    assert desk.commit("ord_1", 1, customer_id="cus_new", is_forced=True).is_granted
    assert desk.account("cus_new") == (1, 0)


def test_card_prepaid_and_deposit_commit_nothing(desk: Desk) -> None:
    for method in ("card", "prepaid", "deposit"):
        assert desk.commit(f"ord_{method}", 5_000_000, method=method).is_granted

    assert desk.account() == (0, 0)


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


def test_a_new_limit_keeps_what_is_committed(desk: Desk) -> None:
    desk.limit(1000)
    desk.commit("ord_1", 700)

    desk.limit(500)

    assert desk.account() == (700, 0)
    assert not desk.commit("ord_2", 1).is_granted

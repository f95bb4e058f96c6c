"""A fee of an order by card is captured from it, once, whatever comes between; what is left of the card goes back, or is let go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.runtime.db import Database
from tests.billing.card_desk import GOOD_CARD, ORDER, VISA, Till, stripe_in
from tests.billing.desk import CONTEXT, order_of
from tests.billing.order_desk import accept
from tests.billing.test_fees import TEN, fee_of
from tests.billing.test_freed_money import free
from tests.billing.test_invoice_documents import content_of


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def charge(till: Till, order: orders_pb2.Order = ORDER, token: str = VISA) -> pb.Invoice:
    request = pb.ChargeFeeRequest(fee_id="can_1", order=fee_of(order), card_token=token)
    return till.billing.ChargeFee(request, CONTEXT).invoice


def give_back(till: Till, *, is_fee_due: bool = False) -> None:
    request = pb.ReleaseCreditRequest(request_id=f"release/{is_fee_due}", order_id="ord_1", is_fee_due=is_fee_due)
    till.billing.ReleaseCredit(request, CONTEXT)


def fees(till: Till) -> list[tuple[str, int]]:
    return [(bill.status, bill.paid.minor_units) for bill in till.listed() if bill.fee_id]


@pytest.mark.on_postgres
def test_the_fee_of_a_whole_order_is_captured_from_its_hold_and_the_rest_is_let_go(till: Till) -> None:
    till.commit_card()

    bill = charge(till)
    give_back(till)
    till.settle()

    assert content_of(till, bill.invoice_id)["payment"] == ["Paid in full. Nothing is to be paid."]
    assert fees(till) == [("paid", 6_000)]
    assert till.at_stripe() == {"authorized": 0, "captured": 6_000, "refunded": 0}
    assert till.balances()["fee_income"] == -6_000
    assert till.violations() == {}


def test_the_fee_of_a_part_is_captured_and_what_is_still_to_ship_stays_authorized(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 4)
    till.capture("shp_1")

    charge(till)
    free(till, "ord_1", 70_000)
    till.settle()
    between = till.at_stripe()
    till.invoice(order_of({"1": (7, "100.00")}, payment_method="card"), "shp_2", {"1": 3})
    till.capture("shp_2")
    till.settle()

    # 1,000.00 were authorized: 400.00 and the fee of 60.00 are captured
    assert between == {"authorized": 54_000, "captured": 46_000, "refunded": 0}
    assert till.at_stripe() == {"authorized": 0, "captured": 76_000, "refunded": 0}
    assert till.violations() == {}


STEPS: dict[str, Callable[[Till], object]] = {
    "charge": charge,
    "charge again": charge,
    "answers": Till.settle,
    "end": give_back,
}


@pytest.mark.parametrize("order", [one for one in permutations(STEPS) if one.index("end") > one.index("charge")])
def test_a_fee_is_captured_once_in_whatever_order_duplicates_and_answers_come(
    till: Till, order: tuple[str, ...]
) -> None:
    till.commit_card()

    for step in order:
        STEPS[step](till)
    till.settle()

    assert fees(till) == [("paid", 6_000)]
    assert till.at_stripe() == {"authorized": 0, "captured": 6_000, "refunded": 0}
    assert till.violations() == {}


@pytest.mark.parametrize("fault", ["away", "answer_lost"])
def test_a_provider_that_is_away_is_asked_until_it_answers_and_captures_once(till: Till, fault: str) -> None:
    till.commit_card()
    till.stripe.switches.turn(fault, 3)

    charge(till)
    give_back(till)
    open_yet = till.invoice_now(till.listed()[0].invoice_id).status
    till.settle()

    assert open_yet == "open"
    assert fees(till) == [("paid", 6_000)]
    assert till.at_stripe() == {"authorized": 0, "captured": 6_000, "refunded": 0}
    assert till.violations() == {}


def test_a_hold_that_is_too_old_is_replaced_by_a_new_one_of_the_same_card(till: Till) -> None:
    till.commit_card()
    till.later(timedelta(days=20))

    charge(till)
    give_back(till)
    till.settle()

    assert fees(till) == [("paid", 6_000)]
    assert till.at_stripe() == {"authorized": 0, "captured": 6_000, "refunded": 0}
    assert till.violations() == {}


def test_a_card_that_is_declined_leaves_the_fee_open_and_accounting_is_told(till: Till) -> None:
    till.commit_card()
    till.later(timedelta(days=20))

    charge(till, token="")
    give_back(till)
    till.settle()

    assert fees(till) == [("open", 0)]
    assert [fact["kind"] for fact in till.facts("card_problem")] == ["capture_failed"]
    assert till.at_stripe() == {"authorized": 0, "captured": 0, "refunded": 0}
    assert till.violations() == {}


def test_what_was_paid_at_order_by_card_goes_back_less_the_fee(till: Till) -> None:
    till.limit(1_000_000)
    order = order_of(TEN, invoicing="at_order")
    till.commit("ord_1", 100_000)
    accept(till, order)
    page = till.open_page(invoice_id=till.listed()[0].invoice_id)
    till.enter(page, GOOD_CARD)
    till.read_page(page)

    charge(till, order)
    give_back(till)
    till.settle()

    assert fees(till) == [("paid", 6_000)]
    assert till.at_stripe() == {"authorized": 0, "captured": 100_000, "refunded": 94_000}
    found = till.balances()
    # the provider keeps what it asked for the capture
    assert (found["cash"] + found["card_fees"], found["fee_income"], found["refunds_payable"]) == (6_000, -6_000, 0)
    assert till.violations() == {}


def test_what_was_paid_at_order_by_transfer_lies_on_account_less_the_fee(till: Till) -> None:
    till.limit(1_000_000)
    order = order_of(TEN, invoicing="at_order")
    till.commit("ord_1", 100_000)
    accept(till, order)
    till.pay(100_000, "WIRE")

    charge(till, order)
    give_back(till)

    assert fees(till) == [("paid", 6_000)]
    assert till.balances()["unapplied_cash"] == -94_000
    assert till.violations() == {}


def test_money_of_an_order_that_nobody_accepted_stays_until_its_fee_is_charged(till: Till) -> None:
    till.commit_card()

    give_back(till, is_fee_due=True)
    kept = till.at_stripe()
    charge(till)
    give_back(till)
    till.settle()

    assert kept["authorized"] == 100_000
    assert fees(till) == [("paid", 6_000)]
    assert till.at_stripe() == {"authorized": 0, "captured": 6_000, "refunded": 0}
    assert till.violations() == {}

"""Money of a card that an order no longer needs is owed back to it: a liability, tried again, paid once, or paid otherwise by people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain import refunds as domain
from services.billing.domain.corrections import parse_limits
from services.kernel.errors import DomainError
from services.kernel.money import Money
from services.runtime.db import Database
from tests.billing.card_desk import Till, stripe_in
from tests.billing.desk import CONTEXT, order_of
from tests.billing.messages import usd
from tests.billing.test_card_events import comes_back, hear_all
from tests.billing.test_deposit_invoices import listed, make
from tests.threads import at_once

FORTY = {"1": (40, "25.00")}


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    with stripe_in(tmp_path) as stripe:
        yield Till(database, stripe)


def prepaid_by_card(till: Till) -> str:
    """1,000.00 of a card is held for a prepaid order of 40 at 25.00, of which 10 are shipped and billed; gives the payment."""
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    [payment] = till.payments()
    till.limit(0)
    till.commit("ord_a", 100_000, method="prepaid")
    till.reapply(payment.payment_id, orders={"ord_a": 100_000})
    till.invoice(order_of(FORTY, order_id="ord_a", payment_method="prepaid"), "shp_a", {"1": 10})
    return payment.payment_id


def free(till: Till, total: int = 25_000, request_id: str = "free/1", **more: bool) -> int:
    request = pb.FreeOrderMoneyRequest(request_id=request_id, order_id="ord_a", amount=usd(total), **more)
    return till.billing.FreeOrderMoney(request, CONTEXT).freed.minor_units


def owed(till: Till, **wanted: str) -> list[pb.OwedRefund]:
    return list(till.billing.ListOwedRefunds(pb.ListOwedRefundsRequest(limit=50, **wanted), CONTEXT).refunds)


def the_one(till: Till) -> pb.OwedRefund:
    [found] = owed(till)
    return found


def retry(till: Till, refund_id: str, request_id: str = "retry/1") -> pb.OwedRefund:
    request = pb.RetryOwedRefundRequest(request_id=request_id, refund_id=refund_id)
    return till.billing.RetryOwedRefund(request, CONTEXT).refund


def otherwise(till: Till, refund_id: str, who: str, reference: str = "WIRE-9") -> pb.OwedRefund:
    request = pb.PayOwedRefundOtherwiseRequest(
        request_id=f"{who}/{reference}", refund_id=refund_id, reference=reference, asked_by=who
    )
    return till.billing.PayOwedRefundOtherwise(request, CONTEXT).refund


def states(till: Till) -> list[tuple[str, bool]]:
    """What orders hear of it: state, and whether accounting must act."""
    return [(one["state"], one.get("is_escalated", False)) for one in till.facts("owed_refund")]


def test_what_a_cancellation_leaves_of_a_card_is_owed_until_the_provider_has_paid_it(till: Till) -> None:
    prepaid_by_card(till)

    freed = free(till)
    again = free(till)
    between, owes = till.balances(), the_one(till)
    bad = till.violations()
    till.settle()
    paid = the_one(till)

    assert (freed, again) == (75_000, 75_000)
    assert (between["refunds_payable"], between["customer_deposits"], between["unapplied_cash"]) == (-75_000, 0, 0)
    assert (owes.state, owes.amount.minor_units, owes.order_id, bad) == ("open", 75_000, "ord_a", {})
    assert (paid.state, till.balances()["refunds_payable"], till.at_stripe()["refunded"]) == ("paid", 0, 75_000)
    # what the card keeps of 1,000.00 captured is the provider's fee; 250.00 is revenue
    assert till.balances()["cash"] == between["cash"] - 75_000
    assert states(till) == [("open", False), ("paid", False)]
    [fact] = [one for one in till.facts("payment_reversed") if one["cause"] == "refunded"]
    assert (fact["amount_minor"], fact.get("held_minor", 0)) == (75_000, 0)
    assert till.violations() == {}


def test_while_the_provider_is_away_it_is_owed_asked_again_and_paid_once(till: Till) -> None:
    prepaid_by_card(till)
    till.stripe.switches.turn("away", 100)

    free(till)
    for _ in range(12):
        till.later(timedelta(minutes=2))
    silent, during = the_one(till), till.balances()["refunds_payable"]
    said = states(till)
    till.stripe.switches.turn("away", 0)
    till.settle()
    till.settle()

    assert (silent.state, silent.is_escalated, silent.failed_count, during) == ("open", True, 0, -75_000)
    assert said == [("open", False), ("open", True)]
    assert (the_one(till).state, till.at_stripe()["refunded"]) == ("paid", 75_000)
    assert states(till)[-1] == ("paid", True)
    assert till.violations() == {}


@pytest.mark.parametrize("wrong", ["drop", "error"])
def test_an_answer_that_is_lost_pays_it_once(till: Till, wrong: str) -> None:
    prepaid_by_card(till)
    free(till)
    till.stripe.switches.turn(wrong)

    till.settle()

    assert (the_one(till).state, till.at_stripe()["refunded"]) == ("paid", 75_000)
    assert len(till.stripe.state.all("refund")) == 1
    assert till.violations() == {}


def _refused(till: Till) -> pb.OwedRefund:
    """The dashboard has given it all back before: the provider refuses each of the tries."""
    prepaid_by_card(till)
    intent = till.stripe.state.all("payment_intent")[0]["id"]
    till.provider.refund("at the dashboard", intent, Money(100_000, "USD"))
    free(till)
    for _ in range(domain.MOST_TRIES + 3):
        till.later(timedelta(hours=1))
    return the_one(till)


def test_a_provider_that_refuses_is_asked_a_few_times_and_accounting_pays_otherwise_once(till: Till) -> None:
    refused = _refused(till)

    with pytest.raises(DomainError) as unknown:
        otherwise(till, "rfd_none", "ann")
    done = otherwise(till, refused.refund_id, "ann")
    same = otherwise(till, refused.refund_id, "ann")
    with pytest.raises(DomainError) as twice:
        otherwise(till, refused.refund_id, "ben", "WIRE-10")
    with pytest.raises(DomainError) as late:
        retry(till, refused.refund_id)
    till.settle()

    assert (refused.failed_count, refused.is_escalated, refused.state) == (domain.MOST_TRIES, True, "open")
    assert refused.reason == "charge_already_refunded"
    assert (done.state, done.reference, done.settled_by, same) == ("paid_otherwise", "WIRE-9", "ann", done)
    assert (unknown.value.reason, twice.value.reason, late.value.reason) == (
        "REFUND_NOT_FOUND",
        "REFUND_SETTLED",
        "REFUND_SETTLED",
    )
    assert till.balances()["refunds_payable"] == 0
    assert states(till)[-2:] == [("open", True), ("paid_otherwise", True)]
    assert till.violations() == {}


def test_a_retry_asks_once_more_and_one_that_has_no_answer_is_not_paid_otherwise(till: Till) -> None:
    refused = _refused(till)

    retry(till, refused.refund_id)
    with pytest.raises(DomainError) as under_way:
        otherwise(till, refused.refund_id, "ann")
    till.settle()
    once_more = the_one(till)

    assert under_way.value.reason == "REFUND_UNDER_WAY"
    assert once_more.failed_count == domain.MOST_TRIES + 1
    assert till.violations() == {}


@pytest.mark.parametrize("limits", ["500.00 USD", "9000 EUR"], ids=["beyond its limit", "its currency has none"])
def test_over_the_limit_another_person_confirms_that_it_is_paid_otherwise(till: Till, limits: str) -> None:
    till.billing.limits = parse_limits(limits)
    refused = _refused(till)

    waiting = otherwise(till, refused.refund_id, "ann")
    with pytest.raises(DomainError) as alone:
        otherwise(till, refused.refund_id, "ann", "WIRE-8")
    with pytest.raises(DomainError) as differs:
        otherwise(till, refused.refund_id, "ben", "WIRE-8")
    between = till.violations()
    done = otherwise(till, refused.refund_id, "ben")

    assert (waiting.state, waiting.proposed_by, between) == ("open", "ann", {})
    assert (alone.value.reason, differs.value.reason) == ("SECOND_PERSON_NEEDED", "REFERENCE_DIFFERS")
    assert (done.state, done.settled_by) == ("paid_otherwise", "ben")
    assert till.violations() == {}


def test_what_comes_back_from_its_card_days_later_is_owed_again(till: Till) -> None:
    prepaid_by_card(till)
    free(till)
    till.settle()
    comes_back(till)

    hear_all(till)
    till.asker.ask_once()
    back = the_one(till), till.balances()["refunds_payable"], till.violations()
    till.later(timedelta(minutes=5))

    assert (back[0].state, back[0].failed_count, back[1], back[2]) == ("open", 1, -75_000, {})
    assert (the_one(till).state, till.at_stripe()["refunded"]) == ("paid", 75_000)
    assert till.balances()["refunds_payable"] == 0
    assert till.violations() == {}


def test_cards_are_given_back_first_and_cash_lies_on_account(till: Till) -> None:
    payment_id = prepaid_by_card(till)
    wire = till.pay(20_000, "WIRE-1", orders={"ord_a": 20_000})

    freed = free(till)
    till.settle()

    assert freed == 95_000
    assert [one.payment_id for one in owed(till)] == [payment_id]
    assert next(one for one in till.payments() if one.payment_id == wire.payment_id).unapplied.minor_units == 20_000
    assert till.violations() == {}


def test_where_the_customer_keeps_it_with_us_nothing_goes_back_and_it_lies_on_account(till: Till) -> None:
    """vendure#569: the units are swapped for others; the difference is on account."""
    payment_id = prepaid_by_card(till)

    freed = free(till, keeps_cash=True)
    till.settle()

    assert (freed, owed(till), till.at_stripe()["refunded"]) == (75_000, [], 0)
    assert next(one for one in till.payments() if one.payment_id == payment_id).unapplied.minor_units == 75_000
    assert till.violations() == {}


@pytest.mark.parametrize("keeps", [False, True])
def test_an_order_that_ends_early_gives_its_cards_money_back(till: Till, keeps: bool) -> None:
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    [payment] = till.payments()
    till.limit(0)
    till.commit("ord_a", 100_000, method="prepaid")
    till.reapply(payment.payment_id, orders={"ord_a": 100_000})

    request = pb.ReleaseCreditRequest(request_id="end", order_id="ord_a", keeps_cash=keeps)
    till.billing.ReleaseCredit(request, CONTEXT)
    till.settle()

    assert [one.state for one in owed(till)] == ([] if keeps else ["paid"])
    assert till.at_stripe()["refunded"] == (0 if keeps else 100_000)
    assert till.money("ord_a")["held"] == (100_000 if keeps else 0)
    assert till.violations() == {}


def test_an_order_with_a_deposit_that_ends_owes_its_card_and_its_deposit_invoice_is_credited(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    [payment] = till.payments()
    till.limit(100_000)
    till.orders["ord_a"] = order_of(FORTY, order_id="ord_a", payment_method="deposit", tax_rate="0.25")
    till.commit("ord_a", 125_000, method="deposit", deposit=100_000)
    till.reapply(payment.payment_id, orders={"ord_a": 100_000})
    make(till)

    till.release("ord_a")

    assert [(one.number, one.total.minor_units) for one in listed(till, order_id="ord_a")] == [
        ("DI-1001", 100_000),
        ("DC-1001", 100_000),
    ]
    found = till.balances()
    assert (found["refunds_payable"], found["tax_payable"], found["tax_on_deposits"]) == (-100_000, 0, 0)
    assert till.violations() == {}


@pytest.mark.on_postgres
def test_many_who_ask_at_once_pay_it_once(till: Till) -> None:
    prepaid_by_card(till)
    free(till)
    refund_id = the_one(till).refund_id

    at_once([till.asker.ask_once] * 4 + [lambda: retry(till, refund_id, "retry/a")])
    till.settle()

    assert (the_one(till).state, till.at_stripe()["refunded"]) == ("paid", 75_000)
    assert till.violations() == {}


def test_the_list_is_paged_and_filtered(till: Till) -> None:
    prepaid_by_card(till)
    free(till, 50_000)
    free(till, 25_000, "free/2")
    till.settle()

    page = till.billing.ListOwedRefunds(pb.ListOwedRefundsRequest(limit=1), CONTEXT)
    rest = till.billing.ListOwedRefunds(pb.ListOwedRefundsRequest(limit=1, cursor=page.next_cursor), CONTEXT)

    assert [one.amount.minor_units for one in (*page.refunds, *rest.refunds)] == [50_000, 25_000]
    assert rest.next_cursor == ""
    assert owed(till, state="open") == []
    assert len(owed(till, order_id="ord_a", state="paid")) == 2
    assert owed(till, order_id="ord_b") == []


def test_a_try_waits_longer_after_each_refusal() -> None:
    minutes = [domain.pause(failed) / timedelta(minutes=1) for failed in range(1, 9)]

    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [domain.is_tried_again(failed) for failed in (1, 4, 5, 6)] == [True, True, False, False]

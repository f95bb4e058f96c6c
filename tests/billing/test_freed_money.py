"""What an order no longer needs whose units were cancelled: its credit is given back, and cash held for it is on account."""

from __future__ import annotations

from oms.billing.v1 import billing_pb2 as pb
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd

FORTY = {"1": (40, "25.00")}


def free(desk: Desk, order_id: str, total: int, request_id: str = "free/1") -> int:
    """Minor units that became free."""
    request = pb.FreeOrderMoneyRequest(request_id=request_id, order_id=order_id, amount=usd(total))
    return desk.billing.FreeOrderMoney(request, CONTEXT).freed.minor_units


def test_cash_beyond_what_an_order_comes_to_is_on_account_and_is_refunded_from_there(desk: Desk) -> None:
    desk.limit(0)
    a = order_of(FORTY, order_id="ord_a", payment_method="prepaid")
    desk.commit("ord_a", 100_000, method="prepaid")
    paid = desk.pay(100_000, "WIRE", orders={"ord_a": 100_000})
    desk.invoice(a, "shp_1", {"1": 10})

    freed = free(desk, "ord_a", 25_000)
    again = free(desk, "ord_a", 25_000)
    once_more = free(desk, "ord_a", 25_000, "free/2")
    between = desk.balances()
    desk.refund(paid.payment_id, 75_000)

    assert (freed, again, once_more) == (75_000, 75_000, 0)
    assert (between["customer_deposits"], between["unapplied_cash"]) == (0, -75_000)
    assert desk.committed("ord_a") == 0
    assert desk.balances()["cash"] == 25_000
    [fact] = desk.facts("payment_reversed")[:1]
    assert (fact["cause"], fact["amount_minor"], fact.get("held_minor", 0)) == ("freed", 75_000, 0)
    assert desk.violations() == {}


def test_what_is_still_to_be_invoiced_stays_held_and_the_newest_cash_goes_first(desk: Desk) -> None:
    desk.limit(0)
    desk.commit("ord_a", 100_000, method="prepaid")
    desk.pay(60_000, "WIRE-1", orders={"ord_a": 60_000})
    desk.pay(40_000, "WIRE-2", orders={"ord_a": 40_000})

    freed = free(desk, "ord_a", 50_000)

    assert freed == 50_000
    assert desk.money("ord_a")["held"] == 50_000
    assert [one.unapplied.minor_units for one in desk.payments()] == [10_000, 40_000]
    assert desk.violations() == {}


def test_cash_that_became_free_pays_no_other_order_by_itself(desk: Desk) -> None:
    desk.limit(100_000)
    desk.commit("ord_a", 100_000, method="prepaid")
    desk.pay(100_000, "WIRE", orders={"ord_a": 100_000})
    free(desk, "ord_a", 0)

    b = order_of({"1": (1, "100.00")}, order_id="ord_b")
    desk.commit("ord_b", 10_000)
    bill = desk.invoice(b, "shp_b", {"1": 1})

    assert bill.status == "open"
    assert desk.violations() == {}


def test_a_deposit_that_the_order_still_needs_stays_and_credit_follows_the_total(desk: Desk) -> None:
    desk.limit(100_000)
    desk.commit("ord_a", 100_000, method="deposit", deposit=30_000)
    desk.pay(30_000, "WIRE", orders={"ord_a": 30_000})

    freed = free(desk, "ord_a", 40_000)

    assert freed == 0
    assert (desk.money("ord_a")["held"], desk.committed("ord_a")) == (30_000, 40_000)
    assert desk.violations() == {}


def test_an_order_that_billing_never_heard_of_frees_nothing(desk: Desk) -> None:
    assert free(desk, "ord_unknown", 100) == 0

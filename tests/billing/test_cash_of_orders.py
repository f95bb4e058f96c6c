"""An order's own money: cash that names it, orders that wait for money and go by themselves, payments reversed and reapplied."""

from __future__ import annotations

import random
from functools import partial

import pytest

from services.kernel.errors import NotFound, Refused
from tests.billing.desk import Desk, order_of
from tests.threads import at_once

B = {"1": (5, "100.00")}


def granted(desk: Desk) -> list[int]:
    """What was granted later, in the order of granting."""
    return [one["amount_minor"] for one in desk.facts("credit_granted")]


def test_a11_a_payment_for_a_prepaid_order_releases_it_and_pays_nothing_else(desk: Desk) -> None:
    desk.limit(100_000)
    a = order_of({"1": (10, "100.00")}, order_id="ord_a")
    b = order_of(B, order_id="ord_b", payment_method="prepaid")
    assert desk.commit("ord_a", 100_000).is_granted
    bill_of_a = desk.invoice(a, "shp_a", {"1": 10})
    assert not desk.commit("ord_b", 50_000, method="prepaid").is_granted
    assert desk.money("ord_b") == {
        "committed": 0, "held": 0, "invoiced": 0, "paid": 0, "missing": 50_000, "waiting_on": "cash"
    }  # fmt: skip

    desk.pay(50_000, "WIRE-B", orders={"ord_b": 50_000})

    assert granted(desk) == [50_000]
    assert desk.invoice_now(bill_of_a.invoice_id).open.minor_units == 100_000
    assert desk.balances()["customer_deposits"] == -50_000
    bill_of_b = desk.invoice(b, "shp_b", {"1": 5})
    assert bill_of_b.status == "paid"
    assert desk.balances()["customer_deposits"] == 0
    assert desk.account() == (0, 100_000)
    assert desk.violations() == {}


def test_a11_a_deposit_releases_its_order_and_is_deducted_from_the_invoice(desk: Desk) -> None:
    desk.limit(100_000, "cus_c")
    c = order_of({"1": (10, "100.00")}, order_id="ord_c", customer_id="cus_c", payment_method="deposit")
    assert not desk.commit("ord_c", 100_000, customer_id="cus_c", method="deposit", deposit=30_000).is_granted
    assert desk.money("ord_c")["missing"] == 30_000

    desk.pay(30_000, "WIRE-C", customer_id="cus_c", orders={"ord_c": 30_000})
    bill = desk.invoice(c, "shp_c", {"1": 10})

    assert granted(desk) == [100_000]
    assert (bill.total.minor_units, bill.open.minor_units, bill.status) == (100_000, 70_000, "part_paid")
    assert desk.account("cus_c") == (0, 70_000)
    assert desk.violations() == {}


def test_the_rest_of_a_deposit_order_needs_credit(desk: Desk) -> None:
    desk.limit(69_999)
    desk.commit("ord_c", 100_000, method="deposit", deposit=30_000)

    desk.pay(30_000, "WIRE-C", orders={"ord_c": 30_000})

    assert desk.money("ord_c")["waiting_on"] == "credit"
    desk.limit(70_000)
    assert granted(desk) == [100_000]
    assert desk.violations() == {}


@pytest.mark.parametrize(
    ("part", "missing"),
    [(49_999, 1), (1, 49_999)],
)
def test_a_part_of_a_prepayment_releases_nothing(desk: Desk, part: int, missing: int) -> None:
    desk.commit("ord_b", 50_000, method="prepaid")

    desk.pay(part, "WIRE-1", orders={"ord_b": part})

    assert (granted(desk), desk.money("ord_b")["missing"]) == ([], missing)
    desk.pay(missing, "WIRE-2", orders={"ord_b": missing})
    assert granted(desk) == [50_000]
    assert desk.violations() == {}


def test_cash_that_names_nothing_does_not_prepay_an_order(desk: Desk) -> None:
    desk.commit("ord_b", 50_000, method="prepaid")

    desk.pay(50_000, "WIRE-1")

    assert granted(desk) == []
    assert desk.money("ord_b")["waiting_on"] == "cash"


def test_a_paid_prepaid_order_passes_while_the_account_is_over_its_limit(desk: Desk) -> None:
    desk.limit(0)
    desk.adjust("ord_1", 90_000, is_forced=True)
    desk.pay(500_000, "WIRE-P", orders={"ord_p": 500_000})

    assert desk.commit("ord_p", 500_000, method="prepaid").is_granted


@pytest.mark.parametrize("cause", ["payment", "limit", "release", "less"])
def test_orders_that_wait_go_by_themselves_in_their_order_and_what_does_not_fit_is_skipped(
    desk: Desk, cause: str
) -> None:
    desk.limit(10_000)
    desk.commit("ord_1", 9000)
    bill = desk.invoice(order_of({"1": (1, "90.00")}), "shp_1", {"1": 1}) if cause == "payment" else None
    for number, minor in ((2, 4000), (3, 8000), (4, 5000), (5, 3000)):
        assert not desk.commit(f"ord_{number}", minor).is_granted

    match cause:
        case "payment":
            assert bill is not None
            desk.pay(8500, "WIRE-1", to={bill.invoice_id: 8500})  # 500 owed: 9,500 left
        case "limit":
            desk.limit(18_500)
        case "release":
            desk.release("ord_1")
        case _:
            desk.adjust("ord_1", 500)

    assert granted(desk) == [4000, 5000]  # 8,000 does not fit behind 4,000, and neither do 3,000 behind 9,000
    assert desk.violations() == {}


def test_what_waits_is_granted_once(desk: Desk) -> None:
    desk.commit("ord_1", 5000)
    desk.limit(5000)
    desk.limit(9000)

    assert granted(desk) == [5000]
    assert desk.commit("ord_1", 5000).is_granted
    assert desk.account() == (5000, 0)


def test_an_order_that_ends_waits_no_more(desk: Desk) -> None:
    desk.commit("ord_1", 5000)
    desk.release("ord_1")

    desk.limit(9000)

    assert granted(desk) == []
    assert desk.account() == (0, 0)


def test_an_order_that_somebody_let_pass_waits_no_more(desk: Desk) -> None:
    desk.commit("ord_1", 5000)
    desk.adjust("ord_1", 5000, is_forced=True)

    desk.limit(9000)

    assert granted(desk) == []
    assert desk.account() == (5000, 0)


def test_an_order_that_grew_while_it_waited_asks_for_its_new_amount(desk: Desk) -> None:
    desk.commit("ord_1", 5000)
    assert not desk.adjust("ord_1", 7000).is_granted

    desk.limit(6999)
    assert granted(desk) == []
    desk.limit(7000)

    assert granted(desk) == [7000]


def test_a_change_that_is_refused_leaves_a_committed_order_where_it_was(desk: Desk) -> None:
    desk.limit(5000)
    desk.commit("ord_1", 5000)

    assert not desk.adjust("ord_1", 7000).is_granted
    desk.adjust("ord_1", 5000, is_forced=True)  # the change does not come about
    desk.limit(9000)

    assert granted(desk) == []
    assert desk.account() == (5000, 0)
    assert desk.violations() == {}


def test_an_order_that_grew_in_review_waits_for_what_is_more(desk: Desk) -> None:
    desk.limit(5000)
    desk.commit("ord_1", 5000)
    assert not desk.adjust("ord_1", 7000).is_granted
    assert desk.account() == (5000, 0)

    desk.limit(7000)

    assert granted(desk) == [7000]
    assert desk.account() == (7000, 0)
    assert desk.violations() == {}


def test_a_prepaid_order_that_grows_needs_cash_for_what_is_more(desk: Desk) -> None:
    desk.pay(5000, "WIRE-1", orders={"ord_1": 5000})
    assert desk.commit("ord_1", 5000, method="prepaid").is_granted

    assert not desk.adjust("ord_1", 6000, method="prepaid").is_granted
    desk.pay(1000, "WIRE-2", orders={"ord_1": 1000})

    assert desk.adjust("ord_1", 6000, method="prepaid").is_granted
    assert desk.account() == (6000, -6000)


def test_cash_on_account_waits_until_somebody_applies_it(desk: Desk) -> None:
    payment = desk.pay(9000, "WIRE-1", on_account=True)
    bill = desk.invoice(order_of({"1": (1, "40.00")}), "shp_1", {"1": 1})
    assert (bill.status, desk.violations()) == ("open", {})

    moved = desk.reapply(payment.payment_id, to={bill.invoice_id: 4000}, on_account=True)

    assert desk.invoice_now(bill.invoice_id).status == "paid"
    assert moved.unapplied.minor_units == 5000
    assert desk.account() == (0, -5000)
    assert desk.violations() == {}


def test_a_check_that_bounces_opens_what_it_paid_and_holds_what_it_was_for(desk: Desk) -> None:
    desk.limit(100_000)
    a = order_of({"1": (1, "40.00")}, order_id="ord_a")
    desk.commit("ord_a", 4000)
    bill = desk.invoice(a, "shp_a", {"1": 1})
    desk.commit("ord_b", 50_000, method="prepaid")
    payment = desk.pay(60_000, "CHECK-1", to={bill.invoice_id: 4000}, orders={"ord_b": 50_000})
    assert payment.unapplied.minor_units == 6000

    reversed_ = desk.reverse(payment.payment_id)

    assert reversed_.returned.minor_units == 60_000
    assert desk.invoice_now(bill.invoice_id).status == "open"
    assert desk.money("ord_b") == {
        "committed": 0, "held": 0, "invoiced": 0, "paid": 0, "missing": 50_000, "waiting_on": "cash"
    }  # fmt: skip
    notified = {one["amount_minor"]: one.get("is_uncovered", False) for one in desk.facts("payment_reversed")}
    assert notified == {4000: False, 50_000: True}
    balances = desk.balances()
    assert (balances["cash"], balances["accounts_receivable"], balances["customer_deposits"]) == (0, 4000, 0)
    assert desk.account() == (0, 4000)
    assert desk.violations() == {}
    assert desk.reverse(payment.payment_id) == reversed_
    assert len(desk.facts("payment_reversed")) == 2


def test_goods_that_left_before_the_check_bounced_are_owed(desk: Desk) -> None:
    b = order_of(B, order_id="ord_b", payment_method="prepaid")
    desk.pay(50_000, "CHECK-1", orders={"ord_b": 50_000})
    desk.commit("ord_b", 50_000, method="prepaid")
    bill = desk.invoice(b, "shp_b", {"1": 5})

    desk.reverse(desk.facts("deposit_received")[0]["payment_id"])

    assert desk.invoice_now(bill.invoice_id).open.minor_units == 50_000
    assert [one.get("is_uncovered", False) for one in desk.facts("payment_reversed")] == [False]
    assert desk.violations() == {}


def test_a_reversed_payment_gives_its_reference_back(desk: Desk) -> None:
    wrong = desk.pay(5000, "WIRE-1")
    desk.reverse(wrong.payment_id)

    right = desk.pay(6000, "WIRE-1")

    assert right.payment_id != wrong.payment_id
    assert right.reference == "WIRE-1"
    assert desk.balances()["cash"] == 6000
    assert desk.violations() == {}


def test_a_payment_moves_to_another_order(desk: Desk) -> None:
    desk.commit("ord_1", 5000, method="prepaid")
    desk.commit("ord_2", 5000, method="prepaid")
    payment = desk.pay(5000, "WIRE-1", orders={"ord_1": 5000})

    desk.reapply(payment.payment_id, orders={"ord_2": 5000})

    assert [desk.money(one)["waiting_on"] for one in ("ord_1", "ord_2")] == ["cash", ""]
    assert desk.account() == (5000, -5000)
    assert desk.violations() == {}


def test_a_payment_moves_to_the_customer_it_came_from(desk: Desk) -> None:
    bill = desk.invoice(order_of({"1": (1, "40.00")}, customer_id="cus_b"), "shp_1", {"1": 1})
    payment = desk.pay(4000, "WIRE-1", customer_id="cus_acme")

    moved = desk.reapply(payment.payment_id, customer_id="cus_b")

    assert moved.customer_id == "cus_b"
    assert desk.invoice_now(bill.invoice_id).status == "paid"
    assert (desk.account("cus_acme"), desk.account("cus_b")) == ((0, 0), (0, 0))
    assert desk.violations() == {}


@pytest.mark.parametrize(
    ("of", "minor", "reason"),
    [("", 1001, "REFUND_EXCEEDS_CASH"), ("ord_1", 4001, "REFUND_EXCEEDS_CASH"), ("ord_2", 1, "REFUND_EXCEEDS_CASH")],
)
def test_no_more_is_refunded_than_is_there(desk: Desk, of: str, minor: int, reason: str) -> None:
    payment = desk.pay(5000, "WIRE-1", orders={"ord_1": 4000})

    with pytest.raises(Refused) as refusal:
        desk.refund(payment.payment_id, minor, of)

    assert refusal.value.reason == reason


def test_a_refund_of_a_deposit_makes_its_order_wait_again(desk: Desk) -> None:
    desk.commit("ord_1", 4000, method="prepaid")
    payment = desk.pay(5000, "WIRE-1", orders={"ord_1": 4000})
    desk.refund(payment.payment_id, 1000)
    assert desk.money("ord_1")["waiting_on"] == ""

    after = desk.refund(payment.payment_id, 1, "ord_1")

    assert after.returned.minor_units == 1001
    assert desk.money("ord_1")["missing"] == 1
    assert desk.balances()["cash"] == 3999
    assert desk.violations() == {}
    with pytest.raises(Refused, match="refunded"):
        desk.reverse(payment.payment_id)


def test_what_is_reversed_is_neither_moved_nor_refunded(desk: Desk) -> None:
    payment = desk.pay(5000, "WIRE-1")
    desk.reverse(payment.payment_id)

    for act in (partial(desk.reapply, payment.payment_id), partial(desk.refund, payment.payment_id, 1)):
        with pytest.raises(Refused, match="reversed"):
            act()
    with pytest.raises(NotFound):
        desk.reverse("pay_none")


@pytest.mark.on_postgres
def test_two_who_reverse_one_payment_take_it_back_once(desk: Desk) -> None:
    bill = desk.invoice(order_of({"1": (1, "40.00")}), "shp_1", {"1": 1})
    payment = desk.pay(4000, "WIRE-1")

    at_once([partial(desk.reverse, payment.payment_id) for _ in range(8)], threads=8)

    assert desk.invoice_now(bill.invoice_id).open.minor_units == 4000
    assert desk.balances()["cash"] == 0
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_of_orders_of_a_hundredth_of_the_limit_exactly_a_hundred_pass(desk: Desk) -> None:
    desk.limit(100_000)

    answers = at_once([partial(desk.commit, f"ord_{number}", 1000) for number in range(150)], threads=8)

    assert sum(answer.is_granted for answer in answers) == 100
    assert desk.account() == (100_000, 0)
    assert desk.violations() == {}


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_in_whatever_order_the_ledger_agrees(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    desk.limit(60_000)
    methods = {f"ord_{number}": chance.choice(["terms", "prepaid", "deposit"]) for number in range(6)}
    made: list[str] = []
    left = dict.fromkeys(methods, 5)
    for step in range(70):
        of = chance.choice(sorted(methods))
        order = order_of(B, order_id=of, payment_method=methods[of], tax_rate="0.0825")
        total, minor = order.total.minor_units, chance.randint(1, 40_000)
        match chance.choice(["commit", "release", "invoice", "pay", "order", "account", "reverse", "move", "refund"]):
            case "commit":
                desk.commit(of, total, method=methods[of], deposit=total // 3 if methods[of] == "deposit" else 0)
            case "release":
                desk.release(of)
            case "invoice" if left[of]:
                left[of] -= 1
                desk.invoice(order, f"shp_{step}", {"1": 1})
            case "pay":
                made.append(desk.pay(minor, f"W-{step}").payment_id)
            case "order":
                made.append(desk.pay(minor, f"W-{step}", orders={of: minor}).payment_id)
            case "account":
                made.append(desk.pay(minor, f"W-{step}", on_account=True).payment_id)
            case act if made:
                _correct(desk, act, chance.choice(made), of, minor)
        assert desk.violations() == {}, (step, of)


def _correct(desk: Desk, act: str, payment_id: str, of: str, minor: int) -> None:
    try:
        if act == "reverse":
            desk.reverse(payment_id)
        elif act == "move":
            desk.reapply(payment_id, orders={of: 1 + minor % 100})
        else:
            desk.refund(payment_id, minor, of if minor % 2 else "")
    except Refused as refusal:
        known = {"PAYMENT_REVERSED", "REFUND_EXCEEDS_CASH", "PAYMENT_REFUNDED", "PAYMENT_OVERAPPLIED"}
        assert refusal.reason in known  # noqa: PT017  # a refusal is one of the outcomes of a random act

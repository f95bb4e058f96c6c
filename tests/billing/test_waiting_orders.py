"""Orders that were paid for, are no longer, and are again: what is missing, what comes, and when they go."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from services.kernel.errors import Refused
from services.kernel.text import fold_key
from tests.billing.desk import Desk, order_of
from tests.plans import counted


def granted(desk: Desk) -> list[int]:
    """What was granted later, in the order of granting."""
    return [one["amount_minor"] for one in desk.facts("credit_granted")]


def test_a_deposit_that_pays_an_open_invoice_is_down(desk: Desk) -> None:
    desk.limit(100_000)
    order = order_of({"1": (10, "100.00")}, payment_method="deposit")
    first = desk.pay(30_000, "CHECK-1", orders={"ord_1": 30_000})
    assert desk.commit("ord_1", 100_000, method="deposit", deposit=30_000).is_granted
    desk.invoice(order, "shp_1", {"1": 5})
    desk.reverse(first.payment_id)
    assert (desk.money("ord_1")["missing"], desk.money("ord_1")["waiting_on"]) == (30_000, "cash")

    desk.pay(30_000, "CHECK-2", orders={"ord_1": 30_000})

    assert granted(desk) == [100_000]
    assert desk.money("ord_1")["missing"] == 0
    assert desk.account() == (50_000, 20_000)
    assert desk.violations() == {}


def test_a_deposit_that_was_deducted_is_not_missing_from_an_order_that_waits_for_credit(desk: Desk) -> None:
    desk.limit(70_000)
    order = order_of({"1": (10, "100.00")}, payment_method="deposit")
    desk.pay(30_000, "WIRE-1", orders={"ord_1": 30_000})
    desk.commit("ord_1", 100_000, method="deposit", deposit=30_000)
    desk.invoice(order, "shp_1", {"1": 5})

    assert not desk.adjust("ord_1", 120_000, method="deposit", deposit=30_000).is_granted

    assert (desk.money("ord_1")["missing"], desk.money("ord_1")["waiting_on"]) == (0, "credit")


def test_what_is_missing_of_a_prepaid_order_counts_its_open_invoices(desk: Desk) -> None:
    order = order_of({"1": (5, "100.00")}, payment_method="prepaid")
    first = desk.pay(50_000, "CHECK-1", orders={"ord_1": 50_000})
    desk.commit("ord_1", 50_000, method="prepaid")
    desk.invoice(order, "shp_1", {"1": 3})
    desk.reverse(first.payment_id)
    assert desk.money("ord_1")["missing"] == 50_000

    desk.pay(20_000, "WIRE-2", orders={"ord_1": 20_000})
    assert (granted(desk), desk.money("ord_1")["missing"]) == ([], 30_000)
    desk.pay(30_000, "WIRE-3", orders={"ord_1": 30_000})

    assert (granted(desk), desk.money("ord_1")["missing"]) == ([50_000], 0)
    assert desk.violations() == {}


def test_what_was_invoiced_while_an_order_waited_is_part_of_what_it_asks_for_again(desk: Desk) -> None:
    order = order_of({"1": (5, "100.00")}, payment_method="prepaid")
    desk.commit("ord_1", 50_000, method="prepaid")
    first = desk.pay(50_000, "CHECK-1", orders={"ord_1": 50_000})
    desk.reverse(first.payment_id)
    desk.invoice(order, "shp_1", {"1": 3})
    second = desk.pay(50_000, "CHECK-2", orders={"ord_1": 50_000})
    desk.reverse(second.payment_id)

    desk.pay(50_000, "CHECK-3", orders={"ord_1": 50_000})

    assert granted(desk) == [50_000, 50_000, 50_000]
    assert desk.money("ord_1")["committed"] == 20_000
    assert desk.violations() == {}


def test_a_refunded_deposit_is_told_of_as_refunded_and_the_order_waits_again(desk: Desk) -> None:
    desk.commit("ord_1", 4000, method="prepaid")
    payment = desk.pay(5000, "WIRE-1", orders={"ord_1": 4000})

    desk.refund(payment.payment_id, 1000)
    desk.refund(payment.payment_id, 1500, "ord_1")

    [notified] = desk.facts("payment_reversed")
    assert (notified["amount_minor"], notified["cause"], notified["reason"]) == (1500, "refunded", "not needed")
    assert (notified["is_uncovered"], notified["held_minor"]) == (True, 2500)


def test_what_a_refund_or_a_reversal_uncovers_makes_room_for_who_waits(desk: Desk) -> None:
    desk.limit(10_000)
    payment = desk.pay(1000, "WIRE-1", orders={"ord_1": 1000})
    assert desk.commit("ord_1", 10_000, method="deposit", deposit=1000).is_granted
    assert not desk.commit("ord_2", 9000).is_granted

    desk.refund(payment.payment_id, 1, "ord_1")

    assert granted(desk) == [9000]
    desk.release("ord_2")
    desk.pay(1, "WIRE-2", orders={"ord_1": 1})
    assert not desk.commit("ord_3", 9000).is_granted
    desk.reapply(payment.payment_id, on_account=True)
    assert granted(desk) == [9000, 10_000, 9000]
    assert desk.violations() == {}


def test_an_order_that_keeps_its_cash_when_a_payment_is_reapplied_waits_for_nothing(desk: Desk) -> None:
    order = order_of({"1": (5, "100.00")}, payment_method="prepaid")
    payment = desk.pay(60_000, "WIRE-1", orders={"ord_1": 60_000})
    desk.commit("ord_1", 50_000, method="prepaid")
    bill = desk.invoice(order, "shp_1", {"1": 2})

    desk.reapply(payment.payment_id, orders={"ord_1": 50_000, "ord_2": 10_000})

    [notified] = desk.facts("payment_reversed")
    assert (notified["cause"], notified.get("is_uncovered", False), notified["held_minor"]) == (
        "reapplied",
        False,
        30_000,
    )
    assert [(one["invoice_id"], one["status"]) for one in notified["invoices"]] == [(bill.invoice_id, "paid")]
    assert (granted(desk), desk.money("ord_1")["waiting_on"]) == ([], "")
    assert desk.violations() == {}


def test_a_payment_does_not_move_to_a_customer_that_has_one_under_its_reference(desk: Desk) -> None:
    here, there = desk.pay(4000, "WIRE-1"), desk.pay(5000, "wire-1 ", customer_id="cus_b")

    with pytest.raises(Refused, match="WIRE-1") as refusal:
        desk.reapply(here.payment_id, customer_id="cus_b")
    desk.reverse(there.payment_id)
    moved = desk.reapply(here.payment_id, customer_id="cus_b")

    assert refusal.value.reason == "PAYMENT_REFERENCE_REUSED"
    assert (moved.customer_id, moved.reference) == ("cus_b", "WIRE-1")
    assert desk.violations() == {}


def test_a_payment_whose_key_is_marked_as_a_duplicate_is_refunded_and_keeps_its_mark(desk: Desk) -> None:
    desk.pay(4000, "WIRE-1")
    second = desk.pay(4000, "WIRE-2", on_account=True)
    with desk.database.transaction() as session:  # as a migration left two references of different spelling
        marked = {"id": second.payment_id, "key": f"{fold_key('WIRE-1')}\n{second.payment_id}"}
        session.execute(
            text("UPDATE payment SET reference = 'wire-1', reference_key = :key WHERE payment_id = :id"), marked
        )

    after = desk.refund(second.payment_id, 1000)

    assert (after.returned.minor_units, after.reference) == (1000, "wire-1")
    desk.reverse(desk.pay(1, "WIRE-3").payment_id)
    assert desk.violations() == {}


def test_a_limit_is_answered_with_what_it_granted(desk: Desk) -> None:
    desk.commit("ord_1", 5000)

    answered = desk.limit(9000)

    assert (answered.committed.minor_units, answered.headroom.minor_units) == (5000, 4000)


def test_cash_that_names_one_order_is_no_credit_for_another_that_waits_longer(desk: Desk) -> None:
    desk.limit(10_000)
    assert not desk.commit("ord_a", 10_001).is_granted
    assert not desk.commit("ord_b", 50_000, method="prepaid").is_granted

    desk.pay(50_000, "WIRE-B", orders={"ord_b": 50_000})

    assert (granted(desk), desk.money("ord_a")["waiting_on"]) == ([50_000], "credit")
    assert desk.violations() == {}


@pytest.mark.parametrize("method", ["terms", "deposit"])
def test_cash_held_for_an_order_that_has_not_come_is_no_credit_for_others_but_for_itself(
    desk: Desk, method: str
) -> None:
    desk.limit(10_000)
    desk.pay(50_000, "WIRE-B", orders={"ord_b": 50_000})

    assert not desk.commit("ord_a", 10_001).is_granted

    assert desk.headroom() == 10_000
    assert desk.commit("ord_b", 60_000, method=method, deposit=50_000).is_granted
    assert desk.headroom() == 0
    assert desk.violations() == {}


def test_what_is_held_for_orders_pays_them_and_what_is_on_account_is_credit(desk: Desk) -> None:
    desk.limit(10_000)
    desk.commit("ord_b", 4000)
    desk.pay(9000, "WIRE-B", orders={"ord_b": 7000}, on_account=True)  # 3,000 beyond the order, 2,000 on account

    assert desk.headroom() == 12_000  # 10,000 - 4,000 committed + 4,000 of its cash + 2,000
    assert not desk.commit("ord_a", 12_001).is_granted
    assert desk.commit("ord_a", 12_000).is_granted


def test_an_order_whose_change_does_not_come_about_goes_on_waiting_for_what_it_asked_before(desk: Desk) -> None:
    desk.commit("ord_1", 50_000, method="prepaid")
    assert not desk.adjust("ord_1", 70_000, method="prepaid").is_granted

    assert not desk.adjust("ord_1", 50_000, method="prepaid").is_granted
    desk.pay(50_000, "WIRE-1", orders={"ord_1": 50_000})

    assert granted(desk) == [50_000]
    assert desk.violations() == {}


def test_a_smaller_order_needs_its_smaller_deposit(desk: Desk) -> None:
    desk.limit(100_000)
    payment = desk.pay(30_000, "WIRE-1", orders={"ord_1": 30_000})
    assert desk.commit("ord_1", 100_000, method="deposit", deposit=30_000).is_granted
    assert desk.adjust("ord_1", 50_000, method="deposit", deposit=15_000).is_granted

    desk.refund(payment.payment_id, 15_000, "ord_1")
    assert desk.money("ord_1")["waiting_on"] == ""
    desk.refund(payment.payment_id, 1, "ord_1")

    assert (desk.money("ord_1")["waiting_on"], desk.money("ord_1")["missing"]) == ("cash", 1)
    assert desk.violations() == {}


def test_an_order_whose_payment_method_changed_is_tested_by_the_new_one(desk: Desk) -> None:
    desk.limit(50_000)
    payment = desk.pay(50_000, "WIRE-1", orders={"ord_1": 50_000})
    desk.commit("ord_1", 50_000, method="prepaid")
    assert desk.adjust("ord_1", 50_000).is_granted

    desk.reverse(payment.payment_id)

    assert desk.money("ord_1")["waiting_on"] == ""
    assert not desk.adjust("ord_1", 60_000).is_granted
    assert not desk.adjust("ord_1", 60_000, method="prepaid").is_granted
    assert desk.money("ord_1")["missing"] == 60_000
    assert desk.violations() == {}


def test_an_order_that_waits_and_is_billed_as_a_whole_waits_no_more(desk: Desk) -> None:
    order = order_of({"1": (5, "100.00")}, payment_method="prepaid")
    desk.commit("ord_1", 50_000, method="prepaid")

    desk.invoice(order, "shp_1", {"1": 4})
    assert desk.money("ord_1")["waiting_on"] == "cash"
    desk.invoice(order, "shp_2", {"1": 1})

    assert (desk.money("ord_1")["waiting_on"], granted(desk)) == ("", [])
    assert desk.violations() == {}


def test_whoever_ends_an_order_takes_its_account_before_anything_of_it(desk: Desk) -> None:
    desk.commit("ord_1", 5000)

    with counted(desk.database) as statements:
        desk.release("ord_1")

    writes = [one.split()[:3] for one in statements if one.startswith(("UPDATE credit_", "DELETE FROM credit_"))]
    assert writes == [["UPDATE", "credit_account", "SET"], ["DELETE", "FROM", "credit_wait"]]


def test_what_waits_is_looked_at_together(desk: Desk) -> None:
    asked = []
    for orders in (2, 20):
        for number in range(orders):
            desk.commit(f"ord_{number}", 5000, method="prepaid")
        with counted(desk.database) as statements:
            desk.limit(orders)
        asked.append(len(statements))

    assert asked[0] == asked[1]

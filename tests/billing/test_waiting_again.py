"""Orders that were paid for, are no longer, and are again: what is missing, what comes, and when they go."""

from __future__ import annotations

from tests.billing.desk import Desk, order_of


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

"""Billing's part of the acceptance scenarios, to the cent, on both databases."""

from __future__ import annotations

from datetime import timedelta

from tests.billing.desk import Desk, order_of


def test_a2_three_shipments_on_terms_and_two_payments(desk: Desk) -> None:
    order = order_of({"1": (100, "20.00")}, freight=5000, tax_rate="0.0825")
    desk.limit(500_000)
    assert order.total.minor_units == 221_500
    assert desk.commit("ord_1", 221_500).is_granted
    desk.move("fact_1", "stock_received", 60 * 1200)
    desk.move("fact_2", "stock_received", 25 * 1250)
    desk.move("fact_3", "stock_received", 15 * 1300)

    invoices = [desk.invoice(order, f"shp_{units}", {"1": units}) for units in (60, 25, 15)]
    for fact_id, value in (("fact_4", 60 * 1200), ("fact_5", 25 * 1250), ("fact_6", 15 * 1300)):
        desk.move(fact_id, "stock_issued", value, order_id="ord_1")
    desk.pay(132_900, "BANK-1", to={invoices[0].invoice_id: 132_900})
    desk.pay(30_000, "BANK-2", to={invoices[1].invoice_id: 30_000})

    assert [each.total.minor_units for each in invoices] == [132_900, 55_375, 33_225]
    assert [each.number for each in invoices] == ["INV-000001", "INV-000002", "INV-000003"]
    assert [each.due_on for each in invoices] == ["2026-04-01"] * 3
    balances = desk.balances()
    assert balances.pop("inventory") == 0
    assert balances == {
        "cash": 162_900,
        "accounts_receivable": 58_600,
        "revenue": -200_000,
        "freight_revenue": -5000,
        "tax_payable": -16_500,
        "cost_of_goods_sold": 122_750,
        "goods_received_not_invoiced": -122_750,
    }
    statuses = [desk.invoice_now(each.invoice_id).status for each in invoices]
    assert statuses == ["paid", "part_paid", "open"]
    assert desk.account() == (0, 58_600)
    assert desk.violations() == {}


def test_a9_three_invoices_sum_to_the_order(desk: Desk) -> None:
    order = order_of({"1": (3, "33.33")}, discount=1000, tax_rate="0.0725")

    invoices = [desk.invoice(order, f"shp_{number}", {"1": 1}) for number in range(3)]

    assert order.total.minor_units == 9651
    assert [each.total.minor_units for each in invoices] == [3218, 3217, 3216]
    assert [each.tax.minor_units for each in invoices] == [218, 217, 217]
    assert [line.extended.minor_units for each in invoices for line in each.lines] == [3333] * 3
    assert desk.balances()["accounts_receivable"] == 9651
    assert desk.violations() == {}


def test_a5_an_order_counts_once_from_accepted_to_billed_to_paid(desk: Desk) -> None:
    desk.limit(1_000_000)
    old = order_of({"1": (1, "6200.00")}, order_id="ord_old")
    desk.invoice(old, "shp_old", {"1": 1})
    y = order_of({"1": (25, "100.00")}, order_id="ord_y")
    assert desk.commit("ord_y", 250_000).is_granted
    assert desk.account() == (250_000, 620_000)

    x = desk.commit("ord_x", 150_000)  # 8,700 + 1,500 = 10,200
    assert not x.is_granted
    assert (x.exposure.minor_units, x.limit.minor_units) == (870_000, 1_000_000)

    desk.invoice(y, "shp_y", {"1": 10})  # 1,000 of Y is billed: exposure unchanged
    assert desk.account() == (150_000, 720_000)
    desk.pay(25_000, "BANK-1")
    assert desk.commit("ord_x", 150_000).is_granted  # 8,450 + 1,500 = 9,950

    assert desk.release("ord_y") == 150_000
    assert desk.commit("ord_z", 140_000).is_granted  # 8,450 + 1,400 = 9,850
    assert not desk.commit("ord_y", 250_000).is_granted  # its 1,500 not yet billed would make 11,350
    assert not desk.commit("ord_p", 500_000, method="prepaid").is_granted
    desk.pay(500_000, "BANK-P", orders={"ord_p": 500_000})
    assert desk.commit("ord_p", 500_000, method="prepaid").is_granted  # paid first, so it passes while Y is held
    assert desk.account() == (790_000, 195_000)
    assert not desk.commit("ord_y", 250_000).is_granted

    shipped_anyway = desk.invoice(order_of({"1": (10, "100.00")}, order_id="ord_late"), "shp_late", {"1": 10})
    assert shipped_anyway.total.minor_units == 100_000
    assert desk.violations() == {}


def test_a5_a_reopened_order_commits_only_what_was_not_billed(desk: Desk) -> None:
    desk.limit(1_000_000)
    y = order_of({"1": (25, "100.00")}, order_id="ord_y")
    desk.commit("ord_y", 250_000)
    desk.invoice(y, "shp_y", {"1": 10})
    desk.release("ord_y")

    assert desk.commit("ord_y", 250_000).is_granted

    assert desk.account() == (150_000, 100_000)
    assert desk.violations() == {}


def test_a_prepaid_order_is_settled_the_moment_it_is_billed(desk: Desk) -> None:
    order = order_of({"1": (2, "50.00")}, payment_method="prepaid")
    desk.pay(4000, "CARD-1")
    desk.now += timedelta(minutes=1)
    desk.pay(9000, "CARD-2")
    assert desk.account() == (0, -13_000)
    assert desk.balances() == {"cash": 13_000, "unapplied_cash": -13_000}

    invoice = desk.invoice(order, "shp_1", {"1": 2})

    assert (invoice.status, invoice.due_on) == ("paid", invoice.invoiced_on)
    assert desk.balances() == {
        "cash": 13_000,
        "unapplied_cash": -3000,
        "accounts_receivable": 0,
        "revenue": -10_000,
    }
    received = desk.facts("payment_received")
    assert [(each["reference"], each["amount_minor"]) for each in received] == [("CARD-1", 4000), ("CARD-2", 6000)]
    assert [each["invoices"][0]["status"] for each in received] == ["part_paid", "paid"]
    assert desk.account() == (0, -3000)
    assert desk.violations() == {}

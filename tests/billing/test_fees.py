"""A fee of an order: an invoice of its own, once, income of its own, and none of what the order comes to."""

from __future__ import annotations

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.order_desk import accept
from tests.billing.test_freed_money import free
from tests.billing.test_invoice_documents import SELLER, content_of
from tests.threads import at_once

TEN = {"1": (10, "100.00")}


def fee_of(order: orders_pb2.Order, price: str = "60.00", **more: str) -> orders_pb2.Order:
    """The order as orders sends it with a fee."""
    method = order.payment_method
    return order_of({"1": (1, price)}, order_id=order.order_id, payment_method=method, terms=order.terms, **more)  # type: ignore[arg-type]  # a rate


def charge(desk: Desk, order: orders_pb2.Order, fee_id: str = "can_1") -> pb.Invoice:
    return desk.billing.ChargeFee(pb.ChargeFeeRequest(fee_id=fee_id, order=order), CONTEXT).invoice


@pytest.mark.on_postgres
def test_a_fee_on_terms_is_receivable_by_a_numbered_invoice_and_no_revenue(desk: Desk) -> None:
    desk.limit(1_000_000)
    order = order_of(TEN)
    desk.commit("ord_1", 100_000)
    desk.invoice(order, "shp_1", {"1": 4})

    bill = charge(desk, fee_of(order, tax_rate="0.10"))
    again = charge(desk, fee_of(order, tax_rate="0.10"))

    assert (bill.number, bill.fee_id, bill.total.minor_units, bill.status) == ("INV-000002", "can_1", 6_600, "open")
    assert again == bill
    assert (bill.shipment_id, list(bill.shipment_ids)) == ("", [])
    found = desk.balances()
    assert (found["fee_income"], found["revenue"], found["tax_payable"]) == (-6_000, -40_000, -600)
    # committed is what of the order is not invoiced; the fee is owed beside it
    assert desk.account() == (60_000, 46_600)
    assert desk.violations() == {}


def test_what_the_order_comes_to_is_billed_as_if_there_were_no_fee(desk: Desk) -> None:
    desk.limit(1_000_000)
    order = order_of(TEN, discount=10_000, freight=500)
    desk.commit("ord_1", 90_500)
    charge(desk, fee_of(order))

    bills = [desk.invoice(order, f"shp_{n}", {"1": 5}) for n in (1, 2)]

    assert sum(bill.total.minor_units for bill in bills) == 90_500
    issued = [fact for fact in desk.facts("invoice_issued") if fact["invoice"].get("fee_id")]
    assert [fact.get("lines", {}) for fact in issued] == [{}]
    assert desk.account() == (0, 96_500)
    assert desk.violations() == {}


def test_cash_that_is_held_for_the_order_pays_the_fee_and_the_rest_becomes_free(desk: Desk) -> None:
    desk.limit(0)
    order = order_of(TEN, payment_method="prepaid")
    desk.commit("ord_1", 100_000, method="prepaid")
    desk.pay(100_000, "WIRE", orders={"ord_1": 100_000})

    bill = charge(desk, fee_of(order))
    freed = free(desk, "ord_1", 40_000)

    assert (bill.status, bill.paid.minor_units) == ("paid", 6_000)
    # 600.00 are canceled, 60.00 of them are the fee
    assert freed == 54_000
    assert desk.money("ord_1")["held"] == 40_000
    assert desk.balances()["fee_income"] == -6_000
    assert desk.violations() == {}


def test_a_fee_of_an_order_that_is_cancelled_whole_is_kept_from_its_cash(desk: Desk) -> None:
    desk.limit(0)
    order = order_of(TEN, payment_method="prepaid")
    desk.commit("ord_1", 100_000, method="prepaid")
    paid = desk.pay(100_000, "WIRE", orders={"ord_1": 100_000})
    desk.release("ord_1")

    charge(desk, fee_of(order))
    desk.refund(paid.payment_id, 94_000, "ord_1")

    assert desk.balances()["cash"] == 6_000
    assert desk.violations() == {}


def test_an_order_invoiced_at_order_keeps_its_fee_when_the_rest_is_credited(desk: Desk) -> None:
    desk.limit(1_000_000)
    order = order_of(TEN, invoicing="at_order")
    desk.commit("ord_1", 100_000)
    accept(desk, order)
    charge(desk, fee_of(order))

    desk.release("ord_1")

    assert [(bill.fee_id, bill.status) for bill in desk.listed()] == [("", "credited"), ("can_1", "open")]
    assert desk.balances()["fee_income"] == -6_000
    assert desk.violations() == {}


def test_a_fee_that_is_credited_is_no_income(desk: Desk) -> None:
    desk.limit(1_000_000)
    order = order_of(TEN)
    bill = charge(desk, fee_of(order))

    desk.credit(bill.invoice_id, everything=True)

    found = desk.balances()
    assert (found.get("fee_income", 0), found.get("sales_returns", 0), found["accounts_receivable"]) == (0, 0, 0)
    assert desk.violations() == {}


def test_a_fee_that_is_credited_takes_back_no_revenue_of_an_order_invoiced_at_order(desk: Desk) -> None:
    desk.limit(1_000_000)
    order = order_of(TEN, invoicing="at_order")
    desk.commit("ord_1", 100_000)
    accept(desk, order)
    desk.leave(order, "shp_1", {"1": 4})
    goods, fee = desk.listed()[0], charge(desk, fee_of(order))
    desk.credit(fee.invoice_id, everything=True)

    # 400.00 is revenue, all of which comes back
    request = pb.CreditReturnRequest(
        request_id="inspection/1", order_id="ord_1", return_id="rma_1", number="RMA-1001", reason="return RMA-1001",
        lines=[pb.ReturnedLine(line_id="1", quantity=4)],
    )  # fmt: skip
    desk.billing.CreditReturn(request, CONTEXT)

    found = desk.balances()
    assert desk.invoice_now(goods.invoice_id).credited.minor_units == 40_000
    assert (found["deferred_revenue"], found["sales_returns"]) == (-60_000, 40_000)
    assert desk.violations() == {}


@pytest.mark.parametrize("method", ["card", "cod"])
def test_a_fee_asks_for_a_transfer_whatever_its_order_is_paid_by(desk: Desk, method: str) -> None:
    bill = charge(desk, fee_of(order_of(TEN, payment_method=method)))

    paper = content_of(desk, bill.invoice_id)

    assert paper["payment"] == ["Pay 60.00 USD by Mar 2, 2026 to this account, naming invoice INV-000001."]
    assert paper["bank"] == list(SELLER.bank)


@pytest.mark.on_postgres
def test_a_fee_is_charged_once_by_whoever_asks_at_the_same_time(desk: Desk) -> None:
    desk.limit(1_000_000)
    order = order_of(TEN)

    numbers = set(at_once([lambda: charge(desk, fee_of(order)).number] * 4))

    assert numbers == {"INV-000001"}
    assert desk.account() == (0, 6_000)
    assert desk.violations() == {}

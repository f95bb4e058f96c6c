"""What recording, reversing, reapplying and refunding a payment would do, and which orders wait for their money."""

from __future__ import annotations

from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd


def previewed(desk: Desk, **act: Any) -> pb.PreviewPaymentResponse:
    return desk.billing.PreviewPayment(pb.PreviewPaymentRequest(**act), CONTEXT)


def opened(found: pb.PreviewPaymentResponse) -> list[tuple[str, int, int]]:
    """(invoice, open now, open then)."""
    return [(one.number, one.open_before.minor_units, one.open_after.minor_units) for one in found.invoices]


def waiting(desk: Desk, **more: Any) -> pb.ListWaitingOrdersResponse:
    return desk.billing.ListWaitingOrders(pb.ListWaitingOrdersRequest(**more), CONTEXT)


def record(minor: int, *, orders: dict[str, int] | None = None) -> pb.RecordPaymentRequest:
    parts = [pb.OrderPart(order_id=order_id, amount=usd(part)) for order_id, part in (orders or {}).items()]
    return pb.RecordPaymentRequest(customer_id="cus_acme", amount=usd(minor), reference="W-1", orders=parts)


@pytest.mark.on_postgres
def test_a_preview_says_what_is_paid_and_which_order_goes_and_leaves_no_trace(desk: Desk) -> None:
    desk.limit(100_000)
    desk.invoice(order_of({"1": (3, "100.00")}), "shp_1", {"1": 3})
    assert not desk.commit("ord_2", 20_000, method="prepaid").is_granted
    before = desk.balances(), desk.money("ord_2"), len(desk.facts("deposit_received"))

    found = previewed(desk, record=record(45_000, orders={"ord_2": 20_000}))

    assert opened(found) == [("INV-000001", 30_000, 5_000)]
    assert [(one.order_id, one.remaining.minor_units) for one in found.payment.deposits] == [("ord_2", 20_000)]
    assert (list(found.released_order_ids), list(found.waiting_order_ids)) == (["ord_2"], [])
    assert (desk.balances(), desk.money("ord_2"), len(desk.facts("deposit_received"))) == before
    assert not desk.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments


def test_a_reversal_previews_what_is_open_again_and_which_order_waits(desk: Desk) -> None:
    desk.limit(100_000)
    desk.invoice(order_of({"1": (3, "100.00")}), "shp_1", {"1": 3})
    paid = desk.pay(50_000, "CHECK-1", orders={"ord_1": 30_000, "ord_2": 20_000})
    assert desk.commit("ord_2", 20_000, method="prepaid").is_granted
    asked = pb.ReversePaymentRequest(payment_id=paid.payment_id, reason="check bounced")

    found = previewed(desk, reverse=asked)

    assert opened(found) == [("INV-000001", 0, 30_000)]
    assert list(found.waiting_order_ids) == ["ord_2"]
    assert desk.money("ord_2")["waiting_on"] == ""
    assert desk.reverse(paid.payment_id) == found.payment


def test_reapplying_and_refunding_are_previewed_as_they_would_be_done(desk: Desk) -> None:
    desk.limit(100_000)
    paid = desk.pay(20_000, "WIRE-1", orders={"ord_1": 20_000})
    reapply = pb.ReapplyPaymentRequest(payment_id=paid.payment_id, reason="not theirs", customer_id="cus_bolt")
    refund = pb.RefundPaymentRequest(payment_id=paid.payment_id, amount=usd(500), order_id="ord_1", reason="too much")

    moved, given_back = previewed(desk, reapply=reapply).payment, previewed(desk, refund=refund).payment

    assert (moved.customer_id, moved.unapplied.minor_units) == ("cus_bolt", 20_000)
    assert (given_back.returned.minor_units, given_back.deposits[0].remaining.minor_units) == (500, 19_500)
    assert desk.refund(paid.payment_id, 500, "ord_1") == given_back


def test_a_preview_is_refused_as_its_call_is(desk: Desk) -> None:
    paid = desk.pay(20_000, "WIRE-1")
    refund = pb.RefundPaymentRequest(payment_id=paid.payment_id, amount=usd(20_001), reason="too much")

    with pytest.raises(Refused) as refused:
        previewed(desk, refund=refund)
    with pytest.raises(InvalidArgument, match="act is missing"):
        previewed(desk)

    assert refused.value.reason == "REFUND_EXCEEDS_CASH"


@pytest.mark.on_postgres
def test_orders_that_wait_are_listed_the_longest_first_with_what_is_missing(desk: Desk) -> None:
    desk.limit(10_000)
    desk.limit(0, "cus_bolt")
    desk.commit("ord_1", 50_000)
    desk.commit("ord_2", 30_000, method="prepaid")
    desk.commit("ord_3", 30_000, method="prepaid", customer_id="cus_bolt")
    desk.pay(12_500, "WIRE-1", orders={"ord_2": 12_500})

    first = waiting(desk, limit=2)
    second = waiting(desk, limit=2, cursor=first.next_cursor)
    theirs = waiting(desk, customer_id="cus_bolt")

    rows = [
        (one.order_id, one.waiting_on, one.given.minor_units, one.missing.minor_units)
        for one in (*first.orders, *second.orders)
    ]
    assert rows == [("ord_1", "credit", 0, 0), ("ord_2", "cash", 12_500, 17_500), ("ord_3", "cash", 0, 30_000)]
    assert second.next_cursor == ""
    assert [one.order_id for one in theirs.orders] == ["ord_3"]
    with pytest.raises(InvalidArgument, match="next_cursor"):
        waiting(desk, cursor="yesterday")


def listed(desk: Desk, **wanted: Any) -> list[str]:
    found = desk.billing.ListPayments(pb.ListPaymentsRequest(**wanted), CONTEXT).payments
    return [one.reference for one in found]


@pytest.mark.on_postgres
@pytest.mark.parametrize(
    ("wanted", "references"),
    [
        ({}, ["WIRE-1", "WIRE-2", "CHECK-1", "CHECK_2"]),
        ({"is_newest_first": True}, ["CHECK_2", "CHECK-1", "WIRE-2", "WIRE-1"]),
        ({"reference": " wire"}, ["WIRE-1", "WIRE-2"]),
        ({"reference": "check_"}, ["CHECK_2"]),
        ({"reference": "%"}, []),
        ({"state": "applied"}, ["WIRE-1"]),
        ({"state": "held"}, ["WIRE-2"]),
        ({"state": "unapplied"}, ["CHECK-1"]),
        ({"state": "refunded"}, ["CHECK-1"]),
        ({"state": "reversed"}, ["CHECK_2"]),
        ({"state": "held", "customer_id": "cus_bolt"}, []),
    ],
)
def test_payments_are_found_by_reference_and_state(desk: Desk, wanted: dict[str, Any], references: list[str]) -> None:
    desk.limit(100_000)
    desk.invoice(order_of({"1": (1, "100.00")}), "shp_1", {"1": 1})
    desk.pay(10_000, "WIRE-1")
    desk.pay(5_000, "WIRE-2", orders={"ord_2": 5_000})
    desk.refund(desk.pay(7_000, "CHECK-1").payment_id, 1_000)
    desk.reverse(desk.pay(3_000, "CHECK_2").payment_id)

    assert listed(desk, **wanted) == references


def test_the_newest_payments_come_in_pages_too(desk: Desk) -> None:
    for reference in ("A", "B", "C"):
        desk.pay(100, reference)

    first = desk.billing.ListPayments(pb.ListPaymentsRequest(limit=2, is_newest_first=True), CONTEXT)
    rest = listed(desk, limit=2, is_newest_first=True, cursor=first.next_cursor)

    assert ([one.reference for one in first.payments], rest) == (["C", "B"], ["A"])

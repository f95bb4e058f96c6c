"""Every shape billing refuses, with a reason and a sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from google.protobuf.message import Message

from oms.billing.v1 import billing_pb2 as pb
from oms.facts.v1 import facts_pb2
from oms.types.v1 import types_pb2
from services.billing import wire
from services.kernel.errors import InvalidArgument
from tests.billing.desk import order_of
from tests.billing.messages import movement, usd
from tests.facts import notified, strange


def invoice_request() -> pb.IssueInvoiceRequest:
    return pb.IssueInvoiceRequest(
        request_id="r",
        order=order_of({"1": (3, "33.33"), "2": (1, "1.00")}, tax_rate="0.0725"),
        shipment_id="shp_1",
        lines=[types_pb2.LineQuantity(line_id="1", sku="SKU-1", quantity=1)],
        shipped_at_micros=1_772_463_600_000_000,
    )


def payment_request() -> pb.RecordPaymentRequest:
    return pb.RecordPaymentRequest(
        request_id="r",
        customer_id="cus_acme",
        amount=usd(100),
        reference="BANK-1",
        applications=[pb.PaymentApplication(invoice_id="inv_1", amount=usd(10))],
    )


Spoil = Callable[[pb.IssueInvoiceRequest], object]
SpoilPayment = Callable[[pb.RecordPaymentRequest], object]


def put(path: str, value: object) -> Callable[[Message], object]:
    """Set a field by its path; a number indexes a repeated field."""

    def spoil(message: Message) -> object:
        target: object = message
        *names, last = path.split(".")
        for name in names:
            target = target[int(name)] if name.isdigit() else getattr(target, name)  # type: ignore[index]  # a repeated field
        setattr(target, last, value)
        return target

    return spoil


def test_a_good_request_becomes_a_shipment_and_lines_named_twice_are_summed() -> None:
    request = invoice_request()
    request.lines.append(types_pb2.LineQuantity(line_id="1", sku="SKU-1", quantity=2))

    shipped = wire.shipped(request, "UTC")

    assert shipped.quantities == {"1": 3}
    assert shipped.shipped_on.isoformat() == "2026-03-02"
    assert shipped.of.order.charges.total.minor == request.order.total.minor_units


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda request: request.ClearField("order"), "FIELD_MISSING"),
        (lambda request: request.ClearField("lines"), "LINES_OUT_OF_RANGE"),
        (put("shipment_id", " "), "FIELD_MISSING"),
        (put("shipment_id", "s" * 201), "TEXT_TOO_LONG"),
        (put("shipment_id", "shp\x00"), "TEXT_NOT_PRINTABLE"),
        (put("shipped_at_micros", 0), "INSTANT_OUT_OF_RANGE"),
        (put("shipped_at_micros", 2**63 - 1), "INSTANT_OUT_OF_RANGE"),
        (put("lines.0.quantity", 0), "QUANTITY_NOT_POSITIVE"),
        (put("lines.0.quantity", -1), "QUANTITY_OUT_OF_RANGE"),
        (put("lines.0.quantity", 2**63 - 1), "QUANTITY_OUT_OF_RANGE"),
        (put("lines.0.line_id", ""), "FIELD_MISSING"),
        (lambda request: request.order.ClearField("lines"), "LINES_OUT_OF_RANGE"),
        (lambda request: request.order.ClearField("tax"), "FIELD_MISSING"),
        (put("order.currency", "usd"), "CURRENCY_UNKNOWN"),
        (put("order.order_id", ""), "FIELD_MISSING"),
        (put("order.customer_id", ""), "FIELD_MISSING"),
        (put("order.payment_method", "iou"), "PAYMENT_METHOD_UNKNOWN"),
        (put("order.po_number", "PO\x007"), "TEXT_NOT_PRINTABLE"),
        (put("order.ship_to.street", "s" * 1_001), "TEXT_TOO_LONG"),
        (put("order.placed_at_micros", 2**63 - 1), "INSTANT_OUT_OF_RANGE"),
        (put("order.net_days", -1), "DAYS_OUT_OF_RANGE"),
        (put("order.net_days", 2**31 - 1), "DAYS_OUT_OF_RANGE"),
        (put("order.tax_rate", "NaN"), "TAX_RATE_OUT_OF_RANGE"),
        (put("order.tax_rate", "1e-2"), "TAX_RATE_OUT_OF_RANGE"),
        (put("order.tax_rate", ""), "TAX_RATE_OUT_OF_RANGE"),
        (put("order.tax_rate", "1.5"), "TAX_RATE_OUT_OF_RANGE"),
        (put("order.discount.minor_units", -1), "AMOUNT_TOO_SMALL"),
        (put("order.discount.minor_units", 10**15), "DISCOUNT_TOO_LARGE"),
        (put("order.freight.currency", "EUR"), "CURRENCY_MIXED"),
        (put("order.total.minor_units", 1), "ORDER_TOTAL_WRONG"),
        (put("order.lines.0.quantity", 4), "ORDER_TOTAL_WRONG"),
        (put("order.lines.0.quantity", -1), "QUANTITY_OUT_OF_RANGE"),
        (put("order.lines.0.unit_price", "-1"), "PRICE_OUT_OF_RANGE"),
        (put("order.lines.0.unit_price", "1e400"), "NOT_AN_AMOUNT"),
        (put("order.lines.0.unit_price", ""), "NOT_AN_AMOUNT"),
        (put("order.lines.1.line_id", "1"), "LINE_REPEATED"),
        (put("order.lines.0.sku", ""), "FIELD_MISSING"),
        (put("order.merchandise.minor_units", 2**63 - 1), "AMOUNT_TOO_LARGE"),
    ],
)
def test_an_invoice_request_of_the_wrong_shape_is_refused(spoil: Spoil, reason: str) -> None:
    request = invoice_request()
    spoil(request)

    with pytest.raises(InvalidArgument) as refusal:
        wire.shipped(request, "UTC")

    assert refusal.value.reason == reason
    assert len(refusal.value.message) > 20


def test_a_description_may_have_several_lines_and_no_nul() -> None:
    request = invoice_request()
    request.order.lines[0].description = "pump\n\twith seal"
    assert wire.shipped(request, "UTC").of.order.lines[0].description == "pump\n\twith seal"

    request.order.lines[0].description = "pump\x00"
    with pytest.raises(InvalidArgument):
        wire.shipped(request, "UTC")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda request: request.ClearField("amount"), "FIELD_MISSING"),
        (put("amount.minor_units", 0), "AMOUNT_TOO_SMALL"),
        (put("amount.minor_units", -5), "AMOUNT_TOO_SMALL"),
        (put("amount.minor_units", 2**63 - 1), "AMOUNT_TOO_LARGE"),
        (put("amount.currency", ""), "CURRENCY_UNKNOWN"),
        (put("customer_id", ""), "FIELD_MISSING"),
        (put("reference", ""), "FIELD_MISSING"),
        (put("reference", "BANK\x001"), "TEXT_NOT_PRINTABLE"),
        (put("applications.0.invoice_id", ""), "FIELD_MISSING"),
        (put("applications.0.amount.minor_units", 0), "AMOUNT_TOO_SMALL"),
        (put("applications.0.amount.currency", "EUR"), "CURRENCY_MIXED"),
        (put("received_on", "2026-03-03"), "RECEIVED_ON_INVALID"),
        (put("received_on", "soon"), "RECEIVED_ON_INVALID"),
        (lambda request: request.applications.extend(request.applications[:1] * 500), "APPLICATIONS_TOO_MANY"),
    ],
)
def test_a_payment_request_of_the_wrong_shape_is_refused(spoil: SpoilPayment, reason: str) -> None:
    request = payment_request()
    spoil(request)

    with pytest.raises(InvalidArgument) as refusal:
        wire.receipt(request, date(2026, 3, 2))

    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "change",
    [
        {"currency": "XXX"},
        {"currency": ""},
        {"value_minor": 2**63 - 1},
        {"sku": ""},
        {"sku": "\u0000"},
        {"warehouse_id": ""},
        {"warehouse_id": "w" * 201},
    ],
)
def test_a_movement_of_the_wrong_shape_is_refused(change: dict[str, Any]) -> None:
    right = {"quantity": 1, "value_minor": 1, "currency": "USD", "sku": "A", "warehouse_id": "w"}
    assert wire.movements([notified("stock_issued", right, fact_id="fact_1")])

    with pytest.raises(InvalidArgument):
        wire.movements([notified("stock_issued", right | change, fact_id="fact_1")])


@pytest.mark.parametrize(
    "fact",
    [notified("stock_reserved", {}, fact_id="fact_1"), strange(fact_id="fact_1"), facts_pb2.Fact(fact_id="fact_1")],
)
def test_a_fact_that_is_no_movement_is_refused(fact: facts_pb2.Fact) -> None:
    with pytest.raises(InvalidArgument, match="fact_1 is no movement of stock"):
        wire.movements([fact])


def test_movements_come_sorted_by_fact_id() -> None:
    facts = [movement(name, "stock_issued", 1) for name in ("fact_2", "fact_1")]

    assert [each.fact_id for each in wire.movements(facts)] == ["fact_1", "fact_2"]


def test_a_movement_without_identity_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        wire.movements([movement("", "stock_issued", 1)])


def test_filters_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="no account"):
        wire.account_filter("petty_cash")
    with pytest.raises(InvalidArgument, match="invoice status"):
        wire.one_of("overdue", ["open", "paid"], "invoice status")

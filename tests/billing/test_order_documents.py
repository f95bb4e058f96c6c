"""An order's confirmation and its pro forma invoice as PDFs, read back as their reader sees them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing.documents.seller import Seller
from services.kernel.errors import Conflict, InvalidArgument, Refused
from services.runtime.grpc_client import Unreachable
from tests.billing.desk import CONTEXT, Desk
from tests.billing.messages import usd
from tests.billing.test_invoice_documents import SELLER, read, sold


def order_in(phase: str, **members: Any) -> orders_pb2.Order:
    order = sold(discount=5_000, freight=2_500, tax_rate="0.0825", **members)
    order.phase, order.total.minor_units = phase, 572_559
    return order


def rendered(desk: Desk, order: orders_pb2.Order, document: str, seller: Seller = SELLER) -> tuple[str, bytes]:
    desk.billing.seller = seller
    desk.billing.read_order = lambda order_id: order if order_id == order.order_id else orders_pb2.Order()
    made = desk.billing.RenderOrder(pb.RenderOrderRequest(order_id=order.order_id, document=document), CONTEXT)
    return made.name, made.pdf


def test_a_confirmation_says_what_was_accepted(desk: Desk) -> None:
    name, pdf = rendered(desk, order_in("accepted"), "order_confirmation")

    # 4 × 1,329.00 + 0.13 - 50.00 = 5,266.13; × 0.0825 = 434.46; + 25.00 freight
    assert name == "SO-ord_1-confirmation.pdf"
    [page] = read(pdf)
    for said in (
        "Order confirmation SO-ord_1", "Your PO PO-7781", "Order date Feb 27, 2026", "net 30 days", "Bill to Acme Corp Customer cus_acme",
        "Ship to Acme Dock 4 1 Main St Dallas, TX 75001", "SKU-1 line 1 4 1,329.00 5,316.00", "Discount −50.00", "Freight 25.00",
        "Tax 8.25% of 5,266.13 434.46", "Total USD 5,725.59", "We have accepted this order. This is not a tax invoice.",
    ):  # fmt: skip
        assert said in page, (said, page)
    assert "First Bank" not in page
    assert "Amount due" not in page


def test_units_that_were_canceled_since_stand_on_the_confirmation_and_are_named(desk: Desk) -> None:
    order = order_in("accepted")
    order.lines[0].ordered, order.lines[0].quantity = 4, 3

    [page] = read(rendered(desk, order, "order_confirmation")[1])

    assert "SKU-1 line 1 4 1,329.00 5,316.00" in page
    assert "1 of SKU-1 canceled since." in page


@pytest.mark.on_postgres
def test_a_pro_forma_asks_for_what_has_not_come_and_is_no_invoice(desk: Desk) -> None:
    order = order_in("in_review", payment_method="prepaid")
    desk.commit("ord_1", 572_559, method="prepaid", order=order)
    desk.pay(72_559, "BANK-1", orders={"ord_1": 72_559})

    name, pdf = rendered(desk, order, "pro_forma")

    assert name == "SO-ord_1-pro-forma.pdf"
    [page] = read(pdf)
    for said in (
        "Pro forma invoice SO-ord_1 This is not a tax invoice", "Date Mar 2, 2026", "Total USD 5,725.59", "Received −725.59",
        "To pay now USD 5,000.00", "Pay 5,000.00 USD to this account, naming order SO-ord_1.", "First Bank ABA 111000025",
    ):  # fmt: skip
        assert said in page, (said, page)
    assert "INV-" not in page


def test_a_pro_forma_of_an_order_with_a_deposit_asks_for_the_deposit(desk: Desk) -> None:
    order = order_in("in_review", payment_method="deposit")
    order.deposit.CopyFrom(usd(171_768))

    [page] = read(rendered(desk, order, "pro_forma")[1])

    assert "Deposit to pay USD 1,717.68" in page
    assert "The rest is due on the invoices." in page


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("terms", "Nothing is to be paid before the goods leave."),
        ("card", "The card of this order is charged when the goods leave."),
        ("cod", "Pay when the goods are delivered."),
        ("settled_elsewhere", "Paid where it was bought. Nothing is to be paid."),
    ],
)
def test_a_pro_forma_of_an_order_that_is_not_paid_ahead_asks_for_no_transfer(
    desk: Desk, method: str, said: str
) -> None:
    seller = replace(SELLER, bank=("IBAN DE89 3704 0044 0532 0130 00",))

    order = order_in("accepted", payment_method=method)
    order.channel, order.settlement.reference = "amazon", "113-4402"

    [page] = read(rendered(desk, order, "pro_forma", seller)[1])

    assert said in page
    assert "Total USD 5,725.59" in page
    for asked in ("To pay now", "Pay 5,725.59", "IBAN"):
        assert asked not in page, (asked, page)


@pytest.mark.parametrize(
    ("phase", "document", "reason"),
    [
        ("received", "order_confirmation", "ORDER_NOT_ACCEPTED"),
        ("rejected", "order_confirmation", "ORDER_NOT_ACCEPTED"),
        ("cancelled", "order_confirmation", "ORDER_NOT_ACCEPTED"),
        ("cancelled", "pro_forma", "ORDER_HAS_ENDED"),
        ("closed", "pro_forma", "ORDER_HAS_ENDED"),
    ],
)
def test_an_order_has_the_documents_of_its_phase(desk: Desk, phase: str, document: str, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        rendered(desk, order_in(phase), document)

    assert refusal.value.reason == reason


def test_a_document_that_nobody_knows_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidArgument, match="order_confirmation, pro_forma"):
        rendered(desk, order_in("accepted"), "packing_slip")


def test_orders_that_does_not_answer_is_asked_again(desk: Desk) -> None:
    def away(_order_id: str) -> orders_pb2.Order:
        raise Unreachable("GetOrder: UNAVAILABLE")

    desk.billing.read_order = away
    with pytest.raises(Conflict) as refusal:
        desk.billing.RenderOrder(pb.RenderOrderRequest(order_id="ord_1", document="pro_forma"), CONTEXT)

    assert refusal.value.reason == "ORDERS_AWAY"


def test_an_orders_document_is_pdf_a_and_carries_no_einvoice(desk: Desk) -> None:
    pdf = rendered(desk, order_in("accepted"), "order_confirmation")[1]

    assert b"<pdfaid:part>3</pdfaid:part>" in pdf
    assert PdfReader(io.BytesIO(pdf)).attachments == {}

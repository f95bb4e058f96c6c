"""The contract of facts: every kind in proto/oms/facts/v1 is told by a service, and projected by orders or posted by billing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from google.protobuf.message import Message

from oms.facts.v1 import facts_pb2 as pb
from services.billing import delivery_wire
from services.billing import fact_wire as billing_fact_wire
from services.billing import wire as billing_wire
from services.billing.domain import facts as billing
from services.billing.domain.charging import Charges
from services.billing.domain.credit import CreditRequest
from services.billing.domain.credit_notes import Credited, CreditNote, Landing
from services.billing.domain.deposit_invoices import DepositInvoice, DepositPart
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.billing.domain.refunds import OwedRefund
from services.fulfillment import wire as fulfillment_wire
from services.fulfillment.domain import facts as fulfillment
from services.fulfillment.domain.address import Address
from services.fulfillment.domain.recall import Recall, RecallLine, RecallState
from services.fulfillment.domain.shipment import Shipment, ShipmentLine, State
from services.inventory import fact_wire as inventory_fact_wire
from services.inventory.domain import facts as inventory
from services.inventory.domain.outages import SourcingRequest
from services.kernel.money import Money
from services.kernel.tax import TaxKind
from services.orders.domain.facts import (
    CARD_PROBLEM,
    DEPOSIT_INVOICED,
    RETURN_INSPECTED,
    RETURN_RECEIVED,
    SOURCING_ASKED,
)
from services.orders.domain.facts import KINDS as PROJECTED
from services.orders.domain.owed_refunds import OWED_REFUND
from services.orders.domain.projection import Progress, apply
from services.orders.lifecycle import fact_wire
from services.runtime.facts import KINDS, document, fact_of
from services.runtime.outbox import OutboxRow
from tests.facts import DETAILS

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
POSTED = inventory.FOR_BILLING
DELIVERED = fulfillment.FOR_BILLING
UNPROJECTED = POSTED | DELIVERED
"""Kinds that orders does not project: they go to billing, movements of stock to its ledger."""
PRODUCED = {
    "inventory": inventory.FOR_ORDERS | POSTED,
    "fulfillment": fulfillment.KINDS | DELIVERED,
    "billing": billing.FACT_KINDS,
}
SHIPMENT = Shipment(
    "shp_1", 1001, "ord_1", "SO-1001", "W1", Address("ACME", "1 Main St", "Dallas", "TX", "75001", "US"),
    (ShipmentLine("L1", "A", "Pump", 5, 500),), date(2026, 3, 6), NOW, State.DELIVERED, "slow", "SLO018",
    shipped_at=NOW, delivered_at=NOW,
)  # fmt: skip
RECALL = Recall(
    "rcl_1", "ord_1", "SO-1001", "chg_1", NOW, (RecallLine("shp_1", "L1", "A", "Pump", 5),), RecallState.REFUSED, "late"
)
USD_10 = Money(1000, "USD")
INVOICE = Invoice(
    "inv_1", "INV-000001", "ord_1", "SO-1001", "cus_1", "shp_1", NOW.date(), NOW.date(), (),
    Charges(USD_10, Money(0, "USD"), Money(0, "USD"), Money(0, "USD")), USD_10, Money(0, "USD"),
)  # fmt: skip
USD_0 = Money.zero("USD")
CREDIT_NOTE = CreditNote(
    "cn_1", "CN-1001", "inv_1", "INV-000001", "ord_1", "SO-1001", "cus_1", NOW.date(), NOW, "price", "agreed", (),
    Credited(USD_0, USD_0, USD_10, USD_0, USD_0), Landing(USD_0, USD_0, USD_0, USD_10),
)  # fmt: skip
DEPOSIT_INVOICE = DepositInvoice(
    "dep_1", "DC-1001", "credit_note", "ord_1", "SO-1001", "cus_1", NOW.date(), NOW.date(), NOW,
    (DepositPart(TaxKind("S", Decimal("0.1")), USD_10, Money(100, "USD")),), (), USD_0, USD_0, "DI-1001", NOW.date(), "bounced",
)  # fmt: skip
PAYMENT = Payment("pay_1", "cus_1", USD_10, "BANK-1", (), Money(0, "USD"), NOW)


def of_inventory() -> Iterator[tuple[str, Message]]:
    standing = inventory.StockStanding((inventory.LineStanding("L1", 2, 3, "2026-03-06"),))
    change = inventory.StockChange("mov_1", "W1", "A", 5, USD_10)
    of_standing = sorted(inventory.FOR_ORDERS - {inventory.SOURCING_ASKED})
    yield from ((kind, inventory_fact_wire.standing_fact(kind, standing)) for kind in of_standing)
    asked = SourcingRequest("srq_1", "ord_1", "outage", "wh_1", "Dallas is closed")
    yield inventory.SOURCING_ASKED, inventory_fact_wire.sourcing_fact(asked)
    yield from ((kind, inventory_fact_wire.movement_fact(kind, change)) for kind in sorted(POSTED))


def of_fulfillment() -> Iterator[tuple[str, Message]]:
    one = fulfillment.one_shipment([SHIPMENT], SHIPMENT)
    several = fulfillment.several_shipments([SHIPMENT], [SHIPMENT])
    answer = fulfillment.recall_answered([SHIPMENT], RECALL)
    together = {fulfillment.RELEASED, fulfillment.CANCELLED}
    of_returns = {fulfillment.RETURN_RECEIVED, fulfillment.RETURN_INSPECTED}
    apart = {fulfillment.RECALL_ANSWERED, fulfillment.REVERSED, fulfillment.INTERCEPTED}
    single = fulfillment.KINDS - together - apart - of_returns
    yield from ((kind, fulfillment_wire.shipment_fact(kind, one)) for kind in sorted(single))
    yield from ((kind, fulfillment_wire.shipments_fact(kind, several)) for kind in sorted(together))
    yield fulfillment.REVERSED, fulfillment_wire.reversed_fact(several, "wrong pallet")
    yield fulfillment.INTERCEPTED, fulfillment_wire.intercepted_fact(one)
    yield fulfillment.GOODS_DELIVERED, fulfillment_wire.delivered_fact(SHIPMENT)
    yield fulfillment.RECALL_ANSWERED, fulfillment_wire.recall_fact(answer)
    yield (
        fulfillment.RETURN_RECEIVED,
        pb.ReturnReceived(return_id="rma_1", number="RMA-1001", lines={"L1": pb.LineReturned(received=2)}),
    )
    units = [
        pb.InspectedUnits(line_id="L1", sku="A", quantity=2, grade="A", disposition="restock", responsible="seller")
    ]
    yield (
        fulfillment.RETURN_INSPECTED,
        pb.ReturnInspected(
            return_id="rma_1",
            number="RMA-1001",
            inspection_id="insp_1",
            warehouse_id="W1",
            units=units,
            inspected_by="Pat",
        ),
    )


def of_billing() -> Iterator[tuple[str, Message]]:
    yield billing.INVOICE_ISSUED, billing_fact_wire.invoice_fact(billing.InvoiceIssued(INVOICE, {"L1": 5}))
    received = billing.PaymentReceived(PAYMENT, USD_10, (INVOICE,), USD_10)
    yield billing.PAYMENT_RECEIVED, billing_fact_wire.payment_fact(received)
    yield billing.DEPOSIT_RECEIVED, billing_fact_wire.deposit_fact(billing.DepositReceived(PAYMENT, USD_10, USD_10))
    taken = billing.PaymentReversed(
        PAYMENT, USD_10, (INVOICE,), "bounced", is_uncovered=True, held=USD_10, cause="reversed"
    )
    yield (
        billing.CREDIT_REST_CHANGED,
        billing_fact_wire.rest_fact(billing.CreditRestChanged("ord_1", Money(1, "USD"))),
    )
    yield billing.DUE_DATE_SET, billing_fact_wire.due_date_fact(billing.DueDateSet(INVOICE))
    credited, given_up = (
        billing.InvoiceCredited(CREDIT_NOTE, INVOICE),
        billing.InvoiceWrittenOff(USD_10, "gone", INVOICE),
    )
    yield billing.INVOICE_CREDITED, billing_fact_wire.credited_fact(credited)
    yield billing.INVOICE_WRITTEN_OFF, billing_fact_wire.written_off_fact(given_up)
    yield billing.PAYMENT_REVERSED, billing_fact_wire.reversal_fact(taken)
    yield billing.DEPOSIT_INVOICED, billing_fact_wire.deposit_invoiced_fact(billing.DepositInvoiced(DEPOSIT_INVOICE))
    request = CreditRequest("ord_1", "cus_1", USD_10, "prepaid", Money(0, "USD"))
    yield billing.CREDIT_GRANTED, billing_fact_wire.credit_fact(billing.CreditGranted(request))
    refund = OwedRefund("rfd_1", "ord_1", "cus_1", "pay_1", USD_10, "open", "refund/rfd_1/1", NOW)
    yield billing.OWED_REFUND, billing_fact_wire.owed_refund_fact(billing.OwedRefundChanged(refund))
    problem = billing.CardProblem(billing.CAPTURE_FAILED, "inv_1", USD_10, "it could not be captured")
    yield billing.CARD_PROBLEM, billing_fact_wire.card_problem_fact(problem)


FACT_KINDS = {
    **{kind: ("inventory", detail) for kind, detail in of_inventory()},
    **{kind: ("fulfillment", detail) for kind, detail in of_fulfillment()},
    **{kind: ("billing", detail) for kind, detail in of_billing()},
}


def delivered(kind: str) -> pb.Fact:
    """The fact as its receiver gets it: through the row of an outbox."""
    source, detail = FACT_KINDS[kind]
    return fact_of(OutboxRow("fact_1", 1, kind, "ord_1", "sub_1", 1, document(detail), NOW, 0), source)


def test_every_kind_of_the_contract_has_one_producer_and_one_receiver() -> None:
    produced = [kind for kinds in PRODUCED.values() for kind in kinds]
    received = [kind for kinds in PROJECTED.values() for kind in kinds] + list(UNPROJECTED)

    assert sorted(produced) == sorted(DETAILS)
    assert sorted(received) == sorted(DETAILS)
    assert {kind: source for source, kinds in PROJECTED.items() for kind in kinds} == {
        kind: source for source, kinds in PRODUCED.items() for kind in kinds - UNPROJECTED
    }


@pytest.mark.parametrize("kind", sorted(DETAILS))
def test_a_fact_arrives_as_the_kind_it_was_told_as_with_nothing_lost(kind: str) -> None:
    _, detail = FACT_KINDS[kind]

    fact = delivered(kind)

    assert KINDS[detail.DESCRIPTOR.name] == fact.WhichOneof("detail") == kind
    assert getattr(fact, kind) == detail


@pytest.mark.parametrize("kind", sorted(set(DETAILS) - UNPROJECTED))
def test_orders_projects_every_kind_that_tells_of_an_order(kind: str) -> None:
    heard = fact_wire.fact(delivered(kind))

    progress = apply(Progress(), heard)

    assert heard.kind == kind
    # they become an exception of the order, an event and a mail, or what its returns say
    others = (CARD_PROBLEM, DEPOSIT_INVOICED, OWED_REFUND, RETURN_RECEIVED, RETURN_INSPECTED, SOURCING_ASKED)
    assert (progress != Progress()) is (kind not in others)
    assert fact_wire.reread(heard) == heard


@pytest.mark.parametrize("kind", sorted(POSTED))
def test_billing_posts_every_movement_and_orders_keeps_it_unread(kind: str) -> None:
    (movement,) = billing_wire.movements([delivered(kind)])

    assert (movement.kind, movement.quantity, movement.value) == (kind, 5, USD_10)
    assert fact_wire.fact(delivered(kind)).detail is None


def test_billing_records_every_delivery_and_orders_keeps_it_unread() -> None:
    (kind,) = DELIVERED
    (arrived,) = delivery_wire.deliveries([delivered(kind)], "UTC")

    assert (arrived.shipment_id, arrived.delivered_on) == ("shp_1", NOW.date())
    assert fact_wire.fact(delivered(kind)).detail is None

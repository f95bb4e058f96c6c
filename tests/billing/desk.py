"""The accounting desk of a test: asks the billing service in few words, in US dollars unless said."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

import grpc
from sqlalchemy import text

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing.invoice_runner import InvoiceRunner
from services.billing.servicer import BillingServicer
from services.kernel.clock import micros
from services.kernel.money import UnitPrice, extend
from services.runtime.db import Database
from tests import facts
from tests.billing.messages import by_hand, credit_request, movement, order_parts, usd

CONTEXT = cast(grpc.ServicerContext, None)
SHIPPED_AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


def order_of(
    lines: Mapping[str, tuple[int, str]],
    *,
    order_id: str = "ord_1",
    customer_id: str = "cus_acme",
    payment_method: str = "terms",
    net_days: int = 30,
    terms: str = "",
    calendar: str = "",
    discount: int = 0,
    freight: int = 0,
    tax_rate: str = "0",
    invoicing: str = "",
    discount_minimum: int = 0,
) -> orders_pb2.Order:
    """An order as placed; `lines` is line id → (units, unit price). Tax is worked out half up, once."""
    order_lines = [
        orders_pb2.OrderLine(
            line_id=line_id,
            sku=f"SKU-{line_id}",
            description=f"line {line_id}",
            kind="stock",
            quantity=quantity,
            unit_price=price,
            extended=usd(extend(UnitPrice.parse(price, "USD"), quantity).minor),
        )
        for line_id, (quantity, price) in lines.items()
    ]
    merchandise = sum(line.extended.minor_units for line in order_lines)
    tax = int((Decimal(merchandise - discount) * Decimal(tax_rate)).quantize(Decimal(1), ROUND_HALF_UP))
    return orders_pb2.Order(
        order_id=order_id,
        number=f"SO-{order_id}",
        version=1,
        customer_id=customer_id,
        currency="USD",
        payment_method=payment_method,
        net_days=net_days,
        terms=terms,
        calendar=calendar,
        lines=order_lines,
        merchandise=usd(merchandise),
        discount=usd(discount),
        freight=usd(freight),
        tax=usd(tax),
        total=usd(merchandise - discount + freight + tax),
        tax_rate=tax_rate,
        invoicing=invoicing,
        discount_minimum=usd(discount_minimum) if discount_minimum else None,
    )


class Desk:
    """Somebody who asks billing; every request id is new unless one is given."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.orders: dict[str, orders_pb2.Order] = {}
        self.billing = BillingServicer(database, lambda: self.now, read_order=self.orders.__getitem__)
        self._ids = itertools.count(1)

    def limit(self, minor: int, customer_id: str = "cus_acme") -> pb.CreditAccount:
        request = pb.PutCreditAccountRequest(customer_id=customer_id, limit=usd(minor), net_days=30)
        return self.billing.PutCreditAccount(request, CONTEXT).account

    def headroom(self, customer_id: str = "cus_acme") -> int:
        """What is left of the limit."""
        request = pb.GetCreditAccountRequest(customer_id=customer_id, currency="USD")
        return self.billing.GetCreditAccount(request, CONTEXT).account.headroom.minor_units

    def account(self, customer_id: str = "cus_acme") -> tuple[int, int]:
        """The account as (committed, receivable)."""
        request = pb.GetCreditAccountRequest(customer_id=customer_id, currency="USD")
        account = self.billing.GetCreditAccount(request, CONTEXT).account
        return account.committed.minor_units, account.receivable.minor_units

    def commit(
        self,
        order_id: str,
        minor: int,
        *,
        customer_id: str = "cus_acme",
        method: str = "terms",
        deposit: int = 0,
        order: orders_pb2.Order | None = None,
        request_id: str = "",
    ) -> pb.CommitCreditResponse:
        request = pb.CommitCreditRequest(
            request_id=request_id or self._id(),
            order_id=order_id,
            customer_id=customer_id,
            amount=usd(minor),
            payment_method=method,
            deposit=usd(deposit),
            order=order,
        )
        return self.billing.CommitCredit(request, CONTEXT)

    def adjust(
        self,
        order_id: str,
        minor: int,
        *,
        customer_id: str = "cus_acme",
        method: str = "terms",
        deposit: int = 0,
        is_forced: bool = False,
        keeps_part: bool = False,
        request_id: str = "",
    ) -> pb.AdjustCreditResponse:
        request = pb.AdjustCreditRequest(
            request_id=request_id or self._id(),
            order_id=order_id,
            customer_id=customer_id,
            amount=usd(minor),
            payment_method=method,
            is_forced=is_forced,
            keeps_part=keeps_part,
            deposit=usd(deposit),
        )
        return self.billing.AdjustCredit(request, CONTEXT)

    def release(self, order_id: str, request_id: str = "") -> int:
        request = pb.ReleaseCreditRequest(request_id=request_id or self._id(), order_id=order_id)
        return self.billing.ReleaseCredit(request, CONTEXT).released.minor_units

    def committed(self, order_id: str) -> int | None:
        """What an order has committed and not been invoiced; None when it never committed anything."""
        answer = self.billing.GetCommitment(pb.GetCommitmentRequest(order_id=order_id), CONTEXT)
        return answer.remaining.minor_units if answer.HasField("remaining") else None

    def invoice(
        self,
        order: orders_pb2.Order,
        shipment_id: str,
        quantities: Mapping[str, int],
        *,
        request_id: str = "",
        shipped_at: datetime = SHIPPED_AT,
    ) -> pb.Invoice:
        """The invoice of a shipment; an empty one while it waits for its invoice."""
        return self.leave(order, shipment_id, quantities, request_id=request_id, shipped_at=shipped_at).invoice

    def leave(
        self,
        order: orders_pb2.Order,
        shipment_id: str,
        quantities: Mapping[str, int],
        *,
        request_id: str = "",
        shipped_at: datetime = SHIPPED_AT,
    ) -> pb.IssueInvoiceResponse:
        """What becomes of a shipment that has left; the order stands as it is given here."""
        self.orders[order.order_id] = order
        request = pb.IssueInvoiceRequest(
            request_id=request_id or self._id(),
            order=order,
            shipment_id=shipment_id,
            lines=[
                types_pb2.LineQuantity(line_id=line_id, sku=f"SKU-{line_id}", quantity=quantity)
                for line_id, quantity in quantities.items()
            ],
            shipped_at_micros=micros(shipped_at),
        )
        return self.billing.IssueInvoice(request, CONTEXT)

    def run_policies(self) -> int:
        """Make what is due by now; how many invoices that are."""
        runner = InvoiceRunner(self.database, self.orders.__getitem__, lambda: self.now)
        return runner.issue_due()

    def bill_by_hand(
        self, order_id: str, *shipment_ids: str, units: Mapping[str, int] | None = None, request_id: str = ""
    ) -> pb.Invoice:
        """The invoice that accounting makes of these shipments, or of all that wait; or of so many units of them."""
        of = by_hand(order_id, shipment_ids, units)
        request = pb.CreateInvoiceRequest(request_id=request_id or self._id(), of=of)
        return self.billing.CreateInvoice(request, CONTEXT).invoice

    def preview(
        self, order_id: str, *shipment_ids: str, units: Mapping[str, int] | None = None, draft_id: str = ""
    ) -> pb.PreviewInvoiceResponse:
        of = by_hand(order_id, shipment_ids, units)
        return self.billing.PreviewInvoice(pb.PreviewInvoiceRequest(of=of, draft_id=draft_id), CONTEXT)

    def draft(self, order_id: str, *shipment_ids: str, who: str = "ann") -> pb.InvoiceDraft:
        of = pb.InvoiceByHand(order_id=order_id, shipment_ids=shipment_ids)
        request = pb.MakeInvoiceDraftRequest(request_id=self._id(), of=of, made_by=who)
        return self.billing.MakeInvoiceDraft(request, CONTEXT).draft

    def move_draft(self, draft_id: str, verb: str, who: str = "ann") -> pb.MoveInvoiceDraftResponse:
        request = pb.MoveInvoiceDraftRequest(request_id=self._id(), draft_id=draft_id, verb=verb, who=who)
        return self.billing.MoveInvoiceDraft(request, CONTEXT)

    def drafts(self, state: str = "") -> list[pb.InvoiceDraft]:
        """Drafts, oldest first."""
        return list(self.billing.ListInvoiceDrafts(pb.ListInvoiceDraftsRequest(state=state), CONTEXT).drafts)

    def billable(self, **of: Any) -> list[pb.BillableShipment]:
        """Shipments that wait for their invoice, the longest first."""
        return list(self.billing.ListBillable(pb.ListBillableRequest(**of), CONTEXT).shipments)

    def pay(
        self,
        minor: int,
        reference: str,
        *,
        customer_id: str = "cus_acme",
        to: Mapping[str, int] | None = None,
        orders: Mapping[str, int] | None = None,
        on_account: bool = False,
        received_on: str = "",
        request_id: str = "",
    ) -> pb.Payment:
        request = pb.RecordPaymentRequest(
            request_id=request_id or self._id(),
            received_on=received_on,
            customer_id=customer_id,
            amount=usd(minor),
            reference=reference,
            applications=[
                pb.PaymentApplication(invoice_id=invoice_id, amount=usd(part))
                for invoice_id, part in (to or {}).items()
            ],
            orders=order_parts(orders),
            is_on_account=on_account,
        )
        return self.billing.RecordPayment(request, CONTEXT).payment

    def payments(self) -> list[pb.Payment]:
        """All payments, oldest first."""
        return list(self.billing.ListPayments(pb.ListPaymentsRequest(), CONTEXT).payments)

    def reverse(self, payment_id: str) -> pb.Payment:
        request = pb.ReversePaymentRequest(request_id=self._id(), payment_id=payment_id, reason="check bounced")
        return self.billing.ReversePayment(request, CONTEXT).payment

    def reapply(
        self,
        payment_id: str,
        *,
        customer_id: str = "",
        to: Mapping[str, int] | None = None,
        orders: Mapping[str, int] | None = None,
        on_account: bool = False,
    ) -> pb.Payment:
        request = pb.ReapplyPaymentRequest(
            request_id=self._id(),
            payment_id=payment_id,
            applications=[
                pb.PaymentApplication(invoice_id=invoice_id, amount=usd(part))
                for invoice_id, part in (to or {}).items()
            ],
            orders=order_parts(orders),
            is_on_account=on_account,
            reason="was meant for something else",
            customer_id=customer_id,
        )
        return self.billing.ReapplyPayment(request, CONTEXT).payment

    def refund(self, payment_id: str, minor: int, order_id: str = "") -> pb.Payment:
        request = pb.RefundPaymentRequest(
            request_id=self._id(), payment_id=payment_id, amount=usd(minor), order_id=order_id, reason="not needed"
        )
        return self.billing.RefundPayment(request, CONTEXT).payment

    def credit(
        self,
        invoice: str,
        lines: Mapping[str, int] | None = None,
        *,
        freight: int = 0,
        allowance: int = 0,
        everything: bool = False,
        by: str = "",
        request_id: str = "",
    ) -> pb.CreditInvoiceResponse:
        return self.billing.CreditInvoice(
            credit_request(
                invoice, lines, freight=freight, allowance=allowance, everything=everything, by=by,
                request_id=request_id or self._id(),
            ),
            CONTEXT,
        )  # fmt: skip

    def write_off(
        self, invoice: str, minor: int = 0, *, by: str = "", request_id: str = ""
    ) -> pb.WriteOffInvoiceResponse:
        request = pb.WriteOffInvoiceRequest(
            request_id=request_id or self._id(),
            invoice=invoice,
            amount=usd(minor) if minor else None,
            reason="insolvent",
            asked_by=by,
        )
        return self.billing.WriteOffInvoice(request, CONTEXT)

    def money(self, order_id: str) -> dict[str, int | str]:
        """An order's money in minor units, and what it waits on."""
        request = pb.GetOrderMoneyRequest(order_id=order_id, currency="USD")
        answer = self.billing.GetOrderMoney(request, CONTEXT)
        amounts = ("committed", "held", "invoiced", "paid", "missing")
        taken = answer.discount_taken.minor_units
        return {
            **{name: getattr(answer, name).minor_units for name in amounts},
            **({"discount_taken": taken} if taken else {}),
            "waiting_on": answer.waiting_on,
        }

    def move(self, fact_id: str, kind: str, value: int, *, order_id: str = "", quantity: int = 1) -> list[str]:
        fact = movement(fact_id, kind, value, order_id=order_id, quantity=quantity)
        request = pb.PostStockMovementsRequest(facts=[fact])
        return list(self.billing.PostStockMovements(request, CONTEXT).posted_fact_ids)

    def deliver(self, shipment_id: str, at: datetime, fact_id: str = "fact_1") -> list[str]:
        """Fulfillment tells that a shipment arrived."""
        detail = {"shipment_id": shipment_id, "delivered_at_micros": micros(at)}
        fact = facts.notified("goods_delivered", detail, fact_id=fact_id, source="fulfillment", order_id="ord_1")
        request = pb.RecordDeliveriesRequest(facts=[fact])
        return list(self.billing.RecordDeliveries(request, CONTEXT).recorded_fact_ids)

    def receivables(self, customer_id: str = "cus_acme") -> dict[str, int | str]:
        """What a customer owes by age, in minor units, and since when something is overdue."""
        answer = self.billing.ListReceivables(pb.ListReceivablesRequest(customer_id=customer_id), CONTEXT)
        ages = ("current", "days_30", "days_60", "older", "unapplied")
        return {
            name: value
            for row in answer.receivables
            for name in (*(f"{age}_minor" for age in ages), "overdue_since")
            if (value := getattr(row, name))
        }

    def invoice_now(self, invoice_id: str) -> pb.Invoice:
        return self.billing.GetInvoice(pb.GetInvoiceRequest(invoice_id=invoice_id), CONTEXT).invoice

    def listed(self) -> list[pb.Invoice]:
        """All invoices, by number."""
        return list(self.billing.ListInvoices(pb.ListInvoicesRequest(), CONTEXT).invoices)

    def all_listed(self) -> list[pb.Invoice]:
        """All invoices, however many pages they are."""
        request = pb.ListInvoicesRequest(limit=500)
        found: list[pb.Invoice] = []
        while True:
            page = self.billing.ListInvoices(request, CONTEXT)
            found.extend(page.invoices)
            if not page.next_cursor:
                return found
            request.cursor = page.next_cursor

    def balances(self) -> dict[str, int]:
        """Account → debits less credits, in minor units; accounts at zero too."""
        answer = self.billing.GetTrialBalance(pb.GetTrialBalanceRequest(currency="USD"), CONTEXT)
        return {row.account: row.debit_minor - row.credit_minor for row in answer.balances}

    def violations(self) -> dict[str, list[str]]:
        """Invariant → offenders, of those that are broken."""
        answer = self.billing.Audit(pb.AuditRequest(), CONTEXT)
        return {each.name: list(each.offenders) for each in answer.invariants if each.violations}

    def facts(self, *kinds: str) -> list[dict[str, Any]]:
        """Details of the facts of these kinds, oldest first."""
        with self.database.reading() as session:
            rows = session.execute(text("SELECT kind, detail FROM outbox ORDER BY position")).all()
        return [facts.kept(row.kind, json.loads(row.detail)) for row in rows if row.kind in kinds]

    def _id(self) -> str:
        return f"request/{next(self._ids)}"

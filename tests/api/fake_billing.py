"""A small billing service that keeps its promises, in memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from oms.billing.v1 import billing_pb2 as billing
from oms.types.v1 import types_pb2 as types
from services.kernel.errors import NotFound, Refused
from services.kernel.text import fold_key
from services.runtime.grpc_client import DEADLINE_S
from tests.api.fake_credit_notes import FakeCreditNotes
from tests.api.fake_deposit_invoices import FakeDepositInvoices
from tests.api.fake_invoicing import FakeInvoicing
from tests.api.fake_refunds import FakeRefunds

Row = TypeVar("Row")


def a_sale(reference: str) -> billing.MarketplaceSale:
    """A sale of amazon that nothing was paid out of yet."""
    amount, zero = types.Money(minor_units=10000, currency="USD"), types.Money(currency="USD")
    return billing.MarketplaceSale(
        order_id="ord_1", order_number="SO-1001", customer_id="cus_acme", channel="amazon", reference=reference,
        due=amount, paid_out=zero, fees=zero, open=amount, status="open", sold_at_micros=1,
    )  # fmt: skip


def _sale_cursor(sale: billing.MarketplaceSale) -> str:
    key = json.dumps([sale.channel, fold_key(sale.reference), sale.due.currency], ensure_ascii=False)
    return base64.urlsafe_b64encode(key.encode()).decode()


def _page(rows: Sequence[Row], request: Any, cursor: Callable[[Row], str]) -> tuple[Sequence[Row], str]:
    """The rows behind the request's cursor, and the cursor of the next page."""
    start = [cursor(row) for row in rows].index(request.cursor) + 1 if request.cursor else 0
    page = rows[start : start + request.limit]
    return page, cursor(page[-1]) if start + len(page) < len(rows) else ""


class FakeBilling(FakeCreditNotes, FakeDepositInvoices, FakeInvoicing, FakeRefunds):
    """Credit accounts, invoices and payments."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[str, billing.PutCreditAccountRequest] = {}
        self.commitments: dict[str, int] = {}
        self.payments: list[billing.Payment] = []
        self.payouts: list[billing.Payout] = []
        self.sold = ["113-4402"]
        self.correction = billing.PaymentCorrection(
            correction_id="corr_1", payment_id="pay_1", kind="reversal", reason="bounced", asked_by="ann",
            amount=types.Money(minor_units=20000, currency="USD"), asked_at_micros=1, state="waiting",
        )  # fmt: skip
        self.receivables = [billing.Receivable(customer_id="cus_acme", currency="USD", current_minor=25375)]
        self.standing: dict[str, tuple[int, int]] = {}
        self.waiting: list[billing.WaitingOrder] = []
        self.order_money: dict[str, billing.GetOrderMoneyResponse] = {}
        self.cards: dict[str, str] = {}
        self.is_provider_silent = False
        self.einvoice_fault = ""
        self.pick_lists: list[billing.RenderPickListRequest] = []
        self.events: dict[str, str] = {}
        self.audit = billing.AuditResponse()

    def invoice(self, invoice_id: str, customer_id: str, minor: int) -> billing.Invoice:
        zero, total = types.Money(currency="USD"), types.Money(minor_units=minor, currency="USD")
        made = billing.Invoice(
            invoice_id=invoice_id, number="INV-000001", customer_id=customer_id, order_id="ord_1", total=total,
            merchandise=total, discount=zero, freight=zero, tax=zero, paid=zero, status="open", open=total, shipment_ids=["shp_1"],
        )  # fmt: skip
        self.invoices[invoice_id] = made
        return made

    def PutCreditAccount(self, request: billing.PutCreditAccountRequest) -> billing.PutCreditAccountResponse:
        self.here()
        self.accounts[request.customer_id] = request
        return billing.PutCreditAccountResponse(account=self._account(request))

    def GetCreditAccount(
        self, request: billing.GetCreditAccountRequest, timeout: float = DEADLINE_S
    ) -> billing.GetCreditAccountResponse:
        self.here(timeout)
        if request.customer_id not in self.accounts:
            raise NotFound("CREDIT_ACCOUNT_NOT_FOUND", "the customer has no credit account")
        return billing.GetCreditAccountResponse(account=self._account(self.accounts[request.customer_id]))

    def GetCommitment(
        self, request: billing.GetCommitmentRequest, timeout: float = DEADLINE_S
    ) -> billing.GetCommitmentResponse:
        self.here(timeout)
        minor = self.commitments.get(request.order_id)
        remaining = None if minor is None else types.Money(minor_units=minor, currency="USD")
        return billing.GetCommitmentResponse(remaining=remaining)

    def GetInvoice(self, request: billing.GetInvoiceRequest) -> billing.GetInvoiceResponse:
        self.here()
        if request.invoice_id not in self.invoices:
            raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice")
        return billing.GetInvoiceResponse(invoice=self.invoices[request.invoice_id])

    def RenderInvoice(
        self, request: billing.RenderInvoiceRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderInvoiceResponse:
        self.here(timeout)
        for row in self.invoices.values():
            if request.invoice in (row.invoice_id, row.number) and request.customer_id in ("", row.customer_id):
                return billing.RenderInvoiceResponse(number=row.number, pdf=b"%PDF-1.7 of " + row.number.encode())
        raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice")

    def RenderOrder(
        self, request: billing.RenderOrderRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderOrderResponse:
        self.here(timeout)
        return billing.RenderOrderResponse(name="SO-1001.pdf", pdf=f"%PDF-1.7 {request.document}".encode())

    def RenderReturnLabel(
        self, request: billing.RenderReturnLabelRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderReturnLabelResponse:
        self.here(timeout)
        return billing.RenderReturnLabelResponse(name="RMA-1001-label.pdf", pdf=b"%PDF-1.7 label")

    def RenderPickList(
        self, request: billing.RenderPickListRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderPickListResponse:
        self.here(timeout)
        self.pick_lists.append(request)
        return billing.RenderPickListResponse(name=f"{request.number}-pick-list.pdf", pdf=b"%PDF-1.7 pick list")

    def RenderShippingLabels(
        self, request: billing.RenderShippingLabelsRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderShippingLabelsResponse:
        self.here(timeout)
        made = b"^XA^XZ" if request.format == "zpl" else b"%PDF-1.7 labels"
        return billing.RenderShippingLabelsResponse(name=f"SH-1001-labels.{request.format}", content=made)

    def RenderBillOfLading(
        self, request: billing.RenderBillOfLadingRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderBillOfLadingResponse:
        self.here(timeout)
        return billing.RenderBillOfLadingResponse(name="SH-1001-bill-of-lading.pdf", pdf=b"%PDF-1.7 bill of lading")

    def RenderPackingSlip(
        self, request: billing.RenderPackingSlipRequest, timeout: float = DEADLINE_S
    ) -> billing.RenderPackingSlipResponse:
        self.here(timeout)
        return billing.RenderPackingSlipResponse(name="SH-1001-packing-slip.pdf", pdf=b"%PDF-1.7 packing slip")

    def RenderEInvoice(self, request: billing.RenderEInvoiceRequest) -> billing.RenderEInvoiceResponse:
        self.here()
        if self.einvoice_fault:
            raise Refused("E_INVOICE_NOT_CONFIGURED", self.einvoice_fault)
        asked = billing.RenderInvoiceRequest(invoice=request.invoice, customer_id=request.customer_id)
        return billing.RenderEInvoiceResponse(
            number=self.RenderInvoice(asked).number, xml=b"<?xml version='1.0'?><invoice/>"
        )

    def ListInvoices(self, request: billing.ListInvoicesRequest) -> billing.ListInvoicesResponse:
        self.here()
        rows = [
            row
            for row in self.invoices.values()
            if request.customer_id in ("", row.customer_id)
            and request.number in ("", row.number)
            and (not request.invoice_ids or row.invoice_id in request.invoice_ids)
        ]
        return billing.ListInvoicesResponse(invoices=rows)

    def RecordPayment(self, request: billing.RecordPaymentRequest) -> billing.RecordPaymentResponse:
        for earlier in self.payments:
            is_same = (earlier.customer_id, earlier.reference) == (request.customer_id, request.reference)
            if is_same and earlier.amount != request.amount:
                raise Refused("PAYMENT_REFERENCE_REUSED", "the reference is another payment already", order_id="")

        def act() -> billing.RecordPaymentResponse:
            payment = billing.Payment(
                payment_id=f"pay_{next(self._ids)}",
                customer_id=request.customer_id,
                amount=request.amount,
                received_on=request.received_on,
                reference=request.reference,
                applications=request.applications,
                unapplied=types.Money(currency=request.amount.currency),
                deposits=[
                    billing.Deposit(order_id=part.order_id, amount=part.amount, remaining=part.amount)
                    for part in request.orders
                ],
                is_on_account=request.is_on_account,
                returned=types.Money(currency=request.amount.currency),
            )
            self.payments.append(payment)
            return billing.RecordPaymentResponse(payment=payment)

        return self.once(request, act)

    def _paid(self, payment_id: str) -> billing.Payment:
        for payment in self.payments:
            if payment.payment_id == payment_id:
                return payment
        raise NotFound("PAYMENT_NOT_FOUND", f"there is no payment {payment_id}: check the identity")

    def ReversePayment(self, request: billing.ReversePaymentRequest) -> billing.ReversePaymentResponse:
        def act() -> billing.ReversePaymentResponse:
            payment = self._paid(request.payment_id)
            payment.returned.CopyFrom(payment.amount)
            payment.reversed_at_micros = 1_772_366_400_000_000
            return billing.ReversePaymentResponse(payment=payment)

        return self.once(request, act)

    def ReapplyPayment(self, request: billing.ReapplyPaymentRequest) -> billing.ReapplyPaymentResponse:
        def act() -> billing.ReapplyPaymentResponse:
            payment = self._paid(request.payment_id)
            payment.customer_id = request.customer_id or payment.customer_id
            return billing.ReapplyPaymentResponse(payment=payment)

        return self.once(request, act)

    def RefundPayment(self, request: billing.RefundPaymentRequest) -> billing.RefundPaymentResponse:
        def act() -> billing.RefundPaymentResponse:
            payment = self._paid(request.payment_id)
            payment.returned.CopyFrom(request.amount)
            return billing.RefundPaymentResponse(payment=payment)

        return self.once(request, act)

    def ListPaymentCorrections(
        self, request: billing.ListPaymentCorrectionsRequest
    ) -> billing.ListPaymentCorrectionsResponse:
        self.here()
        is_asked = request.state in ("", self.correction.state)
        is_asked = is_asked and request.correction_id in ("", self.correction.correction_id)
        return billing.ListPaymentCorrectionsResponse(corrections=[self.correction] if is_asked else [])

    def DecidePaymentCorrection(
        self, request: billing.DecidePaymentCorrectionRequest
    ) -> billing.DecidePaymentCorrectionResponse:
        self.here()
        if request.correction_id != self.correction.correction_id:
            raise NotFound(
                "CORRECTION_NOT_FOUND", f"there is no correction {request.correction_id}: look at those that wait"
            )
        decided = billing.PaymentCorrection()
        decided.CopyFrom(self.correction)
        decided.state, decided.decided_by = "approved" if request.is_approved else "declined", request.decided_by
        return billing.DecidePaymentCorrectionResponse(
            payment=billing.Payment(payment_id="pay_1", amount=decided.amount, received_on="2026-12-01"),
            correction=decided,
        )

    def AuthorizeCard(self, request: billing.AuthorizeCardRequest) -> billing.AuthorizeCardResponse:
        self.here()
        self.cards[request.order_id] = request.card_token
        if self.is_provider_silent:
            return billing.AuthorizeCardResponse(card="asked")
        is_declined = "Declined" in request.card_token
        reason = "generic_decline" if is_declined else ""
        return billing.AuthorizeCardResponse(card="declined" if is_declined else "authorized", decline_reason=reason)

    def CaptureInvoice(self, request: billing.CaptureInvoiceRequest) -> billing.CaptureInvoiceResponse:
        self.here()
        return billing.CaptureInvoiceResponse(state="captured" if request.card_token else "nothing")

    def RecordProviderEvent(self, request: billing.RecordProviderEventRequest) -> billing.RecordProviderEventResponse:
        self.here()
        is_new = request.event_id not in self.events
        self.events.setdefault(request.event_id, request.provider_id)
        return billing.RecordProviderEventResponse(is_new=is_new)

    def PreviewPayment(self, request: billing.PreviewPaymentRequest) -> billing.PreviewPaymentResponse:
        self.here()
        if request.correction_id:
            return billing.PreviewPaymentResponse(payment=self._paid(self.correction.payment_id))
        if not request.HasField("record"):
            ids = (request.reverse.payment_id, request.reapply.payment_id, request.refund.payment_id)
            return billing.PreviewPaymentResponse(payment=self._paid("".join(ids)))
        asked = request.record
        seen = billing.Payment(
            payment_id="pay_0", customer_id=asked.customer_id, amount=asked.amount, reference=asked.reference
        )
        return billing.PreviewPaymentResponse(payment=seen)

    def ListWaitingOrders(self, request: billing.ListWaitingOrdersRequest) -> billing.ListWaitingOrdersResponse:
        self.here()
        rows = [row for row in self.waiting if request.customer_id in ("", row.customer_id)]
        return billing.ListWaitingOrdersResponse(orders=rows)

    def GetOrderMoney(
        self, request: billing.GetOrderMoneyRequest, timeout: float = DEADLINE_S
    ) -> billing.GetOrderMoneyResponse:
        self.here(timeout)
        usual = billing.GetOrderMoneyResponse(
            held=types.Money(minor_units=500, currency=request.currency),
            waiting_on="cash",
            authorized=types.Money(minor_units=60_000, currency=request.currency),
            captured=types.Money(minor_units=40_000, currency=request.currency),
            card="declined",
            decline_reason="insufficient_funds",
        )
        return self.order_money.get(request.order_id, usual)

    def ListPayments(self, request: billing.ListPaymentsRequest) -> billing.ListPaymentsResponse:
        self.here()
        rows = [row for row in self.payments if request.customer_id in ("", row.customer_id)]
        rows = [row for row in rows if request.payment_id in ("", row.payment_id)]
        rows = [row for row in rows if not request.payment_ids or row.payment_id in request.payment_ids]
        return billing.ListPaymentsResponse(payments=rows)

    def ListReceivables(
        self, request: billing.ListReceivablesRequest, timeout: float = DEADLINE_S
    ) -> billing.ListReceivablesResponse:
        self.here(timeout)
        return billing.ListReceivablesResponse(receivables=self.receivables)

    def PutCreditTerms(self, request: billing.PutCreditTermsRequest) -> billing.PutCreditTermsResponse:
        self.here()
        kept = self.accounts.setdefault(
            request.customer_id,
            billing.PutCreditAccountRequest(
                customer_id=request.customer_id, limit=types.Money(currency=request.currency)
            ),
        )
        account = self._account(kept)
        account.parent_id, account.ships_what_fits = request.parent_id, request.ships_what_fits
        account.terms_changed_by = request.changed_by
        if request.HasField("overdue_rule"):
            account.overdue_rule.CopyFrom(request.overdue_rule)
        return billing.PutCreditTermsResponse(account=account)

    def RecordPayout(self, request: billing.RecordPayoutRequest) -> billing.RecordPayoutResponse:
        self.here()
        payout = billing.Payout(
            payout_id=f"pout_{len(self.payouts) + 1}", channel=request.channel, reference=request.reference,
            amount=request.amount, fees=request.fees, lines=request.lines, recorded_at_micros=1,
        )  # fmt: skip
        self.payouts.append(payout)
        return billing.RecordPayoutResponse(payout=payout)

    def ListPayouts(self, request: billing.ListPayoutsRequest) -> billing.ListPayoutsResponse:
        self.here()
        rows = [row for row in self.payouts if request.channel in ("", row.channel)]
        page, after = _page(rows, request, lambda row: row.payout_id)
        return billing.ListPayoutsResponse(payouts=page, next_cursor=after)

    def ListMarketplaceSales(
        self, request: billing.ListMarketplaceSalesRequest
    ) -> billing.ListMarketplaceSalesResponse:
        self.here()
        rows = [
            row
            for row in map(a_sale, self.sold)
            if request.channel in ("", row.channel)
            and request.status in ("", row.status)
            and (not request.references or row.reference in request.references)
        ]
        page, after = _page(rows, request, _sale_cursor)
        return billing.ListMarketplaceSalesResponse(sales=page, next_cursor=after)

    def GetTrialBalance(self, request: billing.GetTrialBalanceRequest) -> billing.GetTrialBalanceResponse:
        self.here()
        return billing.GetTrialBalanceResponse(
            balances=[
                billing.AccountBalance(account="accounts_receivable", currency="USD", debit_minor=500),
                billing.AccountBalance(account="revenue", currency="USD", credit_minor=500),
            ]
        )

    def ListEntries(self, request: billing.ListEntriesRequest) -> billing.ListEntriesResponse:
        self.here()
        amount = types.Money(minor_units=500, currency="USD")
        entry = billing.Entry(entry_id=1, debit="accounts_receivable", credit="revenue", amount=amount)
        return billing.ListEntriesResponse(entries=[entry])

    def Audit(self, request: billing.AuditRequest) -> billing.AuditResponse:
        self.here()
        return self.audit

    def _account(self, request: billing.PutCreditAccountRequest) -> billing.CreditAccount:
        committed, receivable = self.standing.get(request.customer_id, (0, 0))
        limit, currency = request.limit.minor_units, request.limit.currency
        return billing.CreditAccount(
            customer_id=request.customer_id,
            limit=request.limit,
            committed=types.Money(minor_units=committed, currency=currency),
            receivable=types.Money(minor_units=receivable, currency=currency),
            headroom=types.Money(minor_units=limit - committed - receivable, currency=currency),
        )

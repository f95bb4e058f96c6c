"""BillingService: translate, decide, record, translate back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import grpc
import structlog
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing import (
    answers,
    at_order,
    committing,
    correction_wire,
    credit_terms,
    delivering,
    delivery_wire,
    freeing,
    list_wire,
    preview_wire,
    previewing,
    receiving,
    what_fits,
    wire,
)
from services.billing.cards import covering
from services.billing.cards.desk import CardDesk
from services.billing.documents.seller import Seller
from services.billing.domain.corrections import needs_second_person
from services.billing.domain.credit import Account
from services.billing.domain.invoices import STATUSES, UNPAID
from services.billing.domain.ledger import movement_posting
from services.billing.domain.receivables import ageing
from services.billing.invoice_runner import ReadOrder
from services.billing.servicer_by_hand import ByHandServicer
from services.billing.servicer_checkouts import CheckoutServicer
from services.billing.servicer_corrections import CorrectionServicer
from services.billing.servicer_deposit_invoices import DepositInvoiceServicer
from services.billing.servicer_documents import DocumentServicer
from services.billing.servicer_exchange import ExchangeServicer
from services.billing.servicer_invoicing import InvoicingServicer
from services.billing.servicer_labels import LabelServicer, LabelSources, nowhere
from services.billing.servicer_ledger import LedgerServicer
from services.billing.servicer_packing_slips import PackingSlipServicer
from services.billing.servicer_payouts import PayoutServicer
from services.billing.servicer_pick_lists import PickListServicer
from services.billing.servicer_refunds import RefundServicer
from services.billing.servicer_returns import ReturnServicer
from services.billing.store import (
    audit,
    audit_at_order,
    audit_claw_backs,
    audit_consolidated,
    audit_credit_notes,
    audit_deposit_invoices,
    audit_exchanges,
    audit_refunds,
    audit_reversals,
    audit_shipments,
    authorizations,
    credit,
    installments,
    invoice_pages,
    order_money,
    payments,
    waiting_orders,
)
from services.billing.store import ledger as ledger_store
from services.kernel.clock import Clock, business_day, utc_now
from services.kernel.errors import NotFound
from services.kernel.money import Money
from services.kernel.text import optional_text, text
from services.runtime.audit import find_all, invariant_messages
from services.runtime.db import Database
from services.runtime.grpc_client import Unreachable
from services.runtime.idempotency import without
from services.runtime.wire import money, named_orders, number_cursor, page_size

log = structlog.get_logger()

NO_LIMITS: Mapping[str, Money] = MappingProxyType({})
Context: TypeAlias = grpc.ServicerContext


class BillingServicer(
    ByHandServicer,
    InvoicingServicer,
    DocumentServicer,
    LabelServicer,
    PackingSlipServicer,
    PickListServicer,
    DepositInvoiceServicer,
    CheckoutServicer,
    CorrectionServicer,
    PayoutServicer,
    RefundServicer,
    ReturnServicer,
    ExchangeServicer,
    LedgerServicer,
):
    """Credit, invoices, payments, audit; and the parts beside it."""

    def __init__(
        self,
        database: Database,
        clock: Clock = utc_now,
        desk: CardDesk | None = None,
        limits: Mapping[str, Money] = NO_LIMITS,
        seller: Seller | None = None,
        read_order: ReadOrder | None = None,
        label_sources: LabelSources | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.desk = desk or CardDesk(database, None, clock)
        self.limits = limits
        self.seller = seller or Seller()
        self.read_order = read_order or _unread
        self.label_sources = label_sources or nowhere()

    def PutCreditAccount(self, request: pb.PutCreditAccountRequest, context: Context) -> pb.PutCreditAccountResponse:
        """Create or replace a limit; what is committed and owed stays."""
        customer_id = text(request.customer_id, "customer_id")
        limit, net_days = wire.money(request, "limit"), wire.days(request.net_days, "net_days")
        with self.database.transaction() as session:
            credit.put_limit(session, customer_id, limit, net_days)
            committing.grant_waiting(session, customer_id, limit.currency, self.clock())
            account = credit.account(session, customer_id, limit.currency)
            assert account is not None, "its limit was just put"
        return pb.PutCreditAccountResponse(account=answers.account(account))

    def PutCreditTerms(self, request: pb.PutCreditTermsRequest, context: Context) -> pb.PutCreditTermsResponse:
        """Replace an account's terms."""
        customer_id, currency = text(request.customer_id, "customer_id"), wire.currency_of(request.currency)
        terms = wire.credit_terms(request)
        with self.database.transaction() as session:
            credit_terms.put(session, customer_id, currency, terms, self.clock())
            account = credit.account(session, customer_id, currency)
            assert account is not None, "its terms were just put"
        return pb.PutCreditTermsResponse(account=answers.account(account))

    def GetCreditAccount(self, request: pb.GetCreditAccountRequest, context: Context) -> pb.GetCreditAccountResponse:
        """How credit stands; a customer nobody gave credit has a limit of zero."""
        customer_id, currency = text(request.customer_id, "customer_id"), wire.currency_of(request.currency)
        with self.database.reading() as session:
            account = credit.account(session, customer_id, currency)
        return pb.GetCreditAccountResponse(account=answers.account(account or Account.unknown(customer_id, currency)))

    def CommitCredit(self, request: pb.CommitCreditRequest, context: Context) -> pb.CommitCreditResponse:
        """Commit an order if its money is there. Not there is an answer; an order never counts twice."""
        asked, token = wire.commitment(request), wire.card_token(request.card_token)
        same = without(request, "card_token", "order")
        covering.cover(self.desk, request.request_id, same, asked, token)

        def act(session: Session) -> pb.CommitCreditResponse:
            decision = covering.said(self.desk, committing.commit(session, asked, self.clock()))
            log.info("credit.decided", order_id=asked.order_id, is_granted=decision.is_granted)
            return answers.decision(decision)

        return self.database.once(request.request_id, same, pb.CommitCreditResponse, act)

    def AdjustCredit(self, request: pb.AdjustCreditRequest, context: Context) -> pb.AdjustCreditResponse:
        """Commit a changed order's new total in place of the old one. No room is an answer and changes nothing."""
        asked, token = wire.credit_request(request), wire.card_token(request.card_token)
        same = without(request, "card_token", "keeps_part")
        if not request.is_forced:
            covering.cover(self.desk, request.request_id, same, asked, token)

        def act(session: Session) -> pb.AdjustCreditResponse:
            decision = committing.adjust(
                session, asked, self.clock(), is_forced=request.is_forced, keeps_part=request.keeps_part
            )
            decision = covering.said(self.desk, decision)
            log.info(
                "credit.adjusted", order_id=asked.order_id, is_granted=decision.is_granted, is_forced=request.is_forced
            )
            return answers.adjusted(decision)

        answer = self.database.once(request.request_id, same, pb.AdjustCreditResponse, act)
        self.desk.wake()
        return answer

    def ReleaseCredit(self, request: pb.ReleaseCreditRequest, context: Context) -> pb.ReleaseCreditResponse:
        """Give back what is committed and not invoiced, and credit what is invoiced of an order that has not shipped."""
        order_id = text(request.order_id, "order_id")

        def act(session: Session) -> pb.ReleaseCreditResponse:
            released = committing.release(session, order_id, self.clock(), keeps_card=request.is_fee_due)
            credited = at_order.end(session, order_id, self.clock())
            if not request.is_fee_due:
                freeing.owe_of_ended(session, order_id, credited, self.clock(), keeps_cash=request.keeps_cash)
            return pb.ReleaseCreditResponse(released=money(released) if released else None)

        answer = self.database.once(request.request_id, request, pb.ReleaseCreditResponse, act)
        self.desk.wake()
        return answer

    def GetCommitment(self, request: pb.GetCommitmentRequest, context: Context) -> pb.GetCommitmentResponse:
        """What releasing an order's credit would give back now."""
        order_id = text(request.order_id, "order_id")
        with self.database.reading() as session:
            held = credit.commitment(session, order_id)
        return pb.GetCommitmentResponse(remaining=money(held.remaining) if held else None)

    def GetInvoice(self, request: pb.GetInvoiceRequest, context: Context) -> pb.GetInvoiceResponse:
        """One invoice. NOT_FOUND when there is none."""
        invoice_id = text(request.invoice_id, "invoice_id")
        with self.database.reading() as session:
            invoice = invoice_pages.by_any_ids(session, [invoice_id]).get(invoice_id)
        if invoice is None:
            raise NotFound("INVOICE_NOT_FOUND", f"there is no invoice {invoice_id}: check the identity")
        return pb.GetInvoiceResponse(invoice=answers.invoice(invoice))

    def ListInvoices(self, request: pb.ListInvoicesRequest, context: Context) -> pb.ListInvoicesResponse:
        """Invoices by number."""
        limit, after = page_size(request.limit), number_cursor(request.cursor)
        if named := list_wire.named(request.invoice_ids, "invoices"):
            with self.database.reading() as session:
                found = invoice_pages.by_any_ids(session, named).values()
            return pb.ListInvoicesResponse(invoices=[answers.invoice(each) for each in found])
        with self.database.reading() as session:
            page, next_after = invoice_pages.page(
                session,
                order_id=optional_text(request.order_id, "order_id"),
                customer_id=optional_text(request.customer_id, "customer_id"),
                number=optional_text(request.number, "number"),
                status=wire.one_of(request.status, {*STATUSES, UNPAID}, "invoice status"),
                after=after,
                limit=limit,
                order_ids=named_orders(request.order_ids),
            )
        return pb.ListInvoicesResponse(
            invoices=[answers.invoice(each) for each in page], next_cursor=str(next_after or "")
        )

    def RecordPayment(self, request: pb.RecordPaymentRequest, context: Context) -> pb.RecordPaymentResponse:
        """Record cash and apply it; the same bank reference of a customer is one payment."""
        receipt = wire.receipt(request, business_day(self.clock(), self.database.time_zone))

        def act(session: Session) -> pb.RecordPaymentResponse:
            payment = receiving.record(session, receipt, self.clock())
            log.info("payment.recorded", payment_id=payment.payment_id, invoices=len(payment.applications))
            return pb.RecordPaymentResponse(payment=answers.payment(payment))

        answer = self.database.once(request.request_id, request, pb.RecordPaymentResponse, act)
        if answer.payment.deposits:
            self.wake_invoicing()
        return answer

    def AuthorizeCard(self, request: pb.AuthorizeCardRequest, context: Context) -> pb.AuthorizeCardResponse:
        """Authorize another card for an order; the answer says how far that has come."""
        covering.check_taken(self.desk)
        order_id, token = text(request.order_id, "order_id"), wire.card_token(text(request.card_token, "card_token"))

        def act(session: Session) -> pb.AuthorizeCardResponse:
            return pb.AuthorizeCardResponse(operation_id=covering.give(session, order_id, token, self.clock()))

        begun = self.database.once(request.request_id, without(request, "card_token"), pb.AuthorizeCardResponse, act)
        return answers.authorized(self.desk.pursue(begun.operation_id) if begun.operation_id else None)

    def CaptureInvoice(self, request: pb.CaptureInvoiceRequest, context: Context) -> pb.CaptureInvoiceResponse:
        """Capture what invoices have open; the answer says how far that has come: asked, too, while there is no provider to ask."""
        order_id, token = text(request.order_id, "order_id"), wire.card_token(request.card_token)
        shipment_id = optional_text(request.shipment_id, "shipment_id")

        def act(session: Session) -> pb.CaptureInvoiceResponse:
            begun = covering.capture(session, order_id, shipment_id, token, self.clock())
            return pb.CaptureInvoiceResponse(operation_ids=begun)

        begun = self.database.once(request.request_id, without(request, "card_token"), pb.CaptureInvoiceResponse, act)
        return answers.captured(self.desk.pursue_all(begun.operation_ids))

    def RecordProviderEvent(
        self, request: pb.RecordProviderEventRequest, context: Context
    ) -> pb.RecordProviderEventResponse:
        """Keep an event, once; what it tells of is read at the provider."""
        event_id, kind = text(request.event_id, "event_id"), text(request.kind, "kind")
        provider_id = optional_text(request.provider_id, "provider_id")
        with self.database.transaction() as session:
            is_new = authorizations.add_event(session, event_id, kind, provider_id, self.clock())
        self.desk.wake()
        return pb.RecordProviderEventResponse(is_new=is_new)

    def PreviewPayment(self, request: pb.PreviewPaymentRequest, context: Context) -> pb.PreviewPaymentResponse:
        """What recording or correcting a payment would do now; nothing changes."""
        request = self._asked(request)
        asked = preview_wire.trial(request, self.clock(), self.database.time_zone)
        found = previewing.preview(self.database, asked)
        amount = correction_wire.corrected_amount(request, found.payment)
        is_beyond = amount is not None and needs_second_person(amount, self.limits)
        return preview_wire.preview_message(found, needs_second_person=is_beyond)

    def GetCoveredUnits(self, request: pb.GetCoveredUnitsRequest, context: Context) -> pb.GetCoveredUnitsResponse:
        """How much of an order may go to the warehouses."""
        order_id = text(request.order.order_id, "order_id of the order")
        with self.database.reading() as session:
            if not what_fits.is_in_part(session, order_id):
                return pb.GetCoveredUnitsResponse(is_all=True)
            if not request.wanted:
                return pb.GetCoveredUnitsResponse()
            order, released, wanted = wire.covering(request)
            lines = answers.units(order, what_fits.covered_units(session, order, released, wanted))
        return pb.GetCoveredUnitsResponse(lines=lines)

    def GetOrderMoney(self, request: pb.GetOrderMoneyRequest, context: Context) -> pb.GetOrderMoneyResponse:
        """The money of one order, from what is committed to what is paid."""
        order_id, currency = text(request.order_id, "order_id"), wire.currency_of(request.currency)
        with self.database.reading() as session:
            return answers.order_money(order_money.read(session, order_id, currency, self.clock()))

    def ListWaitingOrders(self, request: pb.ListWaitingOrdersRequest, context: Context) -> pb.ListWaitingOrdersResponse:
        """Orders that wait for credit or for their cash, the longest first."""
        limit, after = page_size(request.limit), list_wire.waiting_cursor(request.cursor)
        customer_id = optional_text(request.customer_id, "customer_id")
        with self.database.reading() as session:
            page = waiting_orders.page(session, customer_id=customer_id, after=after, limit=limit + 1, now=self.clock())
        cursor = list_wire.cursor_after(page[limit - 1]) if len(page) > limit else ""
        return pb.ListWaitingOrdersResponse(orders=map(list_wire.waiting_message, page[:limit]), next_cursor=cursor)

    def ListPayments(self, request: pb.ListPaymentsRequest, context: Context) -> pb.ListPaymentsResponse:
        """Payments by age."""
        limit, payment_id = page_size(request.limit), optional_text(request.payment_id, "payment_id")
        wanted = list_wire.payment_filter(request)
        if named := list_wire.named([*request.payment_ids, *filter(None, [payment_id])], "payments"):
            with self.database.reading() as session:
                found = payments.by_ids(session, named)
            return pb.ListPaymentsResponse(payments=map(answers.payment, found))
        with self.database.reading() as session:
            page = payments.page(session, **wanted, limit=limit + 1, is_newest_first=request.is_newest_first)
        cursor = page[limit - 1].payment_id if len(page) > limit else ""
        return pb.ListPaymentsResponse(payments=[answers.payment(each) for each in page[:limit]], next_cursor=cursor)

    def PostStockMovements(
        self, request: pb.PostStockMovementsRequest, context: Context
    ) -> pb.PostStockMovementsResponse:
        """Post each movement once; one that has no value posts nothing and counts as posted. One bad fact refuses the batch."""
        movements = wire.movements(request.facts)
        postings = [posting for posting in map(movement_posting, movements) if posting]
        with self.database.transaction() as session:
            ledger_store.post(session, postings, self.clock())
        return pb.PostStockMovementsResponse(posted_fact_ids=[fact.fact_id for fact in request.facts])

    def RecordDeliveries(self, request: pb.RecordDeliveriesRequest, context: Context) -> pb.RecordDeliveriesResponse:
        """Record each shipment's arrival once; one bad fact refuses the batch."""
        arrived = delivery_wire.deliveries(request.facts, self.database.time_zone)
        with self.database.transaction() as session:
            is_due = delivering.record(session, arrived, self.clock())
        if is_due:
            self.wake_invoicing()
        return pb.RecordDeliveriesResponse(recorded_fact_ids=[fact.fact_id for fact in request.facts])

    def ListReceivables(self, request: pb.ListReceivablesRequest, context: Context) -> pb.ListReceivablesResponse:
        """What customers owe today, by age past the due date."""
        customer_id = optional_text(request.customer_id, "customer_id")
        with self.database.reading() as session:
            due = installments.due_amounts(session, customer_id)
            unapplied = payments.unapplied_cash(session, customer_id)
        rows = ageing(business_day(self.clock(), self.database.time_zone), due, unapplied)
        return pb.ListReceivablesResponse(receivables=[answers.receivable(row) for row in rows])

    def Audit(self, request: pb.AuditRequest, context: Context) -> pb.AuditResponse:
        """Every invariant of the books, and what other services' figures must agree with."""
        now = self.clock()
        invariants = [
            *audit.INVARIANTS,
            *audit_credit_notes.INVARIANTS,
            *audit_at_order.INVARIANTS,
            *audit_claw_backs.INVARIANTS,
            *audit_consolidated.INVARIANTS,
            *audit_deposit_invoices.INVARIANTS,
            *audit_exchanges.INVARIANTS,
            *audit_refunds.INVARIANTS,
            *audit_reversals.INVARIANTS,
            audit.unanswered(now),
            audit.unread(now),
            audit.unheard(now),
            audit_shipments.not_invoiced(now, self.database.time_zone),
            audit_at_order.not_invoiced(now),
            audit_deposit_invoices.not_invoiced(now),
        ]
        with self.database.reading() as session:
            return pb.AuditResponse(
                invariants=invariant_messages(find_all(session, invariants)),
                inventory_balance=[money(balance) for balance in audit.inventory_balance(session)],
                quarantine_balance=[money(balance) for balance in audit.quarantine_balance(session)],
                committed_order_ids=audit.committed_order_ids(session),
                billed=[_billed(order_id, total) for order_id, total in audit.billed_orders(session)],
            )


def _unread(order_id: str) -> orders_pb2.Order:
    raise Unreachable(f"there is nobody to ask for order {order_id}")


def _billed(order_id: str, total: Money) -> pb.OrderBilled:
    return pb.OrderBilled(order_id=order_id, total=money(total))

"""Domain to protobuf: how billing answers."""

from collections.abc import Mapping, Sequence

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.billing.domain import cards
from services.billing.domain.cards import Operation
from services.billing.domain.checkouts import Checkout
from services.billing.domain.credit import Account, Decision, OrderMoney
from services.billing.domain.deposit_invoices import DepositDeduction
from services.billing.domain.invoices import BillableOrder, Invoice, InvoiceLine
from services.billing.domain.ledger import AccountBalance, Entry
from services.billing.domain.payments import Application, Deposit, Payment
from services.billing.domain.receivables import Receivable
from services.billing.fact_wire import due_text
from services.kernel.clock import micros
from services.kernel.money import Money
from services.runtime.wire import money, tax_part


def account(standing: Account) -> pb.CreditAccount:
    """A customer's credit."""
    terms, rule = standing.terms, standing.terms.overdue_rule
    return pb.CreditAccount(
        customer_id=standing.customer_id,
        limit=money(standing.limit),
        committed=money(standing.committed),
        receivable=money(standing.receivable),
        headroom=money(standing.headroom),
        parent_id=terms.parent_id,
        overdue_rule=pb.OverdueRule(days=rule.days, least=money(rule.least)) if rule else None,
        ships_what_fits=terms.ships_what_fits,
        terms_changed_by=terms.changed_by,
        terms_changed_at_micros=micros(terms.changed_at) if terms.changed_at else 0,
    )


def units(order: BillableOrder, allowed: Mapping[str, int]) -> list[types_pb2.LineQuantity]:
    """Units of an order's lines, those of which there are any."""
    return [
        types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=allowed[line.line_id])
        for line in order.lines
        if allowed.get(line.line_id)
    ]


def decision(decided: Decision) -> pb.CommitCreditResponse:
    """Whether there was room."""
    return pb.CommitCreditResponse(
        is_granted=decided.is_granted,
        exposure=money(decided.exposure),
        limit=money(decided.limit),
        card=decided.card,
        asks_for_order=decided.asks_for_order,
    )


def adjusted(decided: Decision) -> pb.AdjustCreditResponse:
    """Whether there was room for the changed order."""
    return pb.AdjustCreditResponse(
        is_granted=decided.is_granted,
        exposure=money(decided.exposure),
        limit=money(decided.limit),
        card=decided.card,
    )


def invoice(issued: Invoice) -> pb.Invoice:
    """An invoice as it stands."""
    return pb.Invoice(
        invoice_id=issued.invoice_id,
        number=issued.number,
        order_id=issued.order_id,
        order_number=issued.order_number,
        customer_id=issued.customer_id,
        shipment_id=issued.shipment_id,
        invoiced_on=issued.invoiced_on.isoformat(),
        due_on=due_text(issued.due_on),
        lines=_lines(issued),
        merchandise=money(issued.charges.merchandise),
        discount=money(issued.charges.discount),
        freight=money(issued.charges.freight),
        tax=money(issued.charges.tax),
        total=money(issued.total),
        paid=money(issued.paid),
        status=issued.status,
        open=money(issued.open),
        credited=money(issued.credited),
        written_off=money(issued.written_off),
        settled_elsewhere=money(issued.settled_elsewhere),
        installments=[
            pb.Installment(due_on=due_text(one.due_on), amount=money(one.amount), open=money(left))
            for one, left in issued.open_installments()
        ],
        early_discount=_early_discount(issued),
        discount_taken=money(issued.discount_taken or Money.zero(issued.total.currency)),
        terms=issued.terms,
        tax_parts=[tax_part(part) for part in issued.parts],
        shipment_ids=issued.bills,
        deposits=map(deposit_deduction, issued.deductions),
        fee_id=issued.fee_id,
        consolidated_invoice_id=issued.consolidated_id if issued.share else "",
        shares=map(_share, issued.shares),
    )


def _lines(issued: Invoice) -> list[pb.InvoiceLine]:
    """Its lines; on one of several orders each names its own."""
    if not issued.shares:
        return [invoice_line(line) for line in issued.lines]
    return [invoice_line(line, share.order_number) for share in issued.shares for line in share.lines]


def _share(one: Invoice) -> pb.InvoiceShare:
    return pb.InvoiceShare(
        invoice_id=one.invoice_id,
        order_id=one.order_id,
        order_number=one.order_number,
        po_number=one.header.po_number,
        total=money(one.total),
        open=money(one.open),
    )


def deposit_deduction(one: DepositDeduction) -> pb.DepositDeduction:
    """What an invoice deducts of a deposit invoice."""
    return pb.DepositDeduction(
        deposit_invoice_id=one.deposit_invoice_id,
        deposit_invoice_number=one.deposit_invoice_number,
        invoiced_on=one.invoiced_on.isoformat(),
        invoice_id=one.invoice_id,
        invoice_number=one.invoice_number,
        amount=money(one.amount),
        tax=money(one.tax),
    )


def _early_discount(issued: Invoice) -> pb.EarlyDiscount | None:
    offer = issued.offer
    if offer is None:
        return None
    pays = money(issued.open - offer.amount)
    return pb.EarlyDiscount(amount=money(offer.amount), until=offer.until.isoformat(), pays=pays)


def invoice_line(line: InvoiceLine, order_number: str = "") -> pb.InvoiceLine:
    """A line of an invoice or a credit note; its order is named where there are several."""
    return pb.InvoiceLine(
        line_id=line.line_id,
        sku=line.sku,
        description=line.description,
        quantity=line.quantity,
        unit_price=line.unit_price.text,
        extended=money(line.extended),
        order_number=order_number,
        reversed_quantity=line.reversed_quantity,
    )


def payment(recorded: Payment) -> pb.Payment:
    """A payment and what it paid."""
    return pb.Payment(
        payment_id=recorded.payment_id,
        customer_id=recorded.customer_id,
        amount=money(recorded.amount),
        reference=recorded.reference,
        applications=[_application(application) for application in recorded.applications],
        unapplied=money(recorded.unapplied),
        received_at_micros=micros(recorded.received_at),
        deposits=[_deposit(deposit) for deposit in recorded.deposits],
        is_on_account=recorded.is_on_account,
        returned=money(recorded.returned or Money.zero(recorded.amount.currency)),
        reversed_at_micros=micros(recorded.reversed_at) if recorded.reversed_at else 0,
        received_on=recorded.received_on.isoformat(),
        is_by_card=recorded.is_by_card,
    )


def _deposit(deposit: Deposit) -> pb.Deposit:
    return pb.Deposit(order_id=deposit.order_id, amount=money(deposit.amount), remaining=money(deposit.remaining))


def order_money(of: OrderMoney) -> pb.GetOrderMoneyResponse:
    """The money of one order."""
    return pb.GetOrderMoneyResponse(
        committed=money(of.committed),
        held=money(of.held),
        invoiced=money(of.invoiced),
        paid=money(of.paid),
        waiting_on=of.waiting_on,
        waiting_since_micros=micros(of.waiting.waiting_since) if of.waiting else 0,
        missing=money(of.missing) if of.missing.minor else None,
        discount_taken=money(of.discount_taken) if of.discount_taken else None,
        authorized=money(of.card.authorized),
        captured=money(of.card.captured),
        refunded=money(of.card.refunded),
        card=of.card.standing,
        decline_reason=of.card.decline_reason,
        credited=money(of.credited) if of.credited else None,
        written_off=money(of.written_off) if of.written_off else None,
    )


def _application(application: Application) -> pb.PaymentApplication:
    return pb.PaymentApplication(invoice_id=application.invoice_id, amount=money(application.amount))


def balance(of: AccountBalance) -> pb.AccountBalance:
    """An account's balance."""
    return pb.AccountBalance(
        account=of.account, currency=of.debit.currency, debit_minor=of.debit.minor, credit_minor=of.credit.minor
    )


def entry(posted: Entry) -> pb.Entry:
    """A journal entry."""
    return pb.Entry(
        entry_id=posted.entry_id,
        debit=posted.posting.debit,
        credit=posted.posting.credit,
        amount=money(posted.posting.amount),
        source_type=posted.posting.source_type,
        source_id=posted.posting.source_id,
        order_id=posted.posting.order_id,
        memo=posted.posting.memo,
        posted_at_micros=micros(posted.posted_at),
    )


def receivable(row: Receivable) -> pb.Receivable:
    """What a customer owes, by age."""
    return pb.Receivable(
        customer_id=row.customer_id,
        currency=row.currency,
        current_minor=row.current,
        days_30_minor=row.days_30,
        days_60_minor=row.days_60,
        older_minor=row.older,
        unapplied_minor=row.unapplied,
        overdue_since=row.overdue_since.isoformat() if row.overdue_since else "",
    )


def authorized(operation: Operation | None) -> pb.AuthorizeCardResponse:
    """How far the authorization of a card has come; None for one that was not needed."""
    if operation is None:
        return pb.AuthorizeCardResponse(card="nothing")
    is_done = operation.state == cards.SUCCEEDED
    card = cards.AUTHORIZED if is_done else cards.ASKED if operation.is_asked else cards.DECLINED
    return pb.AuthorizeCardResponse(card=card, decline_reason=operation.reason, operation_id=operation.operation_id)


def captured(operations: Sequence[Operation]) -> pb.CaptureInvoiceResponse:
    """How far captures have come together: the worst of them; those that nobody needs any more are nothing."""
    operations = [operation for operation in operations if not operation.is_needless]
    states = {operation.state for operation in operations}
    state = next((one for one in (cards.FAILED, cards.ASKED) if one in states), "captured" if states else "nothing")
    reason = next((operation.reason for operation in operations if operation.reason), "")
    return pb.CaptureInvoiceResponse(
        state=state, reason=reason, operation_ids=[operation.operation_id for operation in operations]
    )


def checkout(known: Checkout) -> pb.Checkout:
    """A page of the provider on which a card is entered."""
    return pb.Checkout(
        checkout_id=known.checkout_id,
        kind=known.kind,
        state=known.state,
        url=known.url,
        order_id=known.order_id,
        invoice_id=known.invoice_id,
        customer_id=known.customer_id,
        amount=money(known.amount),
        expires_at_micros=micros(known.expires_at),
    )

"""Crediting what came back, and giving its cash back, each inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session

from services.billing import correcting, crediting, invoicing, owing
from services.billing.domain.billable import OrderToBill, goods_of
from services.billing.domain.claw_backs import RETURNED
from services.billing.domain.credit_notes import CreditAsked, Credited, CreditFigures, CreditNote, LeftOver, falls_on
from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import check_refund
from services.billing.domain.returned import Returned, Share, spread, to_invoice
from services.billing.store import (
    billable,
    credit_notes,
    exchanges,
    families,
    invoices,
    return_refunds,
    returned_by_hand,
)
from services.billing.store import credit as accounts
from services.kernel.errors import Refused
from services.kernel.money import Money, exact_share
from services.runtime import sessions


def credit(
    session: Session,
    order_id: str,
    return_id: str,
    returned: Sequence[Returned],
    reason: str,
    now: datetime,
    waits_of: OrderToBill | None = None,
) -> list[CreditNote]:
    """Post a credit note for each invoice that bears some of it; none where all of it was credited by hand before it came, or cost nothing.

    Of an order `waits_of` which something waits for its invoice, what came back of that is invoiced first, so that it never is later.
    """
    if waits_of is not None:
        _invoice(session, waits_of, returned, now)
    bills = invoices.of_order(session, order_id)
    if not bills:
        raise Refused("RETURN_NOT_INVOICED", "nothing of this order is invoiced: there is nothing to credit")
    families.take(session, {(bills[0].customer_id, bills[0].total.currency)})
    bills = invoices.of_order(session, order_id)
    credited, by_hand = credit_notes.credited_units(session, order_id), returned_by_hand.of_order(session, order_id)
    shares = spread(returned, bills, credited, by_hand)
    returned_by_hand.bring(session, shares)
    coming = _coming(session, [one for one in bills if one.invoice_id in shares], shares)
    posted = [
        crediting.post(
            session,
            crediting.taken(session, one.invoice.invoice_id),
            _asked(one, coming[place + 1 :], return_id, reason),
            "",
            now,
        )
        for place, one in enumerate(coming)
        if one.figures.parts.total.minor
    ]
    return [*posted, *crediting.give_back(session, posted[-1], now)] if posted else []


@dataclass(frozen=True, slots=True)
class _Coming:
    """What of a return comes back of an invoice, and what that comes to, which is nothing for goods that cost nothing."""

    invoice: Invoice
    share: Share
    figures: CreditFigures

    @property
    def ours(self) -> Money:
        """What the goods came to for which the customer does not answer."""
        parts = (exact_share(one.extended, self.share.ours[one.line_id], one.quantity) for one in self.figures.lines)
        return Money.total(parts, self.figures.parts.tax.currency)

    @property
    def by_choice(self) -> Credited:
        """What it comes to, of goods only those that are not kept by the customer's choice."""
        return replace(self.figures.parts, merchandise=self.figures.parts.merchandise - self.ours)


def _coming(session: Session, bills: Sequence[Invoice], shares: Mapping[str, Share]) -> list[_Coming]:
    found = []
    for invoice in bills:
        share, zero = shares[invoice.invoice_id], Money.zero(invoice.total.currency)
        if share.units:
            figures = falls_on(invoice, share.units, zero, credit_notes.so_far(session, invoice))
            found.append(_Coming(invoice, share, figures))
    return found


def _asked(one: _Coming, others: Sequence[_Coming], return_id: str, reason: str) -> CreditAsked:
    """The credit note of an invoice; what comes back with it is of the others, whose notes follow."""
    zero = Money.zero(one.invoice.total.currency)
    with_it = sum((each.by_choice for each in others), start=Credited.none(zero.currency))
    return CreditAsked(
        one.share.units, zero, zero, is_all=False, reason_code=RETURNED, reason=reason,
        fees=tuple(one.share.fees), return_id=return_id, with_it=with_it, ours=one.ours,
    )  # fmt: skip


def is_waiting(session: Session, order_id: str) -> bool:
    """Whether anything of an order has left and waits for its invoice."""
    return bool(billable.waiting_of_orders(session, [order_id]))


def _invoice(session: Session, of: OrderToBill, returned: Sequence[Returned], now: datetime) -> None:
    """Invoice what came back while it waited. Refused HELD_BY_DRAFT, as invoicing by hand is."""
    order_id, customer_id, currency = of.order.order_id, of.order.customer_id, of.order.currency
    accounts.take_or_open(session, customer_id, currency)
    families.take(session, {(customer_id, currency)})
    bills, waiting = invoices.of_order(session, order_id), billable.waiting_of_orders(session, [order_id])
    credited, by_hand = credit_notes.credited_units(session, order_id), returned_by_hand.of_order(session, order_id)
    parts = to_invoice(returned, bills, credited, by_hand, waiting)
    if parts:
        invoicing.issue_waiting(session, goods_of(of, waiting, parts, sessions.business_day(session, now)), now)


def refund(session: Session, return_id: str, request_id: str, reason: str, now: datetime) -> list[tuple[LeftOver, str]]:
    """Give the cash of a return's credit notes back to its payers, each part once; also the operation of each refund to a card.

    What is held for an order that replaces the goods stays. Cash that was put to another use meanwhile is refused, as any refund of
    what is not there.
    """
    done: list[tuple[LeftOver, str]] = []
    for note in credit_notes.of_return(session, return_id):
        for part in note.left_over:
            left = replace(part, amount=part.amount - exchanges.held(session, note.credit_note_id, part))
            if not left.amount.minor:
                continue
            key = f"{request_id}/{note.credit_note_id}/{left.payment_id}"
            if not return_refunds.add(session, note.credit_note_id, left, key, now):
                continue
            done.append((left, _give_back(session, note, left, reason, key, now)))
    return done


def _give_back(session: Session, note: CreditNote, left: LeftOver, reason: str, key: str, now: datetime) -> str:
    """Owed to its card until the provider has paid it, gives the operation; what came otherwise is paid out by hand."""
    payment = correcting.taken(session, left.payment_id)
    if not payment.is_by_card:
        correcting.refund(session, left.payment_id, left.amount, "", reason, key, now)
        return ""
    check_refund(payment, left.amount, "")
    after = replace(payment, unapplied=payment.unapplied - left.amount)
    return owing.owe(session, payment, after, left.amount, note.order_id, now, is_held=False).operation_id

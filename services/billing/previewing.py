"""What recording or correcting a payment would do: it is done, looked at, and undone in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlmodel import Session

from services.billing.domain.invoices import Invoice
from services.billing.domain.payments import Payment
from services.billing.store import invoices, payments, waits
from services.kernel.money import Money
from services.runtime.db import Database


@dataclass(frozen=True, slots=True)
class Trial:
    """A change of a payment that is only looked at.

    `payment_id` is empty for one that is not recorded yet, `customer_id` whose it would be, empty when that stays; `currency` is
    that of the payment, empty when it is known.
    """

    payment_id: str
    customer_id: str
    currency: str
    act: Callable[[Session], Payment]


@dataclass(frozen=True, slots=True)
class InvoicePreview:
    """An invoice as it stands, and what would be open on it."""

    invoice: Invoice
    open_after: Money


@dataclass(frozen=True, slots=True)
class Preview:
    """A payment as it would stand, the invoices that it pays now or would, and the orders that would go or wait."""

    payment: Payment
    invoices: tuple[InvoicePreview, ...]
    released: tuple[str, ...]
    waiting: tuple[str, ...]


Result = TypeVar("Result")


class _Undone(Exception):
    """Ends the transaction without a commit."""


def tried(database: Database, act: Callable[[Session], Result]) -> Result:
    """What an act gives, which is undone: it leaves no trace, and is refused as the act itself is."""
    found: list[Result] = []
    try:
        with database.transaction() as session:
            found.append(act(session))
            raise _Undone
    except _Undone:
        return found[0]


def preview(database: Database, asked: Trial) -> Preview:
    """What it would do now; it leaves no trace, and is refused as the change itself is."""
    seen, after = tried(database, lambda session: _looked_at(session, asked))
    with database.reading() as session:
        before = invoices.by_ids(session, after)
    touched = sorted(before.values(), key=lambda one: (len(one.number), one.number))
    return replace(seen, invoices=tuple(InvoicePreview(one, after[one.invoice_id].open) for one in touched))


def _looked_at(session: Session, asked: Trial) -> tuple[Preview, dict[str, Invoice]]:
    """What comes of it, and invoice id → invoice as it stands then, of those that the payment pays before or after."""
    known = payments.by_id(session, asked.payment_id) if asked.payment_id else None
    customers = {asked.customer_id, known.customer_id if known else ""} - {""}
    currency = known.amount.currency if known else asked.currency
    waited = waiting_orders(session, customers, currency)
    payment = asked.act(session)
    waits_then = waiting_orders(session, customers, currency)
    released = tuple(one for one in waited if one not in waits_then)
    waiting = tuple(one for one in waits_then if one not in waited)
    return Preview(payment, (), released, waiting), invoices.by_ids(session, _paid(known) | _paid(payment))


def _paid(payment: Payment | None) -> set[str]:
    return {one.invoice_id for one in payment.applications} if payment else set()


def waiting_orders(session: Session, customers: Iterable[str], currency: str) -> list[str]:
    """Ids of the orders that wait of the customers and of all that count in the same limits, the longest first of each."""
    found = (waits.of_family(session, customer, currency) for customer in sorted(customers) if currency)
    return [*dict.fromkeys(one.request.order_id for of_customer in found for one in of_customer)]

"""Payments, what they pay, and who owes what."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select, update

from services.billing import models
from services.billing.domain.payments import Application, Payment
from services.billing.domain.receivables import DueAmount, UnappliedCash
from services.kernel.money import Money


def by_reference(session: Session, customer_id: str, reference: str) -> Payment | None:
    """A customer's payment with this bank reference, if it was recorded."""
    found = _many(
        session, col(models.Payment.customer_id) == customer_id, col(models.Payment.reference) == reference, limit=1
    )
    return found[0] if found else None


def with_unapplied(session: Session, customer_id: str, currency: str) -> list[Payment]:
    """A customer's payments with cash left, oldest first."""
    return _many(
        session,
        col(models.Payment.customer_id) == customer_id,
        col(models.Payment.currency) == currency,
        col(models.Payment.unapplied_minor) > 0,
    )


def page(session: Session, *, customer_id: str, after: str, limit: int) -> list[Payment]:
    """Payments beyond this id, oldest first; an empty customer does not filter."""
    wanted = [col(models.Payment.payment_id) > after]
    if customer_id:
        wanted.append(col(models.Payment.customer_id) == customer_id)
    return _many(session, *wanted, limit=limit)


def add(session: Session, payment: Payment) -> None:
    """Store a new payment with its applications."""
    session.add(
        models.Payment(
            payment_id=payment.payment_id,
            customer_id=payment.customer_id,
            currency=payment.amount.currency,
            amount_minor=payment.amount.minor,
            unapplied_minor=payment.unapplied.minor,
            reference=payment.reference,
            received_at=payment.received_at,
        )
    )
    session.flush()
    for application in payment.applications:
        _add_application(session, payment.payment_id, application, payment.received_at)


def draw(session: Session, payment_id: str, application: Application, now: datetime) -> bool:
    """Take cash left unapplied for an invoice, unless there is not as much: one conditional UPDATE decides."""
    drawn = session.exec(
        update(models.Payment)
        .where(
            col(models.Payment.payment_id) == payment_id,
            col(models.Payment.unapplied_minor) >= application.amount.minor,
        )
        .values(unapplied_minor=col(models.Payment.unapplied_minor) - application.amount.minor)
        .execution_options(synchronize_session=False)
    )
    if drawn.rowcount != 1:
        return False
    _add_application(session, payment_id, application, now)
    return True


def due_amounts(session: Session, customer_id: str) -> list[DueAmount]:
    """What is open by customer, currency and due date; an empty customer means all."""
    columns = models.Invoice
    open_minor = col(columns.total_minor) - col(columns.paid_minor)
    wanted = [open_minor > 0] + ([col(columns.customer_id) == customer_id] if customer_id else [])
    rows = session.exec(
        select(columns.customer_id, columns.currency, columns.due_on, func.sum(open_minor))
        .where(*wanted)
        .group_by(col(columns.customer_id), col(columns.currency), col(columns.due_on))
    ).all()
    return [
        DueAmount(customer, date.fromisoformat(due_on), Money(int(minor), currency))
        for customer, currency, due_on, minor in rows
    ]


def unapplied_cash(session: Session, customer_id: str) -> list[UnappliedCash]:
    """What is unapplied by customer and currency; an empty customer means all."""
    columns = models.Payment
    wanted = [col(columns.unapplied_minor) > 0] + ([col(columns.customer_id) == customer_id] if customer_id else [])
    rows = session.exec(
        select(columns.customer_id, columns.currency, func.sum(columns.unapplied_minor))
        .where(*wanted)
        .group_by(col(columns.customer_id), col(columns.currency))
    ).all()
    return [UnappliedCash(customer, Money(int(minor), currency)) for customer, currency, minor in rows]


def _add_application(session: Session, payment_id: str, application: Application, now: datetime) -> None:
    session.add(
        models.PaymentApplication(
            payment_id=payment_id,
            invoice_id=application.invoice_id,
            amount_minor=application.amount.minor,
            applied_at=now,
        )
    )
    session.flush()


def _many(session: Session, *wanted: ColumnElement[bool], limit: int | None = None) -> list[Payment]:
    # ids rise with time, so their order is the order of arrival
    query = select(models.Payment).where(*wanted).order_by(col(models.Payment.payment_id)).limit(limit)
    rows = session.exec(query.execution_options(populate_existing=True)).all()
    applications = _applications(session, [row.payment_id for row in rows])
    return [_payment(row, applications.get(row.payment_id, ())) for row in rows]


def _applications(session: Session, payment_ids: Sequence[str]) -> dict[str, tuple[models.PaymentApplication, ...]]:
    """Payment id → its applications, oldest first."""
    if not payment_ids:
        return {}
    columns = models.PaymentApplication
    rows = session.exec(
        select(models.PaymentApplication)
        .where(col(columns.payment_id).in_(payment_ids))
        .order_by(col(columns.payment_id), col(columns.applied_at), col(columns.invoice_id))
    ).all()
    return {key: tuple(group) for key, group in groupby(rows, key=lambda row: row.payment_id)}


def _payment(row: models.Payment, applications: Sequence[models.PaymentApplication]) -> Payment:
    return Payment(
        row.payment_id,
        row.customer_id,
        Money(row.amount_minor, row.currency),
        row.reference,
        tuple(Application(part.invoice_id, Money(part.amount_minor, row.currency)) for part in applications),
        Money(row.unapplied_minor, row.currency),
        row.received_at,
    )

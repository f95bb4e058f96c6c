"""The books: entries are added and never changed."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, text
from sqlmodel import Session, col, select

from services.billing import models
from services.billing.domain.ledger import AccountBalance, Entry, Posting
from services.kernel.money import Money
from services.runtime.db import UtcDateTime

_POST = text(
    "INSERT INTO journal_entry "
    "(debit, credit, amount_minor, currency, source_type, source_id, event, order_id, memo, posted_at) VALUES "
    "(:debit, :credit, :amount_minor, :currency, :source_type, :source_id, :event, :order_id, :memo, :posted_at) "
    "ON CONFLICT (source_type, source_id, event) DO NOTHING"
).bindparams(bindparam("posted_at", type_=UtcDateTime()))

_ORDER_OF = text("SELECT order_id FROM invoice WHERE invoice_id = :invoice")
_CORRECTIONS = text(
    "SELECT credit_note_id FROM credit_note WHERE invoice_id = :invoice "
    "UNION ALL SELECT write_off_id FROM write_off WHERE invoice_id = :invoice"
)


def post(session: Session, postings: Iterable[Posting], now: datetime) -> None:
    """Add each to the books, unless its (source_type, source_id, event) is there already."""
    rows = [
        {
            "debit": posting.debit,
            "credit": posting.credit,
            "amount_minor": posting.amount.minor,
            "currency": posting.amount.currency,
            "source_type": posting.source_type,
            "source_id": posting.source_id,
            "event": posting.event,
            "order_id": posting.order_id,
            "memo": posting.memo,
            "posted_at": now,
        }
        for posting in postings
    ]
    if rows:
        session.execute(_POST, rows)


def balances(session: Session, currency: str) -> list[AccountBalance]:
    """Every account used, by currency, then account; an empty currency means all."""
    debited, credited = _sums(session, "debit", currency), _sums(session, "credit", currency)
    return [
        AccountBalance(key[1], Money(debited.get(key, 0), key[0]), Money(credited.get(key, 0), key[0]))
        for key in sorted(debited.keys() | credited.keys())
    ]


def page(session: Session, *, order_id: str, account: str, after: int, limit: int, invoice_id: str = "") -> list[Entry]:
    """Entries beyond this id, oldest first; an empty filter does not filter."""
    columns = models.JournalEntry
    wanted = [col(columns.entry_id) > after]
    if order_id:
        wanted.append(col(columns.order_id) == order_id)
    if invoice_id:
        wanted.append(_of_invoice(session, invoice_id))
    if account:
        wanted.append((col(columns.debit) == account) | (col(columns.credit) == account))
    query = select(models.JournalEntry).where(*wanted).order_by(col(columns.entry_id)).limit(limit)
    return [_entry(row) for row in session.exec(query).all()]


def _of_invoice(session: Session, invoice_id: str) -> ColumnElement[bool]:
    """What moves an invoice, found among the entries of its order: what pays it ends with its id."""
    columns, own = models.JournalEntry, {"invoice": invoice_id}
    order_id = session.execute(_ORDER_OF, own).scalar()
    sources = [invoice_id, *session.execute(_CORRECTIONS, own).scalars()]
    is_of_it = col(columns.source_id).in_(sources) | col(columns.event).endswith(f"/{invoice_id}", autoescape=True)
    return (col(columns.order_id) == order_id) & is_of_it


def _sums(session: Session, side: str, currency: str) -> dict[tuple[str, str], int]:
    """(currency, account) → sum of the amounts on one side."""
    columns = models.JournalEntry
    account = col(columns.debit) if side == "debit" else col(columns.credit)
    query = select(columns.currency, account, func.sum(columns.amount_minor)).group_by(col(columns.currency), account)
    if currency:
        query = query.where(col(columns.currency) == currency)
    return {(of, name): int(minor) for of, name, minor in session.exec(query).all()}


def _entry(row: models.JournalEntry) -> Entry:
    assert row.entry_id is not None, "a stored entry has its id"
    posting = Posting(
        row.debit,
        row.credit,
        Money(row.amount_minor, row.currency),
        row.source_type,
        row.source_id,
        row.event,
        row.order_id,
        row.memo,
    )
    return Entry(row.entry_id, posting, row.posted_at)

"""Credit accounts and what orders have committed to them."""

from sqlalchemy import text
from sqlmodel import Session, col, select, update

from services.billing import models
from services.billing.domain.credit import Account, Commitment
from services.kernel.money import Money


def account(session: Session, customer_id: str, currency: str) -> Account | None:
    """The account as it stands; None for a customer without one."""
    row = session.get(models.CreditAccount, (customer_id, currency))
    return None if row is None else _account(row)


def take(session: Session, customer_id: str, currency: str) -> Account | None:
    """The account, locked until the transaction ends by a write that changes nothing; None when there is none."""
    columns = models.CreditAccount
    touched = session.exec(
        update(models.CreditAccount)
        .where(col(columns.customer_id) == customer_id, col(columns.currency) == currency)
        .values(limit_minor=col(columns.limit_minor))
        .returning(models.CreditAccount)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    return None if touched is None else _account(touched)


def take_or_open(session: Session, customer_id: str, currency: str) -> Account:
    """The account, locked; a customer without one gets one without credit, so that cash and invoices have a home."""
    opening = text(
        "INSERT INTO credit_account (customer_id, currency, limit_minor, committed_minor, receivable_minor, net_days) "
        "VALUES (:customer_id, :currency, 0, 0, 0, 0) ON CONFLICT (customer_id, currency) DO NOTHING"
    )
    session.execute(opening, {"customer_id": customer_id, "currency": currency})
    taken = take(session, customer_id, currency)
    assert taken is not None, "the row was there or has just been inserted"
    return taken


def put_limit(session: Session, customer_id: str, limit: Money, net_days: int) -> Account:
    """Create the account or replace its limit and days; what is committed and owed stays."""
    take_or_open(session, customer_id, limit.currency)
    _change(session, customer_id, limit.currency, limit_minor=limit.minor, net_days=net_days)
    taken = take(session, customer_id, limit.currency)
    assert taken is not None, "it was opened above"
    return taken


def commit_within_limit(session: Session, customer_id: str, amount: Money) -> bool:
    """Commit an amount if the headroom has room for it: one conditional UPDATE, whose row count decides."""
    columns = models.CreditAccount
    headroom = col(columns.limit_minor) - col(columns.committed_minor) - col(columns.receivable_minor)
    committed = session.exec(
        update(models.CreditAccount)
        .where(
            col(columns.customer_id) == customer_id,
            col(columns.currency) == amount.currency,
            headroom >= amount.minor,
        )
        .values(committed_minor=col(columns.committed_minor) + amount.minor)
        .execution_options(synchronize_session=False)
    )
    return committed.rowcount == 1


def move(session: Session, customer_id: str, *, committed: Money, receivable: Money) -> None:
    """Add to what a customer has committed and owes; negative amounts take away."""
    columns = models.CreditAccount
    _change(
        session,
        customer_id,
        committed.currency,
        committed_minor=col(columns.committed_minor) + committed.minor,
        receivable_minor=col(columns.receivable_minor) + receivable.minor,
    )


def commitment(session: Session, order_id: str) -> Commitment | None:
    """What an order has committed; None when it never did."""
    row = session.exec(
        select(models.Commitment)
        .where(models.Commitment.order_id == order_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if row is None else _commitment(row)


def record_commitment(session: Session, order_id: str, customer_id: str, amount: Money) -> None:
    """Remember what an order commits now; after a release it adds to the same row, which is active again."""
    recording = text(
        "INSERT INTO commitment (order_id, customer_id, currency, amount_minor, remaining_minor, invoiced_minor, "
        "released_minor, is_released) VALUES (:order_id, :customer_id, :currency, :amount, :amount, 0, 0, :is_released) "
        "ON CONFLICT (order_id) DO UPDATE SET amount_minor = commitment.amount_minor + excluded.amount_minor, "
        "remaining_minor = commitment.remaining_minor + excluded.remaining_minor, is_released = excluded.is_released"
    )
    session.execute(
        recording,
        {
            "order_id": order_id,
            "customer_id": customer_id,
            "currency": amount.currency,
            "amount": amount.minor,
            "is_released": False,
        },
    )


def release_commitment(session: Session, held: Commitment) -> None:
    """What remains of an order's commitment is given back."""
    _change_commitment(
        session,
        held.order_id,
        remaining_minor=0,
        released_minor=held.released.minor + held.remaining.minor,
        is_released=True,
    )


def give_back(session: Session, held: Commitment, amount: Money) -> None:
    """Part of an order's commitment is given back; the rest stays."""
    _change_commitment(
        session,
        held.order_id,
        remaining_minor=held.remaining.minor - amount.minor,
        released_minor=held.released.minor + amount.minor,
    )


def invoice_commitment(session: Session, held: Commitment, moved: Money) -> None:
    """Part of an order's commitment became an invoice."""
    _change_commitment(
        session,
        held.order_id,
        remaining_minor=held.remaining.minor - moved.minor,
        invoiced_minor=held.invoiced.minor + moved.minor,
    )


def _change(session: Session, customer_id: str, currency: str, **values: object) -> None:
    session.exec(
        update(models.CreditAccount)
        .where(
            col(models.CreditAccount.customer_id) == customer_id,
            col(models.CreditAccount.currency) == currency,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _change_commitment(session: Session, order_id: str, **values: object) -> None:
    session.exec(
        update(models.Commitment)
        .where(col(models.Commitment.order_id) == order_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _account(row: models.CreditAccount) -> Account:
    return Account(
        row.customer_id,
        Money(row.limit_minor, row.currency),
        Money(row.committed_minor, row.currency),
        Money(row.receivable_minor, row.currency),
    )


def _commitment(row: models.Commitment) -> Commitment:
    return Commitment(
        row.order_id,
        row.customer_id,
        Money(row.amount_minor, row.currency),
        Money(row.remaining_minor, row.currency),
        Money(row.invoiced_minor, row.currency),
        Money(row.released_minor, row.currency),
        row.is_released,
    )

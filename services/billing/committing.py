"""Committing an order to its customer's credit, changing that and giving it back, each inside the caller's transaction."""

from sqlmodel import Session

from services.billing.domain.credit import Account, Decision, amount_to_adjust, amount_to_commit, check_account
from services.billing.store import credit, invoices
from services.kernel.money import Money


def commit(session: Session, *, order_id: str, customer_id: str, amount: Money) -> Decision:
    """Commit an order's amount if there is room; an order never counts twice."""
    account = credit.take(session, customer_id, amount.currency)
    if account is None:
        return _decision(Account.unknown(customer_id, amount.currency), is_granted=False)
    held = credit.commitment(session, order_id)
    check_account(held, customer_id, amount.currency)
    adding = amount_to_commit(amount, held)
    if adding is None:
        return _decision(account, is_granted=True)
    if adding.minor and not credit.commit_within_limit(session, customer_id, adding):
        return _decision(account, is_granted=False)
    credit.record_commitment(session, order_id, customer_id, adding)
    return _decision(account, is_granted=True)


def adjust(session: Session, *, order_id: str, customer_id: str, total: Money, is_forced: bool) -> Decision:
    """Commit a changed order's total less what is invoiced of it. More needs room unless forced; less is always granted."""
    take = credit.take_or_open if is_forced else credit.take
    account = take(session, customer_id, total.currency)
    if account is None:
        return _decision(Account.unknown(customer_id, total.currency), is_granted=not total.minor)
    held = credit.commitment(session, order_id)
    check_account(held, customer_id, total.currency)
    adding = amount_to_adjust(total, invoices.billed_total(session, order_id, total.currency), held)
    if adding.minor <= 0 or is_forced:
        credit.move(session, customer_id, committed=adding, receivable=Money.zero(total.currency))
    elif not credit.commit_within_limit(session, customer_id, adding):
        return _decision(account, is_granted=False)
    if held is not None and adding.minor < 0:
        credit.give_back(session, held, -adding)
    elif adding.minor:
        credit.record_commitment(session, order_id, customer_id, adding)
    return _decision(account, is_granted=True)


def release(session: Session, order_id: str) -> Money | None:
    """Give back what remains of an order's commitment and say how much; None when it never committed anything."""
    known = credit.commitment(session, order_id)
    if known is None:
        return None
    credit.take(session, known.customer_id, known.amount.currency)
    # read again: an invoice may have taken its part while this waited for the account
    held = credit.commitment(session, order_id)
    assert held is not None, "commitments are never deleted"
    credit.release_commitment(session, held)
    credit.move(session, held.customer_id, committed=-held.remaining, receivable=Money.zero(held.amount.currency))
    return held.remaining


def _decision(account: Account, *, is_granted: bool) -> Decision:
    return Decision(is_granted, account.exposure, account.limit)

"""Committing an order to its customer's money, changing that and giving it back, each inside the caller's transaction.

An order that neither credit nor its own cash covers waits. Whatever makes room, cash that comes, a higher limit, another order's
end, grants the orders that wait, the longest first, in the same transaction; one that does not fit is skipped.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlmodel import Session

from services.billing import fact_wire, what_fits
from services.billing.cards.letting_go import let_go_if_over
from services.billing.domain import cards
from services.billing.domain.credit import (
    CARD,
    Account,
    Commitment,
    CreditRequest,
    Decision,
    OrderCash,
    Waiting,
    amount_to_adjust,
    amount_to_commit,
    check_account,
    counts_against_limit,
    counts_as_committed,
    missing_cash,
    on_its_terms,
)
from services.billing.domain.facts import CreditGranted
from services.billing.store import authorizations, credit, deposits, families, invoices, operations, waits
from services.kernel.money import Money
from services.runtime.facts import emit_fact

log = structlog.get_logger()


def commit(session: Session, request: CreditRequest, now: datetime) -> Decision:
    """Commit an order's amount if its money is there, else it waits; an order never counts twice."""
    currency = request.amount.currency
    account = credit.taken(session, request.customer_id, currency)
    held = credit.commitment(session, request.order_id)
    check_account(held, request.customer_id, currency)
    adding = amount_to_commit(request.counted, held)
    if adding is None:
        waits.remove_whole(session, request.order_id)
        is_kept = held is None or what_fits.keep(session, request, held, now)
        if held is not None and not is_kept:
            give_up(session, held)
            grant_waiting(session, request.customer_id, currency, now)
        return _decision(session, account, request, is_granted=is_kept)
    if not _take(session, account, request, adding, held, now):
        return _wait(session, account, request, adding, held, now)
    credit.record_commitment(session, request, adding)
    waits.remove(session, request.order_id)
    return _decision(session, account, request, is_granted=True)


def _wait(
    session: Session, account: Account, request: CreditRequest, adding: Money, held: Commitment | None, now: datetime
) -> Decision:
    """An order whose money is not there for all of it waits: whole, or with a part granted where its customer ships what fits."""
    before = waits.of_order(session, request.order_id)
    waiting = Waiting(request, now, is_in_part=before is not None and before.is_in_part)
    part = what_fits.take(
        session, account, waiting, adding, held, is_stopped=families.is_stopped(session, account, now)
    )
    if part is not None:
        if part.minor:
            credit.record_commitment(session, request, part)
        what_fits.notify_rest(session, request.order_id, adding - part, now)
    waits.put(session, replace(waiting, is_in_part=part is not None))
    decision = _decision(session, account, request, is_granted=part is not None)
    return replace(decision, asks_for_order=what_fits.may_be_in_part(account, request) and request.least is None)


def adjust(
    session: Session, request: CreditRequest, now: datetime, *, is_forced: bool, keeps_part: bool = False
) -> Decision:
    """Commit a changed order's total less what is invoiced of it. More needs its money unless forced; less is always granted.

    Nothing is forced for an order that is in part and `keeps_part`: its hold went because of that, and nobody has let go more.
    """
    total = request.amount
    account = credit.taken(session, request.customer_id, total.currency)
    held = credit.commitment(session, request.order_id)
    check_account(held, request.customer_id, total.currency)
    request = on_its_terms(request, held)
    billed = invoices.billed_total(session, request.order_id, total.currency)
    adding = amount_to_adjust(request.counted, billed, held)
    is_kept = keeps_part and what_fits.is_in_part(session, request.order_id)
    if adding.minor <= 0 or (is_forced and not is_kept):
        _move(session, request.customer_id, request.payment_method, adding)
    elif not _take(session, account, request, adding, held, now):
        return _wait(session, account, request, adding, held, now)
    if held is not None and adding.minor <= 0:
        credit.reduce_commitment(session, held, request, -adding)
    elif adding.minor:
        credit.record_commitment(session, request, adding)
    if what_fits.is_in_part(session, request.order_id):
        what_fits.notify_rest(session, request.order_id, adding - adding, now)
    waits.remove(session, request.order_id)
    if adding.minor < 0:
        _let_go(session, request.order_id, request.payment_method, now)
        grant_waiting(session, request.customer_id, total.currency, now)
    return _decision(session, account, request, is_granted=True)


def release(session: Session, order_id: str, now: datetime, *, keeps_card: bool = False) -> Money | None:
    """Give back what remains of an order's commitment and say how much; None when it never committed anything.

    What is authorized on its card is let go, unless something is to be captured of it later, as a fee.
    """
    waiting = waits.of_order(session, order_id)
    known = credit.commitment(session, order_id) or (waiting.request if waiting else None)
    if known is None:
        _let_go(session, order_id, "" if keeps_card else CARD, now)
        return None
    currency = known.amount.currency
    credit.take(session, known.customer_id, currency)
    waits.remove(session, order_id)
    # read again: an invoice may have taken its part, or a payment granted the order, while this waited for the account
    held = credit.commitment(session, order_id)
    if held is None:
        _let_go(session, order_id, "" if keeps_card else CARD, now)
        return None
    give_up(session, held)
    _let_go(session, order_id, "" if keeps_card else held.payment_method, now)
    grant_waiting(session, known.customer_id, currency, now)
    return held.remaining


def _let_go(session: Session, order_id: str, payment_method: str, now: datetime) -> None:
    if payment_method == CARD:
        let_go_if_over(session, order_id, now)


def give_up(session: Session, held: Commitment) -> None:
    """An order commits nothing any more; the account is taken."""
    credit.release_commitment(session, held)
    _move(session, held.customer_id, held.payment_method, -held.remaining)


def _move(session: Session, customer_id: str, payment_method: str, adding: Money) -> None:
    """Count what an order commits, or less, in its customer's exposure; what is on a card is none of it."""
    if counts_as_committed(payment_method):
        credit.move(session, customer_id, committed=adding, receivable=Money.zero(adding.currency))


def grant_waiting(session: Session, customer_id: str, currency: str, now: datetime) -> None:
    """Commit the orders of a customer's family that wait and fit now, the longest waiting first, and tell of each.

    Of one whose customer ships what fits, as much as there is room for. The account is taken.
    """
    if not waits.of_family(session, customer_id, currency):
        return
    credit.take(session, customer_id, currency)  # its parent may have changed while the caller waited for the account
    found = waits.of_family(session, customer_id, currency)
    accounts = {name: credit.account(session, name, currency) for name in {one.request.customer_id for one in found}}
    stopped = {name for name, one in accounts.items() if one and families.is_stopped(session, one, now)}
    ids = [one.request.order_id for one in found]
    held, cash = credit.commitments(session, ids), deposits.cash_of_orders(session, ids, currency)
    billed = invoices.billed_totals(session, ids, currency)
    for one in found:
        request, order_id = one.request, one.request.order_id
        adding = amount_to_adjust(request.amount, billed[order_id], held.get(order_id))
        if adding.minor <= 0:  # it was invoiced before it asked: a channel that has its money lets such orders pass
            waits.remove(session, order_id)
            continue
        account = accounts[request.customer_id]
        assert account is not None, "who waits has an account"
        known = _Known(cash[order_id], request.customer_id in stopped)
        if _take(session, account, request, adding, held.get(order_id), now, known):
            waits.remove(session, order_id)
            _grant(session, one, adding, now)
            if one.is_in_part:
                what_fits.notify_rest(session, order_id, adding - adding, now)
            continue
        part = what_fits.take(session, account, one, adding, held.get(order_id), is_stopped=known.is_stopped)
        if part is not None and part.minor:
            waits.put(session, replace(one, is_in_part=True))
            _grant(session, one, part, now)
            what_fits.notify_rest(session, order_id, adding - part, now)


def _grant(session: Session, waited: Waiting, adding: Money, now: datetime) -> None:
    """Record what is committed to an order that has waited, and tell of it; who is in part has been granted already."""
    request = waited.request
    credit.record_commitment(session, request, adding)
    log.info("credit.granted_later", order_id=request.order_id, is_rest=waited.is_in_part)
    if not waited.is_in_part:
        detail = fact_wire.credit_fact(CreditGranted(request))
        emit_fact(session, detail, order_id=request.order_id, subject_id=request.order_id, now=now)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a caller has read already: an order's own cash, and whether overdue invoices stop its customer's credit."""

    cash: OrderCash
    is_stopped: bool


def _take(
    session: Session,
    account: Account,
    request: CreditRequest,
    adding: Money,
    held: Commitment | None,
    now: datetime,
    known: _Known | None = None,
) -> bool:
    """Whether the order's money is there: its own cash, or its card for all that is not invoiced, or credit for what it adds."""
    if request.payment_method == CARD:
        uninvoiced = adding + held.remaining if held else adding
        authorized = authorizations.of_order(session, request.order_id)
        return not uninvoiced.minor or cards.usable(authorized, uninvoiced, now) is not None
    if not adding.minor:
        return True
    cash = known.cash if known else deposits.cash_of(session, request.order_id, adding.currency)
    if missing_cash(request, cash).minor:
        return False
    if not counts_against_limit(request.payment_method):
        _move(session, request.customer_id, request.payment_method, adding)
        return True
    is_stopped = known.is_stopped if known else families.is_stopped(session, account, now)
    if is_stopped or not families.have_room(session, account, request.order_id, adding):
        return False
    return credit.commit_within_limit(session, request.customer_id, request.order_id, adding)


def _decision(session: Session, account: Account, request: CreditRequest, *, is_granted: bool) -> Decision:
    """The decision, and how the order's card stands, if it is paid by one."""
    card = ""
    if request.payment_method == CARD:
        known, currency = operations.of_order(session, request.order_id), request.amount.currency
        card = cards.card_money((), known, currency, is_by_card=True).standing
    return Decision(is_granted, account.exposure, account.limit, card)

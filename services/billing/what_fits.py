"""The part of an order that fits under its customer's limits, inside the caller's transaction: it may ship, and the rest waits."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from services.billing import fact_wire
from services.billing.domain.credit import TERMS, Account, Commitment, CreditRequest, Waiting
from services.billing.domain.facts import CreditRestChanged
from services.billing.domain.fitting import units_that_fit
from services.billing.domain.invoices import BillableOrder
from services.billing.store import credit, families, invoices, waits
from services.kernel.money import Money
from services.runtime.facts import emit_fact


def take(
    session: Session, account: Account, waiting: Waiting, adding: Money, held: Commitment | None, *, is_stopped: bool
) -> Money | None:
    """Count what there is room for of `adding` in the customer's exposure and say how much; the family is taken.

    None where the order waits whole: for a customer who wants that, and while nothing of it fits that is of use. An order that is in part stays
    so, whatever its customer wants for others; no room, and credit that overdue invoices have stopped, add nothing to it and take
    nothing away.
    """
    request = waiting.request
    if request.payment_method != TERMS or not (account.terms.ships_what_fits or waiting.is_in_part):
        return None
    nothing = Money.zero(adding.currency)
    room = nothing if is_stopped else families.room(session, account, request.order_id, adding.currency)
    part = min(max(room, nothing), adding)
    has_part = held is not None and not held.is_released
    if not part.minor or (request.least is not None and part < request.least and not has_part):
        return nothing if has_part else None
    credit.move(session, request.customer_id, committed=part, receivable=nothing)
    return part


def may_be_in_part(account: Account, request: CreditRequest) -> bool:
    """Whether a part of an order may be granted."""
    return account.terms.ships_what_fits and request.payment_method == TERMS


def keep(session: Session, request: CreditRequest, held: Commitment, now: datetime) -> bool:
    """Whether an order keeps what it has, now that it says from what on a part is of use; else it waits whole, and gives that up."""
    waiting = waits.of_order(session, request.order_id)
    if waiting is None or request.least is None:
        return True
    is_of_use = held.remaining + held.invoiced >= request.least
    waits.put(session, Waiting(request, waiting.waiting_since, is_in_part=is_of_use))
    if not is_of_use:
        notify_rest(session, request.order_id, Money.zero(request.amount.currency), now)
    return is_of_use


def notify_rest(session: Session, order_id: str, rest: Money, now: datetime) -> None:
    """Tell how much of an order waits for room from now on."""
    detail = fact_wire.rest_fact(CreditRestChanged(order_id, rest))
    emit_fact(session, detail, order_id=order_id, subject_id=order_id, now=now)


def covered_units(
    session: Session, order: BillableOrder, released: Mapping[str, int], wanted: Mapping[str, int]
) -> Mapping[str, int]:
    """Line id → units that may be released by now, `released` included, of an order that is in part."""
    held = credit.commitment(session, order.order_id)
    covered = held.remaining if held is not None else Money.zero(order.currency)
    so_far = invoices.billed_so_far(session, order.order_id, order.currency)
    return units_that_fit(order, released, wanted, so_far, covered)


def is_in_part(session: Session, order_id: str) -> bool:
    """Whether an order waits for room for the rest of it."""
    waiting = waits.of_order(session, order_id)
    return waiting is not None and waiting.is_in_part

"""Orders whose tax the engine had not said: asked about again, and made anew as the version that has its tax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from services.orders.approvals.holds import notify_owners
from services.orders.changes.propose import MAX_CHANGES, change_of, logged
from services.orders.changes.taxing import determination_of
from services.orders.domain import mails
from services.orders.domain.changes import TAX_DETERMINED, ChangeRequest, Difference
from services.orders.domain.exceptions import TAX_MISSING
from services.orders.domain.holds import TAX_HOLD, Hold, is_for_tax, remaining
from services.orders.domain.mails import Contacts
from services.orders.domain.order import IN_REVIEW, Order
from services.orders.domain.policies import Violation
from services.orders.domain.proposals import Proposal
from services.orders.domain.tax_engine import Quote, TaxQuery, determined, query_of, taxed_by
from services.orders.order import exceptions, outbox
from services.orders.order.acts import Act
from services.orders.order.aggregate import (
    Actor,
    OrderAggregate,
    advance,
    note_event,
    read,
    read_asked,
    read_for_change,
    restate,
)
from services.orders.store import changes as store
from services.orders.store import holds as hold_store
from services.orders.store import masterdata
from services.runtime import sessions

ENGINE_ACTOR = Actor("tax engine", "service")
LONG = timedelta(minutes=15)
"""How long an engine may be away until accounting is told: most are back sooner, and nobody has to do anything."""
DETERMINED, REFUSED, AWAY = "determined", "refused", "away"
_REASON = "The tax of the order is known now."


def waiting(session: Session) -> dict[str, int]:
    """Order id → version of the orders that wait for their tax, the oldest first."""
    return hold_store.orders_held_by(session, TAX_HOLD)


def asks(session: Session, order_id: str, now: datetime) -> TaxQuery | None:
    """What the engine is to be asked about an order that waits for its tax; None while something else has the order."""
    found = read(session, order_id)
    return _query(session, found, now) if _is_determinable(session, found) else None


def settle(session: Session, order_id: str, quote: Quote, contacts: Contacts, now: datetime) -> str:
    """What came of asking: the order with its tax is put on its way to its workflow, or its hold says why there is none.

    Without an engine our own rates count. Gives DETERMINED, REFUSED, AWAY, or nothing where nothing is to be done.
    """
    before = read_for_change(session, order_id)
    if not _is_determinable(session, before):
        return ""
    query = _query(session, before, now)
    own = determination_of(session, before.order, before.order.ship_to, query.on)
    answer = quote.answers(query)
    if quote.is_own:
        becomes = taxed_by(before.order, own)
    elif answer is not None:
        becomes = determined(before.order, query, answer, own)
    else:
        return _say_why(session, before, quote, query, contacts, now)
    _put_on_its_way(session, before, replace(becomes, version=before.order.version + 1), now)
    return DETERMINED


def _is_determinable(session: Session, found: OrderAggregate) -> bool:
    order = found.order
    is_free = found.asked.change is None and not hold_store.open_cancellation(session, order.order_id)
    is_waiting = order.phase == IN_REVIEW and order.taxation.is_pending
    return is_waiting and is_free and store.count(session, order.order_id) <= MAX_CHANGES


def _query(session: Session, found: OrderAggregate, now: datetime) -> TaxQuery:
    """It goes where it goes by now, at the rates of the day it was placed, under a certificate that covers that place."""
    order = found.order
    on = order.taxation.tax_on or sessions.business_day(session, now)
    own = determination_of(session, order, order.ship_to, on)
    return query_of(replace(order, taxation=replace(order.taxation, exemption=own.exemption)), on)


def _say_why(
    session: Session, before: OrderAggregate, quote: Quote, query: TaxQuery, contacts: Contacts, now: datetime
) -> str:
    """Have the hold say what keeps the tax, and tell its owner when that needs a person or lasts."""
    [hold] = _tax_holds(before)
    if quote.query != query:
        return ""
    reason = tax_hold_reason(quote)
    if hold.reason != reason:
        hold_store.rephrase(session, hold.hold_id, reason)
    if quote.is_refused or now - hold.placed_at >= LONG:
        known = exceptions.list_open(session, before.order_id)
        exceptions.open_exception(session, before.order_id, TAX_MISSING, hold.hold_id, reason, now)
        if not any(one.subject_id == hold.hold_id for one in known):
            notify_owners(session, before, [replace(hold, reason=reason)], contacts, now)
    return REFUSED if quote.is_refused else AWAY


def tax_hold_reason(quote: Quote) -> str:
    """What the hold on an order without its tax tells its owner."""
    if not quote.is_refused:
        why = f" It {quote.problem}." if quote.problem else ""
        return f"The tax engine has not said the tax of this order.{why} It is asked again, and the order goes on, by itself."
    if quote.is_address:
        return f"The tax engine refuses the address ({quote.problem}): correct it by a change of the order, or cancel the order."
    todo = "have an administrator compare its settings with ours. It is asked again, and the order goes on, by itself."
    return f"The tax engine refuses the order ({quote.problem}): {todo}"


def _tax_holds(found: OrderAggregate) -> list[Hold]:
    return [hold for hold in remaining(found.holds) if is_for_tax(hold)][:1]


def _put_on_its_way(session: Session, before: OrderAggregate, becomes: Order, now: datetime) -> None:
    """The version with the tax as a change that is agreed: its workflow adjusts credit and makes it, and the rules are asked."""
    order = before.order
    rows = [Difference("tax", "Tax", "not known", str(becomes.totals.tax))]
    if order.totals.total != becomes.totals.total:
        rows.append(Difference("total", "Total", str(order.totals.total), str(becomes.totals.total)))
    given = Proposal(
        before=order,
        after=becomes,
        difference=tuple(rows),
        kinds=(TAX_DETERMINED,),
        is_material=True,
        is_favorable=False,
        needs_consent=False,
        needs_recall=False,
        obstacles=(),
    )
    change = change_of(before, ChangeRequest(_REASON), given, ENGINE_ACTOR, timedelta(), now)
    act = Act(ENGINE_ACTOR.who, "said the tax")
    intent_id = outbox.refresh(session, order.order_id, "amend", change.change_id, act, now, rests=timedelta())
    store.add(session, change, order, becomes, intent_id)
    after = restate(session, replace(before, asked=read_asked(session, order.order_id)), now)
    note_event(session, before, after, ENGINE_ACTOR, "tax_determined", now, more=logged(change))


def rejected(
    session: Session, aggregate: OrderAggregate, blocks: Sequence[Violation], actor: Actor, now: datetime
) -> OrderAggregate:
    """The order at the version with its tax, rejected by the rules as it would have been when it was validated. The caller restates."""
    sentences = list(dict.fromkeys(one.message for one in blocks))
    after = advance(session, aggregate, "reject", actor, now, " ".join(sentences))
    customer = masterdata.customer(session, after.order.customer_id)
    outbox.mail(session, after.order, mails.order_rejected(customer, sentences), now)
    return after

"""Asking for a return: what may come back is checked, and a small one is authorized at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from services.kernel.currencies import DECIMALS
from services.kernel.ids import new_id
from services.orders.access.matrix import Caller
from services.orders.changes.propose import actor_of
from services.orders.domain.mails import Contacts
from services.orders.domain.masterdata import Product
from services.orders.domain.not_returnable import as_shown, check_returnable
from services.orders.domain.order import Line, Order
from services.orders.domain.return_policy import ReturnsRule
from services.orders.domain.returnable import LineToReturn, Returnable, lines_of, returnable, value_of
from services.orders.domain.returns import AUTHORIZED, REQUESTED, FeeRule, Return, ReturnLine
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, note_event, read, read_for_change, restate
from services.orders.policies import evaluate, versions
from services.orders.returns.changing import label_sent_at, logged, notify, show
from services.orders.store import masterdata
from services.orders.store import returns as store


def request(
    session: Session,
    order_id: str,
    caller: Caller,
    lines: Sequence[LineToReturn],
    reason: str,
    contacts: Contacts,
    now: datetime,
    override_reason: str = "",
) -> Return:
    """Store a return that may be, and have its workflow started; refusals name the most that may come back.

    Support takes back what is not returnable for an `override_reason`.
    """
    before = read_for_change(session, order_id, caller.scope)
    policy = versions.policy_in_force(session)
    rule, others = policy.returns, store.of_order(session, order_id)
    wanted = lines_of(before.order, before.progress, others, lines, now, timedelta(days=rule.window_days))
    role, products = actor_of(caller).role, _products(session, wanted)
    override = check_returnable(wanted, products, role, override_reason)
    found = _new(session, before.order, wanted, reason, actor_of(caller), rule, now)
    found = replace(found, override_reason=override)
    if _is_small(session, before.order, wanted, rule, now):
        valid = now + timedelta(days=rule.valid_days)
        found = replace(found, state=AUTHORIZED, is_automatic=True, decided_at=now, valid_until=valid)
        found = replace(found, label_sent_at=label_sent_at(session, before.order, now))
    store.add(session, found)
    after = restate(session, show(before, [*others, found]), now)
    actor = actor_of(caller)
    note_event(session, before, after, actor, "return_requested", now, why=reason, more=logged(found))
    if found.is_automatic:
        by, why = (
            Actor("policy", "service"),
            f"worth no more than {rule.automatic_up_to} {policy.currency or found.currency}",
        )
        note_event(session, after, after, by, "return_authorized", now, why=why, more=logged(found))
    notify(session, after.order, None, found, contacts, now)
    outbox.start_return(session, found, now)
    return found


def _products(session: Session, lines: Iterable[Line | ReturnLine]) -> Mapping[str, Product]:
    """SKU → product as the catalog has it now, which says whether it may come back."""
    return masterdata.products_of(session, sorted({line.sku for line in lines}))


def _new(
    session: Session,
    order: Order,
    lines: tuple[ReturnLine, ...],
    reason: str,
    actor: Actor,
    rule: ReturnsRule,
    now: datetime,
) -> Return:
    return Return(
        return_id=new_id("rma"),
        number=store.next_number(session),
        order_id=order.order_id,
        order_number=order.number,
        state=REQUESTED,
        lines=lines,
        reason=reason,
        requested_by=actor.who,
        requested_role=actor.role,
        requested_at=now,
        currency=order.currency,
        fee=FeeRule(Decimal(rule.fee_percent)),
    )


def _is_small(session: Session, order: Order, lines: Sequence[ReturnLine], rule: ReturnsRule, now: datetime) -> bool:
    """Whether its goods are worth no more than what needs no review; without an exchange rate nobody knows."""
    policy = versions.policy_in_force(session)
    amounts = evaluate.amounts_of(session, policy, order.currency, now)
    if amounts is None:
        return False
    worth = Decimal(amounts.minor(value_of(order, lines).minor)).scaleb(-DECIMALS[amounts.currency])
    return worth <= Decimal(rule.automatic_up_to)


def options(session: Session, order_id: str, caller: Caller, now: datetime) -> dict[str, Returnable]:
    """Line id → what of it may come back now, in line order."""
    found = read(session, order_id, caller.scope)
    window = timedelta(days=versions.policy_in_force(session).returns.window_days)
    others = store.of_order(session, order_id)
    role, products = actor_of(caller).role, _products(session, found.order.lines)
    offered = {
        line.line_id: returnable(found.order, found.progress, others, line, now, window) for line in found.order.lines
    }
    skus = {line.line_id: line.sku for line in found.order.lines}
    return {key: as_shown(one, products.get(skus[key]), role) for key, one in offered.items()}

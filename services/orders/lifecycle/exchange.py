"""Exchanges: a return with the orders that replace its goods, placed when they are counted, or in advance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from services.kernel.errors import Refused
from services.kernel.money import Money, UnitPrice, exact_share, extend
from services.orders.access.matrix import Caller
from services.orders.domain.exchange_terms import paid_by
from services.orders.domain.mails import Contacts
from services.orders.domain.mails.replacements import replacement_mail
from services.orders.domain.order import CARD, PREPAID_CHANNELS, Order, PlaceLine, PlaceOrder
from services.orders.domain.projection import Exchange
from services.orders.domain.replacements import ADVANCE, PLACER, Replacement
from services.orders.domain.return_steps import NextStep, next_step
from services.orders.domain.returnable import LineToReturn
from services.orders.domain.returns import (
    AUTHORIZED,
    CANCELLED,
    EXPIRED,
    FeeRule,
    Return,
    ReturnLine,
)
from services.orders.domain.tax_engine import NOTHING_ASKED, OWN
from services.orders.domain.tax_parts import OWN_RATES
from services.orders.lifecycle import cancel as cancelling
from services.orders.lifecycle import place as placing
from services.orders.order import outbox
from services.orders.order.aggregate import Actor, OrderAggregate, note_event, read, read_for_change, restate
from services.orders.returns import advance as advancing
from services.orders.returns import ask, decide
from services.orders.returns.advance import CREDITED, NETTED, SETTLED, Done
from services.orders.store import cards, masterdata
from services.orders.store import replacements as store
from services.orders.store import returns as return_store
from services.runtime.auth import MACHINE_ISSUER, Principal

log = structlog.get_logger()
PAYMENT_SETTLED = "payment_settled"
WORKFLOW = Actor("workflow", "service")
_PLACER = Caller(Principal(PLACER, frozenset({"service"}), issuer=MACHINE_ISSUER), "all")


def request(
    session: Session,
    order_id: str,
    caller: Caller,
    lines: Sequence[LineToReturn],
    reason: str,
    contacts: Contacts,
    now: datetime,
    override_reason: str = "",
    *,
    is_advance: bool = False,
) -> Return:
    """Ask for a return, and have what replaces its goods leave at once where it is authorized and in advance."""
    found = ask.request(session, order_id, caller, lines, reason, contacts, now, override_reason, is_advance=is_advance)
    return _in_advance(session, found, contacts, now)


def authorize(
    session: Session,
    return_id: str,
    caller: Caller,
    note: str,
    contacts: Contacts,
    now: datetime,
    fee: FeeRule | None = None,
) -> Return:
    """Authorize a return, and have what replaces its goods in advance leave at once."""
    return _in_advance(session, decide.authorize(session, return_id, caller, note, contacts, now, fee), contacts, now)


def advance(session: Session, return_id: str, done: Done, contacts: Contacts, now: datetime) -> tuple[Return, NextStep]:
    """Record what was done for a return, place and start what replaces its goods, and say what comes next."""
    before = return_store.get(session, return_id)
    if done.what == SETTLED:
        _settle(session, before, now)
    found, following = advancing.advance(session, return_id, done, contacts, now)
    inspection = next((one for one in found.inspections if one.inspection_id == done.inspection_id), None)
    if done.what == CREDITED and inspection is not None and not found.is_advance:
        found = _place(session, found, inspection.inspection_id, found.replaced(inspection), contacts, now)
        following = next_step(found)
    if done.what == NETTED and inspection not in before.inspections:
        _start(session, found, done.inspection_id, now)
    if found.state in (CANCELLED, EXPIRED):
        _cancel_unshipped(session, found, now)
    return found, following


def _in_advance(session: Session, found: Return, contacts: Contacts, now: datetime) -> Return:
    if not found.is_advance or found.state != AUTHORIZED:
        return found
    units = {line.line_id: line.replace_quantity for line in found.lines if line.replace_quantity}
    return _place(session, found, ADVANCE, units, contacts, now)


def _place(
    session: Session, found: Return, subject: str, units: Mapping[str, int], contacts: Contacts, now: datetime
) -> Return:
    """The return with the orders that bring so many units of its lines: those with documents apart; none is placed twice."""
    original, added = read(session, found.order_id), []
    for is_documented in (False, True):
        lines = [line for line in found.lines if units.get(line.line_id) and line.is_documented == is_documented]
        is_known = any((one.subject, one.is_documented) == (subject, is_documented) for one in found.replacements)
        if not lines or is_known:
            continue
        command = _command(found, original.order, lines, units, subject, is_documented=is_documented)
        if command.payment_method == CARD:
            command = replace(command, card_token=cards.token_of(session, found.order_id))
        quote = OWN if original.order.taxation.source == OWN_RATES else NOTHING_ASKED
        placed = placing.place(session, command, _PLACER, now, quote=quote)
        placing.mark_started(session, placed)  # nobody waits for it, so it starts at once, or once its credit is there
        if not is_documented or subject == ADVANCE:
            outbox.start(session, placed.order, now, timedelta())
        one = Replacement(
            placed.order_id, placed.number, subject, is_documented,
            {line.line_id: units[line.line_id] for line in lines},
            {line.line_id: str(position) for position, line in enumerate(lines, start=1)},
        )  # fmt: skip
        store.add(session, found.return_id, one, now)
        added.append(one)
        _notify(session, original, found, one, placed.order, contacts, now)
    return replace(found, replacements=(*found.replacements, *added))


def _command(
    found: Return,
    original: Order,
    lines: Sequence[ReturnLine],
    units: Mapping[str, int],
    subject: str,
    *,
    is_documented: bool,
) -> PlaceOrder:
    """The order to be placed: the same SKU at what was paid for it, with its share of the discount, another one at the price that was told."""
    sold = {line.line_id: line for line in original.lines}
    return PlaceOrder(
        idempotency_key=f"{found.return_id}/{subject}/{'documents' if is_documented else 'exchange'}",
        channel=original.channel if original.channel not in PREPAID_CHANNELS else "phone",
        customer_id=original.customer_id,
        currency=original.currency,
        lines=tuple(
            PlaceLine(
                line.replace_sku,
                units[line.line_id],
                UnitPrice.parse(line.replace_price, original.currency)
                if is_documented
                else sold[line.line_id].unit_price,
            )
            for line in lines
        ),
        ship_to=original.ship_to,
        payment_method=paid_by(original, is_advance=subject == ADVANCE, is_documented=is_documented),
        discount=None if is_documented else _discount(original, lines, units),
        is_exchange=not is_documented,
        note=f"In place of goods of {found.number}",
    )


def _discount(original: Order, lines: Sequence[ReturnLine], units: Mapping[str, int]) -> Money | None:
    """What of the order's discount fell on these units."""
    sold = {line.line_id: line for line in original.lines}
    if not original.totals.discount.minor:
        return None
    worth = Money.total(
        (extend(sold[line.line_id].unit_price, units[line.line_id]) for line in lines), original.currency
    )
    return min(exact_share(original.totals.discount, worth.minor, original.totals.merchandise.minor), worth)


def _notify(
    session: Session,
    original: OrderAggregate,
    found: Return,
    one: Replacement,
    order: Order,
    contacts: Contacts,
    now: datetime,
) -> None:
    """The log of the order names what replaces its goods, and its customer is told what comes."""
    note_event(
        session, original, original, WORKFLOW, "replacement_placed", now, why=f"{order.number} for {found.number}"
    )
    customer = masterdata.customer(session, original.order.customer_id)
    outbox.mail(session, original.order, replacement_mail(found, one, order, customer, contacts), now)


def _start(session: Session, found: Return, inspection_id: str, now: datetime) -> None:
    """What was placed beside a credit lives from when that pays it."""
    for one in found.replacements:
        if one.subject == inspection_id and one.is_documented:
            outbox.start(session, read(session, one.order_id).order, now, timedelta())


def _settle(session: Session, found: Return, now: datetime) -> None:
    """It is known what of an order in advance is charged; one that has nothing more to be paid may close."""
    for one in found.replacements:
        if not one.is_unsettled:
            continue
        store.settle(session, one.order_id, now)
        before = read_for_change(session, one.order_id)
        charged = Exchange(is_open=False, charged=found.charged(one))
        after = restate(session, replace(before, progress=replace(before.progress, exchange=charged)), now)
        note_event(session, before, after, WORKFLOW, "exchange_settled", now, why=f"{found.number} has ended")
        if after.is_settled and not before.is_settled:
            outbox.signal(session, one.order_id, PAYMENT_SETTLED, now)


def _cancel_unshipped(session: Session, found: Return, now: datetime) -> None:
    """What was sent in advance for goods that never came is canceled unless it has left."""
    asked = replace(cancelling.ALL, waived_reason=f"{found.number} has ended")
    for one in found.replacements:
        try:
            cancelling.request(session, one.order_id, _PLACER, f"{found.number} is {found.state}", now, asked=asked)
        except Refused as refusal:
            log.info("replacement.kept", order_id=one.order_id, reason=refusal.reason)

"""What orders asks others to do after the commit: mails, workflow starts, signals, cancellations and refreshes, as outbox rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from services.orders.domain.cancellation import Cancellation
from services.orders.domain.facts import SOURCING_ASKED, STOCK_ALLOCATED
from services.orders.domain.mails import Mail, Recipient, named
from services.orders.domain.order import Order
from services.orders.domain.returns import Return
from services.orders.order.acts import Act
from services.orders.store import facts, people
from services.runtime import outbox

NOTIFY = "notify"
START = "order_placed"
RESUME = "workflow_resumed"
SIGNAL = "signal"
STOCK_SIGNAL = "stock_signal"
"""A signal that stock has come: one receipt may owe it to thousands of orders, so those go on a few at a time, behind nobody."""

CANCEL = "cancellation_requested"
REFRESH = "people_decided"
START_RETURN, RETURN_SIGNAL = "return_started", "return_signal"
RETURN_DECIDED, RETURN_INSPECTED, RETURN_CANCELLED = "return_decided", "return_inspected", "return_cancelled"
"""Signals to the workflow of a return, by what happened."""

CALLER_FIRST = timedelta(seconds=8)
"""How long the relay leaves a start or a cancellation to the request that is about to carry it out itself."""


def mail(session: Session, order: Order, mail: Mail, now: datetime) -> None:
    """Notify people by name; nothing when nobody has a mailbox."""
    if not mail.recipients:
        return
    detail: dict[str, Any] = {
        "mail": mail.kind,
        "order_number": order.number,
        "recipients": [
            {"email": each.email, "name": each.name, "role": each.role} for each in _named(session, mail.recipients)
        ],
        "variables": dict(mail.variables),
    }
    if mail.attachment:
        detail["attachment"] = asdict(mail.attachment)
    outbox.emit(session, kind=NOTIFY, order_id=order.order_id, subject_id=mail.kind, detail=detail, now=now)


def mail_person(session: Session, kind: str, to: Recipient, variables: Mapping[str, Any], now: datetime) -> None:
    """Notify one person of something that is about no order."""
    detail = {
        "mail": kind,
        "order_number": "",
        "recipients": [{"email": to.email, "name": to.name, "role": to.role}],
        "variables": dict(variables),
    }
    outbox.emit(session, kind=NOTIFY, subject_id=kind, detail=detail, now=now)


def _named(session: Session, recipients: Sequence[Recipient]) -> Sequence[Recipient]:
    """The recipients with their names; the directory is asked only about those who have none."""
    unnamed = [each for each in recipients if not each.name]
    if not unnamed:
        return recipients
    return named(recipients, people.staff_of(session, [each.sub for each in unnamed], [each.email for each in unnamed]))


def terms(order: Order) -> dict[str, Any]:
    """What the order's workflow is started with: the members of workflows.messages.OrderRef."""
    return {
        "order_id": order.order_id,
        "number": order.number,
        "version": order.version,
        "customer_id": order.customer_id,
        "customer_name": order.customer_name,
        "channel": order.channel,
        "po_number": order.po_number,
        "total_minor": order.totals.total.minor,
        "currency": order.currency,
        "total_text": f"{order.totals.total.amount:,f} {order.currency}",
        "payment_method": order.payment_method,
        "bill_to_id": order.bill_to_id,
        "is_ship_complete": order.is_ship_complete,
        "clears_releases": True,
        "reads_truth": True,
        "pays_by_card": order.pays_by_card,
    }


def start(session: Session, order: Order, now: datetime, rests: timedelta = CALLER_FIRST) -> str:
    """The intent to start the order's workflow; gives its id. The relay takes it when the request could not, or at once where none is at work."""
    rests_until = now + rests
    return outbox.emit(
        session, kind=START, order_id=order.order_id, detail=terms(order), now=now, not_before=rests_until
    )


def resume(session: Session, order: Order, number: int, now: datetime) -> str:
    """The intent to start the order's workflow again, for the n-th time; gives its id."""
    detail = terms(order) | {"resumption": number}
    return outbox.emit(session, kind=RESUME, order_id=order.order_id, detail=detail, now=now)


def signal(
    session: Session,
    order_id: str,
    name: str,
    now: datetime,
    *,
    fact_id: str = "",
    subject_id: str = "",
    is_complete: bool = False,
) -> None:
    """A signal to the order's workflow; `fact_id` is the fact behind it and becomes the signal's request id.

    One fact may owe two signals, so the name is part of the id; without a fact the outbox row's own id serves.
    """
    detail = {"signal": name, "fact_id": f"{fact_id}/{name}" if fact_id else "", "is_complete": is_complete}
    outbox.emit(session, kind=_kind_of(name), order_id=order_id, subject_id=subject_id, detail=detail, now=now)


def _kind_of(name: str) -> str:
    return STOCK_SIGNAL if name in (STOCK_ALLOCATED, SOURCING_ASKED) else SIGNAL


def resignal(
    session: Session, order_id: str, name: str, fact_id: str, subject_id: str, now: datetime, *, is_complete: bool
) -> None:
    """A signal that came too late once more, under the id it had."""
    detail = {"signal": name, "fact_id": fact_id, "is_complete": is_complete}
    outbox.emit(session, kind=_kind_of(name), order_id=order_id, subject_id=subject_id, detail=detail, now=now)


def start_return(session: Session, found: Return, now: datetime) -> None:
    """The intent to start the workflow of a return, or to start it again, unless it runs."""
    detail = {
        "return_id": found.return_id,
        "number": found.number,
        "order_number": found.order_number,
        "units": found.announced,
    }
    outbox.emit(session, kind=START_RETURN, order_id=found.order_id, subject_id=found.return_id, detail=detail, now=now)


def signal_return(session: Session, found: Return, name: str, now: datetime, *, fact_id: str = "") -> None:
    """A signal to the workflow of a return; it reads what happened. `fact_id` is the fact behind it, and makes a repeat harmless."""
    detail = {"signal": name, "number": found.number, "fact_id": fact_id}
    outbox.emit(
        session, kind=RETURN_SIGNAL, order_id=found.order_id, subject_id=found.return_id, detail=detail, now=now
    )


def cancel(session: Session, cancellation: Cancellation, now: datetime) -> str:
    """The intent to hand a cancellation to the workflow; gives its id. The relay takes it when the request could not."""
    detail = {"cancellation_id": cancellation.cancellation_id, "reason": cancellation.reason}
    subject = cancellation.cancellation_id
    return outbox.emit(
        session,
        kind=CANCEL,
        order_id=cancellation.order_id,
        subject_id=subject,
        detail=detail,
        now=now,
        not_before=now + CALLER_FIRST,
    )


def act_behind(session: Session, intent_id: str) -> Act:
    """Who did what that a refresh() lets the workflow see."""
    detail = facts.detail_of(session, intent_id)
    return Act(str(detail["who"]), str(detail["what"]))


def mark_done(session: Session, intent_id: str) -> None:
    """What an intent asks for is done: the relay need not carry it out, also one of this transaction."""
    outbox.write_gathered_messages(session)
    facts.mark_done(session, intent_id)


def refresh(
    session: Session,
    order_id: str,
    update: str,
    subject_id: str,
    act: Act,
    now: datetime,
    *,
    rests: timedelta = CALLER_FIRST,
) -> str:
    """The intent to let the workflow see a decision (`decide`), an answer (`consent`) or a change (`amend`); gives its id.

    The relay takes it when the request could not: it `rests` for so long, not at all where no request is at work. The workflow
    reads what was decided, a repeat changes nothing, and `act` is for the reader of its history alone.
    """
    detail = {"update": update, "who": act.who, "what": act.what}
    return outbox.emit(
        session,
        kind=REFRESH,
        order_id=order_id,
        subject_id=subject_id,
        detail=detail,
        now=now,
        not_before=now + rests,
    )

"""Writing the version that a change makes: what goes is kept, what comes is told, and the workflow hears what is complete by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from services.orders.approvals import promise_ledger
from services.orders.changes.propose import mailed
from services.orders.domain import mails, projection
from services.orders.domain.changes import ChangeOrder, move
from services.orders.domain.mails import Contacts
from services.orders.domain.order import Order
from services.orders.domain.policies import Violation
from services.orders.domain.promise_ledger import CHANGE
from services.orders.order import outbox
from services.orders.order.aggregate import OrderAggregate, read_asked
from services.orders.store import changes, masterdata, orders, versions
from services.orders.store import holds as hold_store


def make(
    session: Session,
    before: OrderAggregate,
    change: ChangeOrder,
    becomes: Order,
    policy_version: int,
    said: Sequence[Violation],
    now: datetime,
) -> OrderAggregate:
    """Keep the version that goes and write the one that comes; promises of what is gone are no longer made.

    `said` is what the rules of a policy version say of it that counts as decided; nothing does while nobody knows what it comes to.
    The caller restates.
    """
    said = () if becomes.taxation.is_pending else said
    versions.keep(session, before.order, change.change_id, now)
    orders.rewrite(session, becomes)
    changes.alter(session, change.change_id, {"state": move(change.state, "apply"), "ended_at": now})
    hold_store.add_violations(session, before.order_id, becomes.version, policy_version, said)
    after = replace(
        before,
        order=becomes,
        promises=mails.still_promised(becomes, before.promises),
        asked=read_asked(session, before.order_id),
    )
    return promise_ledger.promise(session, after, CHANGE, None, now)


def notify(
    session: Session,
    before: OrderAggregate,
    after: OrderAggregate,
    change: ChangeOrder,
    contacts: Contacts,
    now: datetime,
) -> None:
    """Tell everybody concerned what has changed."""
    mail = mails.order_changed(
        after.order,
        masterdata.customer(session, after.order.customer_id),
        contacts,
        mailed(change.difference),
        total_before=before.order.totals.total,
        reason=change.request.reason,
        is_at_warehouse=any(line.released for line in before.progress.lines.values()),
        is_total_changed=before.order.totals.total != after.order.totals.total,
    )
    outbox.mail(session, after.order, mail, now)


def owe_signals(
    session: Session, before: OrderAggregate, after: OrderAggregate, change: ChangeOrder, now: datetime
) -> None:
    """What the facts said may be all there is to come, now that less is wanted."""
    for name in projection.signals_of_change(before.order, after.order, after.progress):
        outbox.signal(session, after.order_id, name, now, fact_id=change.change_id, subject_id=change.change_id)

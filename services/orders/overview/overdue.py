"""What should have happened by now and did not, as far as orders knows: for the audit, which asks the other services for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from services.kernel.overdue import age, is_overdue
from services.orders.order import lookup
from services.orders.order.aggregate import OrderAggregate, read_many
from services.orders.store import overdue as store
from services.runtime.audit import Finding, finding_of

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Due:
    """The moment of an audit, and how late something may be before it is called overdue."""

    now: datetime
    grace: timedelta

    def is_late(self, since: datetime) -> bool:
        """Whether what has been due since then is overdue."""
        return is_overdue(since, self.now, self.grace)

    def age(self, since: datetime) -> str:
        """How long it has been due, in words."""
        return age(since, self.now)


def unanswered(session: Session, due: Due) -> Finding:
    """What was asked of an order's workflow and has no answer."""
    offenders = [
        f"{number}: {what}, for {due.age(since)}"
        for number, what, since in store.unanswered(session, due.now - due.grace)
    ]
    rule = "What is asked of an order is answered: its rules, its dates, a cancellation, an agreed change."
    return finding_of("overdue.asked_and_not_answered", rule, offenders)


def on_the_way(session: Session, after: str) -> list[OrderAggregate]:
    """A batch of accepted orders behind an id, as far as orders has heard of them; empty at the end."""
    return read_many(session, store.accepted(session, after=after, limit=_BATCH))


def still_holding(session: Session, order_ids: Sequence[str], what: str, due: Due) -> list[str]:
    """Those of the orders that hold something although they have ended, longer ago than the grace, or never were."""
    offenders = []
    for start in range(0, len(order_ids), _BATCH):
        batch = order_ids[start : start + _BATCH]
        known, gone = lookup.numbers(session, batch), store.ended(session, batch)
        offenders += [order_id for order_id in batch if order_id not in known]
        offenders += [
            f"{number}: {phase} {due.age(at)} ago, and holds {what}"
            for number, phase, at in (gone[order_id] for order_id in batch if order_id in gone)
            if due.is_late(at)
        ]
    return offenders

"""Cancelling what has not shipped by the cancel-after day of its order: asked for once, as any cancellation is, and without a fee.

What only people can settle is an exception, and stays settled once they have resolved it, unless the day is moved.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from services.kernel.clock import Clock
from services.kernel.errors import Conflict, Refused
from services.orders.access.matrix import Caller
from services.orders.domain.exceptions import PAST_CANCEL_AFTER
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Asked
from services.orders.order import exceptions
from services.orders.store import exceptions as store
from services.orders.store import orders, past_dates
from services.runtime import sessions
from services.runtime.auth import Principal
from services.runtime.db import Database

log = structlog.get_logger()

PAGE = 200
SYSTEM = Caller(Principal("system", frozenset({"service"})), "all")
_FOR_PEOPLE = frozenset({"BELOW_INVOICED", "TOO_MANY_CHANGES"})
"""Refusals that no time changes."""
_OVER = "It is no longer past its last day to ship, or nothing of it is left to ship."
_AGREED = Asked((), waived_reason="the day was agreed with the order")


def cancel_past_dates(database: Database, clock: Clock) -> list[str]:
    """Ids of the orders of which something was asked to be canceled, each in a transaction of its own.

    What refuses it, such as a change that people decide on, is asked about again the next time. An error that is no refusal keeps no
    other order from its turn; the first is raised at the end.
    """
    asked, known, errors = [], set[str](), list[Exception]()
    for order_id in _past(database, clock):
        known.add(order_id)
        try:
            if _cancelled(database, order_id, clock):
                asked.append(order_id)
        except Exception as error:
            log.exception("order.past_its_date_failed", order_id=order_id)
            errors.append(error)
    with database.transaction() as session:
        exceptions.resolve_all_but(session, PAST_CANCEL_AFTER, known, _OVER, clock())
    if errors:
        raise errors[0]
    return asked


def _past(database: Database, clock: Clock) -> Iterator[str]:
    after = ""
    while True:
        with database.reading() as session:
            today = sessions.business_day(session, clock())
            page = past_dates.past(session, today, SYSTEM.principal.sub, after=after, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1]


def _cancelled(database: Database, order_id: str, clock: Clock) -> bool:
    try:
        with database.transaction() as session:
            last = orders.load(session, order_id).cancel_after
            assert last is not None, "the query names orders with such a day alone"
            reason = f"Not shipped by {last:%b} {last.day}, {last.year}, the last day to ship"
            cancel.request(session, order_id, SYSTEM, reason, clock(), asked=_AGREED)
    except (Refused, Conflict) as refusal:
        log.info("order.not_cancelled", order_id=order_id, reason=refusal.reason)
        if refusal.reason in _FOR_PEOPLE:
            _notify(database, order_id, refusal.message, clock)
        return False
    log.info("order.past_its_date", order_id=order_id)
    return True


def _notify(database: Database, order_id: str, why: str, clock: Clock) -> None:
    """Tell support, unless somebody has resolved that since the day was over."""
    with database.transaction() as session:
        last = orders.load(session, order_id).cancel_after
        resolved = store.last_resolved_by_people(session, PAST_CANCEL_AFTER, order_id)
        if resolved and last and sessions.business_day(session, resolved) > last:
            return
        reason = f"It is past its last day to ship, and what has not shipped cannot be canceled: {why}."
        exceptions.open_exception(session, order_id, PAST_CANCEL_AFTER, order_id, reason, clock())

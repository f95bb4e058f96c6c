"""Cancelling what has not shipped by the cancel-after day of its order: asked for once, as any cancellation is, and without a fee."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from services.kernel.clock import Clock
from services.kernel.errors import Conflict, Refused
from services.orders.access.matrix import Caller
from services.orders.lifecycle import cancel
from services.orders.lifecycle.cancel import Asked
from services.orders.store import orders, past_dates
from services.runtime import sessions
from services.runtime.auth import Principal
from services.runtime.db import Database

log = structlog.get_logger()

PAGE = 200
SYSTEM = Caller(Principal("system", frozenset({"service"})), "all")
_AGREED = Asked((), waived_reason="the day was agreed with the order")


def cancel_past_dates(database: Database, clock: Clock) -> list[str]:
    """Ids of the orders of which something was asked to be canceled, each in a transaction of its own.

    What refuses it, such as a change that people decide on, is asked about again the next time.
    """
    return [order_id for order_id in _past(database, clock) if _cancelled(database, order_id, clock)]


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
        return False
    log.info("order.past_its_date", order_id=order_id)
    return True

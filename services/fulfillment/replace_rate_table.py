"""Replacing the rate table, inside the caller's transaction: what has yet to leave must still have a carrier."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlmodel import Session

from services.fulfillment.domain.rates import Rate, ZoneRule, check_carried
from services.fulfillment.store import rates, shipments
from services.runtime.versioned import check_seen

log = structlog.get_logger()


def replace(session: Session, table: Sequence[Rate], zones: Sequence[ZoneRule], expected: int | None) -> int:
    """The version of the table from now on; the same table again changes nothing.

    Refused VERSION_STALE for another version than the `expected` one, RATE_IN_USE where nobody would carry a shipment any more.
    """
    version = rates.version_of(session)
    known, rules = rates.whole(session)
    if version and set(known) == set(table) and set(rules) == set(zones):
        check_seen(version, expected)
        return version
    taken = rates.replace_rates(session, table, zones, expected)
    check_carried(shipments.to_leave(session), (known, rules), (table, zones))
    log.info("rate_table.replaced", rates=len(table), zones=len(zones))
    return taken

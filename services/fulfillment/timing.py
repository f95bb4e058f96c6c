"""When warehouses take up what comes now, read in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.fulfillment.domain.schedules import Timing
from services.fulfillment.store import schedules
from services.fulfillment.store.rates import Roads


def timing(session: Session, roads: Roads, now: datetime) -> Timing:
    """Of the warehouses that these roads begin at; what waits is counted only where somebody handles no more than so much a day."""
    places = {one.warehouse_id for one in roads.rates}
    known = {place: roads.schedules[place] for place in places & roads.schedules.keys()}
    limited = [place for place, one in known.items() if one.daily_units is not None]
    return Timing(known, schedules.waiting_units(session, limited) if limited else {}, now)

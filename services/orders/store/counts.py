"""Counts for metrics."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session

from services.orders.models import LateFactRow


def late_facts(session: Session) -> int:
    """How many signals came after their workflow had ended."""
    return int(session.execute(select(func.count()).select_from(LateFactRow)).scalar_one())

"""Orders that may not be invoiced by an older version than the one that is being made."""

from datetime import datetime

from sqlalchemy import bindparam, select, text
from sqlmodel import Session

from services.billing.store import tables
from services.runtime.db import UtcDateTime

_row = tables.invoicing_block.c
_PUT = text(
    "INSERT INTO invoicing_block (order_id, least_version, blocked_until) VALUES (:order, :least, :until) "
    "ON CONFLICT (order_id) DO UPDATE SET least_version = excluded.least_version, blocked_until = excluded.blocked_until"
).bindparams(bindparam("until", type_=UtcDateTime()))
_LEAST = select(_row.least_version).where(
    _row.order_id == bindparam("order"), _row.blocked_until > bindparam("now", type_=UtcDateTime())
)


def put(session: Session, order_id: str, least_version: int, until: datetime) -> None:
    """Keep an order from being invoiced by a version below this one; its customer's account is taken."""
    session.execute(_PUT, {"order": order_id, "least": least_version, "until": until})


def least_version(session: Session, order_id: str, now: datetime) -> int:
    """The oldest version that an order may be invoiced by; 0 for any."""
    return int(session.execute(_LEAST, {"order": order_id, "now": now}).scalar_one_or_none() or 0)

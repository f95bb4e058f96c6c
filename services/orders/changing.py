"""Settling change orders: what the saga asks between a change that was agreed and the version that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services.kernel.money import Money
from services.orders.domain.changes import ChangeOrder
from services.orders.domain.clearance import Clearance
from services.orders.domain.order import Order
from services.orders.domain.projection import LineQuantities
from services.orders.dossier import read, read_for_change
from services.orders.rules import Credit
from services.orders.store import changes


@dataclass(frozen=True, slots=True)
class Applied:
    """The order after a change was applied, or as it stays when it could not be; `reason` says why."""

    is_applied: bool
    reason: str
    version: int
    total: Money
    is_ship_complete: bool
    clearance: Clearance


def changed_order(session: Session, order_id: str, change_id: str) -> tuple[Order, dict[str, LineQuantities]]:
    """The order as a pending change will make it, and its lines' quantities; NotFound for a change it does not have."""
    dossier = read(session, order_id)
    _change(session, order_id, change_id)
    return dossier.order, dossier.lines()


def apply(session: Session, order_id: str, change_id: str, credit: Credit, now: datetime) -> Applied:
    """Make an agreed change the next version; a change that was applied before gives the order as it stands."""
    read_for_change(session, order_id)
    change = _change(session, order_id, change_id)
    raise AssertionError(f"{change.state} {credit} {now}")


def record(session: Session, order_id: str, change_id: str, verb: str, reason: str, now: datetime) -> Clearance:
    """Note that the warehouse was asked (recall), or that the change cannot come about (reject)."""
    read_for_change(session, order_id)
    change = _change(session, order_id, change_id)
    raise AssertionError(f"{change.state} {verb} {reason} {now}")


def _change(session: Session, order_id: str, change_id: str) -> ChangeOrder:
    return changes.one(changes.of_order(session, order_id), change_id)

"""Drafts of invoices, the shipments they hold, and the conditional UPDATEs that move them."""

from datetime import date
from typing import Any

from sqlalchemy import Row, bindparam, case, insert, select, text, update
from sqlmodel import Session

from services.billing.domain.drafts import Draft
from services.billing.store import tables
from services.kernel.money import Money
from services.runtime.db import Int64
from services.runtime.statements import changed

OPEN = "open"
"""What may be asked for beside the states: draft or approved."""

_row, _kept = tables.invoice_draft.c, tables.billable_shipment.c
_IS_HELD, _IS_OPEN = text("draft_id <> ''"), text("state IN ('draft', 'approved')")  # the words of their indexes
_ADD = insert(tables.invoice_draft)
_MOVE = (
    update(tables.invoice_draft)
    .where(_row.draft_id == bindparam("id"), _row.state == bindparam("before"))
    .values(
        state=bindparam("after"),
        amount_minor=bindparam("amount", type_=Int64),
        approved_by=bindparam("approver"),
        approved_at=bindparam("approval", type_=_row.approved_at.type),
        ended_by=bindparam("ender"),
        ended_at=bindparam("end", type_=_row.ended_at.type),
        invoice_id=bindparam("invoice"),
    )
)
_HOLD = (
    update(tables.billable_shipment)
    .where(
        _kept.shipment_id.in_(bindparam("shipments", expanding=True)),
        _kept.invoice_id.is_(None),
        _kept.draft_id == "",
    )
    .values(draft_id=bindparam("draft"))
)
_RELEASE = (
    update(tables.billable_shipment)
    .where(_kept.draft_id == bindparam("draft"), _IS_HELD, _kept.invoice_id.is_(None))
    .values(
        draft_id="",
        invoice_on=case(
            ((_kept.invoice_on != "") & (_kept.invoice_on < bindparam("today")), bindparam("today")),
            else_=_kept.invoice_on,
        ),
    )
)
_HELD = (
    select(_kept.draft_id, _kept.shipment_id)
    .where(_kept.draft_id.in_(bindparam("drafts", expanding=True)), _IS_HELD)
    .order_by(_kept.position)
)


def add(session: Session, draft: Draft) -> bool:
    """Keep a draft, which takes hold of its shipments; whether all of them were free."""
    session.execute(
        _ADD,
        {
            "draft_id": draft.draft_id,
            "order_id": draft.order_id,
            "order_number": draft.order_number,
            "customer_id": draft.customer_id,
            "currency": draft.amount.currency,
            "amount_minor": draft.amount.minor,
            "state": draft.state,
            "made_by": draft.made_by,
            "made_at": draft.made_at,
            "approved_by": "",
            "ended_by": "",
        },
    )
    held = changed(session, _HOLD, {"shipments": sorted(draft.shipment_ids), "draft": draft.draft_id})
    return held == len(draft.shipment_ids)


def move(session: Session, before: Draft, after: Draft) -> bool:
    """Record what became of a draft; whether it still was as it was known."""
    terms = {
        "id": after.draft_id,
        "before": before.state,
        "after": after.state,
        "amount": after.amount.minor,
        "approver": after.approved_by,
        "approval": after.approved_at,
        "ender": after.ended_by,
        "end": after.ended_at,
        "invoice": after.invoice_id or None,
    }
    return changed(session, _MOVE, terms) == 1


def release(session: Session, draft_id: str, today: date) -> None:
    """Let the shipments of a draft go; those whose day has passed meanwhile are invoiced today, and not overdue when they are."""
    session.execute(_RELEASE, {"draft": draft_id, "today": today.isoformat()})


def find(session: Session, draft_id: str) -> Draft | None:
    """A draft by identity."""
    return next(iter(page(session, state="", draft_id=draft_id, after="", limit=1)), None)


def page(session: Session, *, state: str, draft_id: str, after: str, limit: int) -> list[Draft]:
    """Drafts by identity, which is their age, beyond `after`; an empty filter does not filter."""
    wanted = select(tables.invoice_draft).where(_row.draft_id > after).order_by(_row.draft_id).limit(limit)
    if state == OPEN:
        wanted = wanted.where(_IS_OPEN)
    elif state:
        wanted = wanted.where(_row.state == state)
    if draft_id:
        wanted = wanted.where(_row.draft_id == draft_id)
    rows = session.execute(wanted).all()
    held = _held(session, [row.draft_id for row in rows]) if rows else {}
    return [_draft(row, tuple(held.get(row.draft_id, ()))) for row in rows]


def _held(session: Session, draft_ids: list[str]) -> dict[str, list[str]]:
    """Draft → the shipments that it holds, of those that hold any."""
    held: dict[str, list[str]] = {}
    for draft_id, shipment_id in session.execute(_HELD, {"drafts": draft_ids}):
        held.setdefault(draft_id, []).append(shipment_id)
    return held


def _draft(row: Row[Any], shipment_ids: tuple[str, ...]) -> Draft:
    return Draft(
        draft_id=row.draft_id,
        order_id=row.order_id,
        order_number=row.order_number,
        customer_id=row.customer_id,
        shipment_ids=shipment_ids,
        amount=Money(row.amount_minor, row.currency),
        made_by=row.made_by,
        made_at=row.made_at,
        state=row.state,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        invoice_id=row.invoice_id or "",
    )

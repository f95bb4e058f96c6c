"""Change orders, and the versions that they replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from services.kernel.errors import NotFound
from services.kernel.money import Money, UnitPrice
from services.orders.domain.changes import PENDING, ChangeOrder, ChangeRequest, Difference, LineChange, SpokenConsent
from services.orders.domain.order import Address, Order, highest_line_id
from services.orders.models import ChangeRow
from services.orders.store import versions

_PLAIN = (
    "change_id",
    "order_id",
    "from_version",
    "to_version",
    "state",
    "proposed_by",
    "proposed_role",
    "proposed_at",
    "is_material",
    "needs_consent",
    "is_recalled",
    "consent_expires_at",
    "consented_by",
    "consented_at",
    "ended_at",
    "ended_reason",
    "customer_reason",
    "withholds_until",
    "resumed_at",
    "recall_asked_at",
    "answer_due_at",
    "silence_steps",
)


_LIGHT = select(ChangeRow).options(defer(ChangeRow.becomes))
"""Without the version that a change makes: only who settles it reads that."""


def add(session: Session, change: ChangeOrder, standing: Order, becomes: Order, intent_fact_id: str) -> None:
    """Keep a change order and the version it makes; `intent_fact_id` hands it to the workflow if the request cannot."""
    last = max(versions.last_line_id(session, standing), highest_line_id(line.line_id for line in becomes.lines))
    values = {
        **{name: getattr(change, name) for name in _PLAIN},
        "request": _request_document(change.request),
        "becomes": versions.document(becomes),
        "difference": [asdict(row) for row in change.difference],
        "currency": change.total_after.currency,
        "total_before_minor": change.total_before.minor,
        "total_after_minor": change.total_after.minor,
        "kinds": list(change.kinds),
        "intent_fact_id": intent_fact_id,
        "last_line_id": last,
    }
    session.execute(insert(ChangeRow).values(**values))


def of_order(session: Session, order_id: str) -> tuple[ChangeOrder, ...]:
    """Every change order of an order, oldest first."""
    query = _LIGHT.where(col(ChangeRow.order_id) == order_id)
    rows = session.scalars(
        query.order_by(col(ChangeRow.proposed_at), col(ChangeRow.change_id)),
        execution_options={"populate_existing": True},
    )
    return tuple(_change(row) for row in rows)


def find(session: Session, order_id: str, change_id: str) -> ChangeOrder:
    """The change of this id of an order; NotFound otherwise."""
    query = _LIGHT.where(col(ChangeRow.order_id) == order_id, col(ChangeRow.change_id) == change_id)
    rows = session.scalars(query, execution_options={"populate_existing": True})
    return one([_change(row) for row in rows], change_id)


def pending_of(session: Session, order_ids: Sequence[str]) -> dict[str, ChangeOrder]:
    """Order id → its one change that is on its way; orders without one are missing."""
    query = _LIGHT.where(col(ChangeRow.order_id).in_(order_ids), col(ChangeRow.state).in_(sorted(PENDING)))
    rows = session.scalars(query, execution_options={"populate_existing": True})
    return {row.order_id: _change(row) for row in rows}


def count(session: Session, order_id: str) -> int:
    """How many changes were ever asked of an order."""
    query = select(func.count()).select_from(ChangeRow).where(col(ChangeRow.order_id) == order_id)
    return int(session.execute(query).scalar_one())


def one(changes: Sequence[ChangeOrder], change_id: str) -> ChangeOrder:
    """The change of this id among an order's; NotFound otherwise."""
    for change in changes:
        if change.change_id == change_id:
            return change
    raise NotFound("CHANGE_UNKNOWN", "the order has no such change: reload it")


def alter(session: Session, change_id: str, values: Mapping[str, Any]) -> None:
    """Set columns of a change whose order is locked."""
    statement = update(ChangeRow).where(col(ChangeRow.change_id) == change_id).values(**values)
    session.execute(statement, execution_options={"synchronize_session": False})


def rewrite(session: Session, change: ChangeOrder, becomes: Order) -> None:
    """Give a change another version to make, with its difference and total."""
    values = {
        "becomes": versions.document(becomes),
        "difference": [asdict(row) for row in change.difference],
        "total_after_minor": change.total_after.minor,
        "kinds": list(change.kinds),
    }
    alter(session, change.change_id, values)


def intent_fact_id(session: Session, change_id: str) -> str:
    """The outbox row that would hand a change to the workflow."""
    query = select(col(ChangeRow.intent_fact_id)).where(col(ChangeRow.change_id) == change_id)
    return str(session.execute(query).scalar_one())


def _request_document(request: ChangeRequest) -> dict[str, Any]:
    lines = [
        {
            "line_id": line.line_id,
            "sku": line.sku,
            "quantity": line.quantity,
            "unit_price": line.unit_price.text if line.unit_price else None,
        }
        for line in request.lines
    ]
    return {
        "reason": request.reason,
        "lines": lines,
        "ship_to": asdict(request.ship_to) if request.ship_to else None,
        "requested_on": request.requested_on.isoformat() if request.requested_on else None,
        "is_ship_complete": request.is_ship_complete,
        "discount_minor": request.discount.minor if request.discount else None,
        "freight_minor": request.freight.minor if request.freight else None,
        "consent": _consent_document(request.consent) if request.consent else None,
        **({"cancel_after": request.cancel_after.isoformat()} if request.cancel_after else {}),
        **({"is_cancellation": True} if request.is_cancellation else {}),
        **({"is_closing": True} if request.is_closing else {}),
        **({"keeps_cash": True} if request.keeps_cash else {}),
    }


def _consent_document(consent: SpokenConsent) -> dict[str, str]:
    return {"given_by": consent.given_by, "given_at": consent.given_at.isoformat(), "how": consent.how}


def _consent(document: Mapping[str, str]) -> SpokenConsent:
    return SpokenConsent(document["given_by"], datetime.fromisoformat(document["given_at"]), document["how"])


def _request(document: Mapping[str, Any], currency: str) -> ChangeRequest:
    def money(name: str) -> Money | None:
        minor = document[f"{name}_minor"]
        return None if minor is None else Money(minor, currency)

    def line(given: Mapping[str, Any]) -> LineChange:
        price = given["unit_price"]
        asked = UnitPrice.parse(price, currency) if price is not None else None
        return LineChange(given["line_id"], given["sku"], given["quantity"], asked)

    return ChangeRequest(
        reason=document["reason"],
        lines=tuple(line(given) for given in document["lines"]),
        ship_to=Address(**document["ship_to"]) if document["ship_to"] else None,
        requested_on=date.fromisoformat(document["requested_on"]) if document["requested_on"] else None,
        cancel_after=date.fromisoformat(document["cancel_after"]) if document.get("cancel_after") else None,
        is_ship_complete=document["is_ship_complete"],
        discount=money("discount"),
        freight=money("freight"),
        consent=_consent(document["consent"]) if document.get("consent") else None,
        is_cancellation=document.get("is_cancellation", False),
        is_closing=document.get("is_closing", False),
        keeps_cash=document.get("keeps_cash", False),
    )


def _change(row: ChangeRow) -> ChangeOrder:
    return ChangeOrder(
        **{name: getattr(row, name) for name in _PLAIN},
        request=_request(row.request, row.currency),
        difference=tuple(Difference(**difference) for difference in row.difference),
        total_before=Money(row.total_before_minor, row.currency),
        total_after=Money(row.total_after_minor, row.currency),
        kinds=tuple(row.kinds),
    )

"""What other services told about an order, each by the id under which the event log names it."""

from __future__ import annotations

from sqlmodel import Session

from services.orders.domain.facts import Detail
from services.orders.lifecycle import fact_wire
from services.orders.store import facts


def details_of(session: Session, order_id: str) -> dict[str, Detail]:
    """Fact id → what it told; facts that orders cannot read are missing."""
    read = (fact_wire.reread(fact) for fact in facts.documents_of(session, order_id))
    return {fact.fact_id: fact.detail for fact in read if fact.detail is not None}

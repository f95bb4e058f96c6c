"""Who has to do with an order beside those who decide on it: who changed it last, and who sells to its customer."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import Session, col

from services.orders.domain.changes import APPLIED
from services.orders.models import ChangeRow, CustomerRow


def last_editors(session: Session, order_ids: Collection[str]) -> dict[str, str]:
    """Order id → who proposed the change that made its current version; orders never changed are missing."""
    query = select(col(ChangeRow.order_id), col(ChangeRow.proposed_by)).where(
        col(ChangeRow.order_id).in_(sorted(order_ids)), col(ChangeRow.state) == APPLIED
    )
    return {str(order_id): str(who) for order_id, who in session.execute(query.order_by(col(ChangeRow.to_version)))}


def sales_reps(session: Session, customer_ids: Collection[str]) -> dict[str, str]:
    """Customer id → the subject of who sells to it; customers without one are missing."""
    query = select(col(CustomerRow.customer_id), col(CustomerRow.sales_rep)).where(
        col(CustomerRow.customer_id).in_(sorted(set(customer_ids))), col(CustomerRow.sales_rep) != ""
    )
    return {str(customer_id): str(who) for customer_id, who in session.execute(query)}

"""Orders whose cancel-after day is over."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Text, bindparam, cast, exists, func, literal_column, select
from sqlmodel import Session

from services.orders.domain.cancellation import DECLINED
from services.orders.domain.status import ALL_SHIPPED
from services.orders.models import CancellationRow, OrderRow, ProgressRow
from services.runtime.db import table_of

_order, _cancellation, _progress = table_of(OrderRow).c, table_of(CancellationRow).c, table_of(ProgressRow).c
_ASKED = exists().where(
    _cancellation.order_id == _order.order_id,
    _cancellation.requested_by == bindparam("by"),
    # what was asked before the day was moved says nothing of the day that it is now
    func.substr(cast(_cancellation.requested_at, Text), 1, 10) >= _order.cancel_after,
    # a whole order that had begun to ship meanwhile is asked about again, by what is left of it
    (_cancellation.state != DECLINED) | (_cancellation.change_id != literal_column("''")),
)
# nothing is left to cancel of those, which live on until they are paid
_HAS_SHIPPED = exists().where(
    _progress.order_id == _order.order_id, _progress.fulfilment.in_([literal_column(f"'{one}'") for one in ALL_SHIPPED])
)
_PAST = (
    select(_order.order_id)
    .where(_order.cancel_after < bindparam("today"), _order.cancel_after != literal_column("''"))
    .where(_order.ended_at.is_(None), ~_ASKED, ~_HAS_SHIPPED, _order.order_id > bindparam("after"))
    .order_by(_order.order_id)
    .limit(bindparam("most"))
)


def past(session: Session, today: date, by: str, *, after: str, limit: int) -> list[str]:
    """Ids of living orders whose day is over, that have not shipped whole, and of which `by` has asked nothing yet; by id behind `after`."""
    terms = {"today": today.isoformat(), "by": by, "after": after, "most": limit}
    return [str(order_id) for order_id in session.execute(_PAST, terms).scalars()]

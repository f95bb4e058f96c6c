"""What helps to decide a step: the order's margin, the customer's year, and what changed since it was approved last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from services.orders.domain.changes import APPLIED, ChangeOrder
from services.orders.domain.dashboard import History
from services.orders.domain.events import Event
from services.orders.domain.margins import Margin, margin_of
from services.orders.domain.reviews import APPROVED, Review
from services.orders.overview.inbox import Waiting
from services.orders.store import changes, dashboard, events, masterdata
from services.orders.store import reviews as store

_YEAR = timedelta(days=365)
_TALK = ("changes_requested", "review_answered")


@dataclass(frozen=True, slots=True)
class Background:
    """What stands behind a question; `changes` is the one that is asked about, else those made since the last approval.

    `talk` is what reviewers asked for and sales answered before this step was opened, oldest first.
    """

    margin: Margin
    history: History
    changes: tuple[ChangeOrder, ...]
    was_approved: bool
    talk: list[Event]


def background_of(session: Session, found: Waiting) -> Background:
    """The background of a step that the caller may see."""
    order = found.order
    products = masterdata.products_of(session, sorted({line.sku for line in order.lines}))
    asked, made = store.of_order(session, order.order_id), changes.of_order(session, order.order_id)
    approved = max((one.order_version for one in asked if one.state == APPROVED), default=0)
    return Background(
        margin=margin_of(order, products),
        history=dashboard.history_of(session, order.customer_id, order.placed_at - _YEAR),
        changes=_since(found.review, made, approved),
        was_approved=bool(approved),
        talk=events.of_kinds(session, order.order_id, _TALK, found.review.opened_at),
    )


def _since(review: Review, made: tuple[ChangeOrder, ...], approved: int) -> tuple[ChangeOrder, ...]:
    """The change that is asked about, else those that were made since the version that was approved last."""
    if review.change_id:
        return tuple(one for one in made if one.change_id == review.change_id)
    return tuple(one for one in made if one.state == APPLIED and one.from_version >= approved)

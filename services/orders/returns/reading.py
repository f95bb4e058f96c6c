"""Reading returns within what a caller may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlmodel import Session

from services.kernel.errors import NotFound
from services.orders.domain.access import EVERYTHING, Scope
from services.orders.domain.returns import Return
from services.orders.store import returns as store


def find_id(session: Session, reference: str, scope: Scope = EVERYTHING) -> tuple[str, str]:
    """Return id and order id, by the return's id or number; NotFound RETURN_UNKNOWN."""
    return store.find_id(session, reference, scope)


def one(session: Session, reference: str, scope: Scope = EVERYTHING) -> Return:
    """A return by its id or number; NotFound RETURN_UNKNOWN, also where the scope hides it."""
    return store.get(session, store.find_id(session, reference, scope)[0])


def known_id(session: Session, reference: str) -> str:
    """The id of a return by its id or number; empty where there is none."""
    try:
        return store.find_id(session, reference, EVERYTHING)[0]
    except NotFound:
        return ""


def numbers(session: Session, return_ids: Collection[str]) -> dict[str, str]:
    """Return id → number of those that exist."""
    return store.numbers(session, return_ids) if return_ids else {}


def of_order(session: Session, order_id: str) -> list[Return]:
    """The returns of an order that the caller may see, oldest first."""
    return store.of_order(session, order_id)


def page(
    session: Session, scope: Scope, *, order_id: str = "", states: Sequence[str] = (), after: str = "", limit: int = 100
) -> list[Return]:
    """Returns, oldest first, from behind the one of id `after`."""
    return store.page(session, scope, order_id=order_id, states=states, after=after, limit=limit)

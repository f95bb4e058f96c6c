"""A key that comes again with another body: the refusal stands, and people of ours are asked to look."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from pydantic import BaseModel

from gateway.http.plumbing.deps import Deps
from services.kernel.errors import Refused
from services.orders.order import exceptions, lookup

_REUSED = frozenset({"WEBHOOK_ID_REUSED", "PAYMENT_REFERENCE_REUSED"})


@contextmanager
def noting_reuse(deps: Deps, kind: str, key: str, body: BaseModel, customer_id: str = "") -> Generator[None]:
    """Around the call that may refuse: opens one exception a key and digest, of the order that the refusal names.

    A payment may be of no order: then the exception is of the customer's newest one.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.reason in _REUSED:
            with deps.database.transaction() as session:
                order_id = refusal.detail.get("order_id") or lookup.newest_of(session, customer_id)
                said = body.model_dump(mode="json")
                exceptions.note_reused(session, order_id, kind, key, said, refusal.message, deps.clock())
        raise

"""The actions of change orders in one line each, and a policy with an approval matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2
from services.orders.access.matrix import Caller
from services.orders.changes import consent
from services.orders.changes import propose as proposals
from services.orders.changes.propose import Proposed
from services.orders.domain.changes import ChangeOrder, ChangeRequest, LineChange
from services.orders.domain.order import Order
from services.orders.domain.proposals import Proposal
from services.orders.domain.reviews import Review
from services.orders.policies import engine
from services.orders.policies import versions as policy_versions
from services.orders.store import changes as store
from services.orders.store import reviews as review_store
from services.orders.store import versions
from tests.orders.desk import ANY, BUYER, CONTACTS, RITA, Desk, caller, usd

OLIVER = caller("oliver", "support")
MATRIX = [
    {
        "code": "OVER_1000",
        "when": "order.total_minor > 100000",
        "message": "The order is over 1,000.00.",
        "tiers": [{"level": 1, "role": "approver", "position": "manager"}],
    },
    {
        "code": "OVER_5000",
        "when": "order.total_minor > 500000",
        "message": "The order is over 5,000.00.",
        "tiers": [{"level": 2, "role": "approver", "position": "finance_director"}],
    },
]


def with_matrix(desk: Desk, **members: Any) -> None:
    document = yaml.safe_load(engine.BUILT_IN.read_text("utf-8"))
    with desk.database.transaction() as session:
        policy_versions.put_policy(session, {**document, "reviews": MATRIX, **members}, "root", desk.now)


def asked(*lines: LineChange, reason: str = "as agreed", **members: Any) -> ChangeRequest:
    return ChangeRequest(reason, lines, **members)


def quantity(line_id: str, units: int) -> LineChange:
    return LineChange(line_id, quantity=units)


def swap(line_id: str, sku: str, price: str = "") -> LineChange:
    return LineChange(line_id, sku, unit_price=usd(price) if price else None)


def preview(desk: Desk, order_id: str, request: ChangeRequest, by: Caller = BUYER) -> Proposal:
    with desk.database.reading() as session:
        return proposals.preview(session, order_id, request, by, desk.now)


def propose(
    desk: Desk, order_id: str, request: ChangeRequest, by: Caller = BUYER, version: int | None = None
) -> Proposed:
    with desk.database.transaction() as session:
        return proposals.propose(session, order_id, request, by, CONTACTS, desk.now, version)


def answer(
    desk: Desk, order_id: str, change_id: str, said: str, by: Caller = BUYER, note: str = "", version: int | None = None
) -> ChangeOrder:
    with desk.database.transaction() as session:
        return consent.consent(session, order_id, change_id, said, note, by, CONTACTS, desk.now, version)[0]


def withdraw(desk: Desk, order_id: str, change_id: str, by: Caller = RITA) -> ChangeOrder:
    with desk.database.transaction() as session:
        return consent.withdraw(session, order_id, change_id, "a mistake", by, CONTACTS, desk.now)[0]


def apply(
    desk: Desk,
    order_id: str,
    change_id: str,
    *,
    is_granted: bool = True,
    key: str = "1",
    invoiced: Mapping[str, int] | None = None,
) -> pb.ApplyChangeResponse:
    request = pb.ApplyChangeRequest(
        request_id=f"{order_id}/apply/{change_id}/{key}",
        order_id=order_id,
        change_id=change_id,
        credit=pb.CreditStanding(is_granted=is_granted),
        invoiced=[types_pb2.LineQuantity(line_id=key, quantity=units) for key, units in (invoiced or {}).items()],
    )
    return desk.servicer.ApplyChange(request, ANY)


def record(desk: Desk, order_id: str, change_id: str, verb: str, reason: str = "") -> pb.RecordChangeResponse:
    request = pb.RecordChangeRequest(
        request_id=f"{order_id}/record/{change_id}/{verb}",
        order_id=order_id,
        change_id=change_id,
        verb=verb,
        reason=reason,
    )
    return desk.servicer.RecordChange(request, ANY)


def changed(desk: Desk, order_id: str, request: ChangeRequest, by: Caller = BUYER, key: str = "1") -> str:
    """Propose and apply a change that needs nobody's consent."""
    done = propose(desk, order_id, request, by)
    assert done.change.state == "agreed"
    assert apply(desk, order_id, done.change.change_id, key=key).is_applied
    return done.change.change_id


def change(desk: Desk, order_id: str, change_id: str) -> ChangeOrder:
    with desk.database.reading() as session:
        return store.one(store.of_order(session, order_id), change_id)


def reviews(desk: Desk, order_id: str) -> tuple[Review, ...]:
    with desk.database.reading() as session:
        return review_store.of_order(session, order_id)


def kept(desk: Desk, order: Order) -> list[Order]:
    with desk.database.reading() as session:
        return [one.order for one in versions.of_order(session, order)]


def notified(desk: Desk, order_id: str) -> list[str]:
    return [event.what for event in desk.events(order_id)]


def parked(desk: Desk, *lines: tuple[str, int]) -> str:
    """An order in review: over 1,000.00 the manager is asked, over 5,000.00 the finance director after that."""
    with_matrix(desk)
    order_id = desk.place(*lines).order_id
    desk.validate(order_id)
    return order_id

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from oms.notifications.v1 import notifications_pb2 as notifications
from services.kernel.bounds import MAX_MESSAGE
from services.orders.domain.cancelled_units import LineToCancel
from services.orders.lifecycle import cancel as cancellation
from services.orders.lifecycle import place
from services.orders.order import outbox as order_outbox
from services.orders.order.acts import Act
from services.orders.order.outbox import CALLER_FIRST
from services.orders.relay import routes as relay_routes
from services.orders.store.facts import late_facts
from services.runtime import outbox
from services.runtime.facts import LARGEST
from services.runtime.grpc_client import Unreachable
from services.runtime.relay import Relay, Route
from tests.orders.desk import BUYER, Desk, invoiced, shipment
from workflows.client import Unanswered
from workflows.messages import CancelOrder, CancelOutcome, ClearanceRefresh, FactNote, OrderRef
from workflows.return_messages import ReturnNote, ReturnRef

APPROVED = Act("Max", "approved: manager approval (tier 1)")


@dataclass
class FakeWorkflows:
    """Remembers what it is told; away or ended when the test says so."""

    is_away: bool = False
    has_ended: bool = False
    started: list[OrderRef] = field(default_factory=list)
    signalled: list[tuple[str, str, FactNote]] = field(default_factory=list)
    cancelled: list[CancelOrder] = field(default_factory=list)
    refreshed: list[tuple[str, str, str]] = field(default_factory=list)
    outcome: CancelOutcome = field(default_factory=lambda: CancelOutcome(is_cancelled=True))
    blocked: set[str] = field(default_factory=set)
    busy: dict[str, int] = field(default_factory=dict)

    returns: list[object] = field(default_factory=list)
    asked: int = 0

    def _answer(self) -> None:
        self.asked += 1
        if self.is_away:
            raise Unreachable("temporal is away")

    def start(self, order: OrderRef) -> None:
        self._answer()
        self.started.append(order)

    def signal(self, number: str, name: str, note: FactNote) -> bool:
        self._answer()
        self.signalled.append((number, name, note))
        return not self.has_ended

    def start_return(self, ref: ReturnRef) -> None:
        self._answer()
        self.returns.append(ref)

    def signal_return(self, number: str, name: str, note: ReturnNote) -> bool:
        self._answer()
        self.returns.append((number, name, note))
        return not self.has_ended

    def is_busy(self, number: str) -> bool:
        self._answer()
        return self.busy.get(number, 0) > 0

    def cancel_later(self, number: str, request: CancelOrder) -> CancelOutcome | None:
        self._answer()
        if number in self.blocked:
            raise Unanswered("the order's workflow has not answered yet")
        self.cancelled.append(request)
        return None if self.has_ended else self.outcome

    def refresh_later(self, number: str, update: str, refresh: ClearanceRefresh, update_id: str) -> bool:
        self._answer()
        self.refreshed.append((update, refresh.subject_id, update_id))
        return not self.has_ended


@dataclass
class Post:
    """The relay of a desk with a fake Temporal and a fake mail room; `later` moves its clock."""

    desk: Desk
    workflows: FakeWorkflows = field(default_factory=FakeWorkflows)
    parcels: list[notifications.NotifyAllRequest] = field(default_factory=list)
    later: timedelta = timedelta()

    def _take(self, parcel: notifications.NotifyAllRequest) -> notifications.NotifyAllResponse:
        self.parcels.append(parcel)
        return notifications.NotifyAllResponse(event_ids=[notice.event_id for notice in parcel.notices])

    @property
    def mails(self) -> list[notifications.NotifyRequest]:
        return [notice for parcel in self.parcels for notice in parcel.notices]

    def routes(self) -> tuple[Route, ...]:
        return relay_routes.routes(self.desk.database, self._take, self.workflows, lambda: self.desk.now)

    def send(self) -> None:
        self.send_by(*self.routes())

    def send_by(self, *routes: Route) -> None:
        relay = Relay(self.desk.database, routes, lambda: self.desk.now + self.later)
        for route in routes:
            relay.send_batch(route)


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk)


def test_mails_leave_in_the_order_they_were_asked_for_with_their_outbox_id(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 1))

    post.send()
    post.send()

    assert [mail.kind for mail in post.mails] == ["order_received", "order_accepted"]
    assert [mail.event_id for mail in post.mails] == [row["fact_id"] for row in post.desk.outbox("notify", order_id)]
    assert len(post.parcels) == 1
    assert (post.mails[0].order_number, post.mails[0].recipients[0].email) == ("SO-1001", "buyer@acme.example")


def test_a_mail_of_an_invoice_leaves_with_the_invoice_named(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 3))
    desk, detail = post.desk, invoiced("INV-000007", 41_506, {"1": 3})
    desk.notify(desk.fact(order_id, "billing", "invoice_issued", 5, detail))

    for _ in range(2):
        post.send()

    named = {mail.kind: mail.attachment for mail in post.mails if mail.HasField("attachment")}
    assert named["invoice"].document == "invoice"
    assert named["invoice"].name == "INV-000007.pdf"
    assert named["invoice"].reference == "inv_INV-000007"


def test_mails_that_are_too_large_to_go_together_go_one_after_the_other(post: Post) -> None:
    for comment in ("a" * (LARGEST // 3 * 2), "b" * (LARGEST // 3 * 2), "c"):
        with post.desk.database.transaction() as session:
            mail = {"mail": "support_case", "order_number": "SO-1", "recipients": [], "variables": {"comment": comment}}
            outbox.emit(session, kind=order_outbox.NOTIFY, now=post.desk.now, order_id="ord_1", detail=mail)

    post.send()
    post.send()

    assert [[notice.variables_json[13] for notice in parcel.notices] for parcel in post.parcels] == [["a"], ["b", "c"]]
    assert all(parcel.ByteSize() < MAX_MESSAGE for parcel in post.parcels)


def test_an_order_that_nobody_started_is_started_later(post: Post) -> None:
    receipt = post.desk.place(("PUMP", 1))
    post.send()
    at_once = list(post.workflows.started)

    post.later = CALLER_FIRST
    post.send()

    assert at_once == []
    assert [(order.order_id, order.number, order.total_text) for order in post.workflows.started] == [
        (receipt.order_id, "SO-1001", "138.35 USD")
    ]


def test_an_order_that_the_request_started_is_not_started_again(post: Post) -> None:
    receipt = post.desk.place(("PUMP", 1))
    with post.desk.database.transaction() as session:
        place.mark_started(session, receipt)

    post.later = CALLER_FIRST
    post.send()

    assert post.workflows.started == []


def test_an_absent_temporal_loses_nothing(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 1))
    post.desk.notify(
        post.desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1}))
    )
    post.workflows.is_away = True
    with pytest.raises(Unreachable):
        post.send()

    post.workflows.is_away = False
    post.send()
    post.send()

    assert [(name, note.fact_id, note.subject_id) for _, name, note in post.workflows.signalled] == [
        ("shipment_shipped", "fact_1/shipment_shipped", "shp_SH-1")
    ]


@pytest.mark.on_postgres
def test_a_fact_for_a_workflow_that_has_ended_is_kept_as_late(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 1))
    post.desk.notify(
        post.desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 1}))
    )
    post.workflows.has_ended = True

    post.send()

    with post.desk.database.reading() as session:
        assert [(late.signal, late.order_id) for late in late_facts(session)] == [("shipment_shipped", order_id)]
    assert post.desk.broken() == []


def test_a_cancellation_that_the_request_could_not_hand_over_is_handed_over_later(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 1))
    with post.desk.database.transaction() as session:
        asked = cancellation.request(session, order_id, BUYER, "changed our mind", post.desk.now)

    post.later = CALLER_FIRST
    post.send()

    assert post.workflows.cancelled == [CancelOrder(asked.cancellation.cancellation_id, "changed our mind")]


def test_a_cancellation_that_the_workflow_refuses_is_declined_in_its_words(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 1))
    with post.desk.database.transaction() as session:
        asked = cancellation.request(session, order_id, BUYER, "changed our mind", post.desk.now)
    post.workflows.outcome = CancelOutcome(is_cancelled=False, reason="a shipment has left")

    post.later = CALLER_FIRST
    post.send()

    with post.desk.database.reading() as session:
        settled: Any = cancellation.get(session, order_id, asked.cancellation.cancellation_id, BUYER.scope)
    assert (settled.state, settled.settled_reason) == ("declined", "a shipment has left")


def test_a_refusal_that_is_heard_late_declines_no_later_cancellation(post: Post) -> None:
    """All of it was asked for and refused, then some units; the relay comes to the first one again."""
    order_id = post.desk.accepted(("PUMP", 2))
    with post.desk.database.transaction() as session:
        cancellation.request(session, order_id, BUYER, "changed our mind", post.desk.now)
    post.desk.record(order_id, "cancel_refused")
    with post.desk.database.transaction() as session:
        units = [LineToCancel("1", 1)]
        later = cancellation.request(
            session, order_id, BUYER, "one will do", post.desk.now, asked=cancellation.Asked(units)
        )
    post.workflows.outcome = CancelOutcome(is_cancelled=False, reason="no such cancellation waits")

    post.later = CALLER_FIRST
    post.send()

    with post.desk.database.reading() as session:
        waiting: Any = cancellation.get(session, order_id, later.cancellation.cancellation_id, BUYER.scope)
    assert len(post.workflows.cancelled) == 1
    assert waiting.state == "requested"


@pytest.mark.on_postgres
def test_a_workflow_that_does_not_answer_holds_up_no_other(post: Post) -> None:
    blocked, other = (post.desk.accepted(("PUMP", 1)) for _ in range(2))
    post.send()
    with post.desk.database.transaction() as session:
        for order_id in (blocked, other):
            cancellation.request(session, order_id, BUYER, f"not {order_id}", post.desk.now)
    post.workflows.blocked = {"SO-1001"}
    post.later = CALLER_FIRST

    post.send()
    first = [request.reason for request in post.workflows.cancelled]
    post.workflows.blocked = set()
    post.send()

    assert first == [f"not {other}"]
    assert [request.reason for request in post.workflows.cancelled] == [f"not {other}", f"not {blocked}"]


def test_a_round_ends_at_once_when_temporal_is_away(post: Post) -> None:
    for _ in range(3):
        order_id = post.desk.accepted(("PUMP", 1))
        with post.desk.database.transaction() as session:
            order_outbox.refresh(session, order_id, "decide", "dec_1", APPROVED, post.desk.now)
    post.send()
    post.workflows.is_away = True
    post.later = CALLER_FIRST
    before = post.workflows.asked

    with pytest.raises(Unreachable):
        post.send_by(next(route for route in post.routes() if order_outbox.REFRESH in route.kinds))

    assert post.workflows.asked == before + 1


def test_a_cancellation_waits_for_its_workflow_to_begin(post: Post) -> None:
    order_id = post.desk.place(("PUMP", 1)).order_id
    with post.desk.database.transaction() as session:
        cancellation.request(session, order_id, BUYER, "changed our mind", post.desk.now)
    post.later = CALLER_FIRST
    start, cancel = (
        next(route for route in post.routes() if kind in route.kinds)
        for kind in (order_outbox.START, order_outbox.CANCEL)
    )

    with pytest.raises(Unreachable):
        post.send_by(cancel)
    too_soon = list(post.workflows.cancelled)
    post.send_by(start)
    post.send_by(cancel)

    assert (too_soon, len(post.workflows.cancelled)) == ([], 1)


def test_a_decision_that_the_request_could_not_show_is_shown_later(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 1))
    with post.desk.database.transaction() as session:
        intent_id = order_outbox.refresh(session, order_id, "decide", "dec_1", APPROVED, post.desk.now)
    post.send()
    at_once = list(post.workflows.refreshed)

    post.later = CALLER_FIRST
    post.send()

    assert at_once == []
    assert post.workflows.refreshed == [("decide", "dec_1", intent_id)]


def test_a_decision_shown_to_a_workflow_that_has_ended_is_not_shown_again(post: Post) -> None:
    order_id = post.desk.accepted(("PUMP", 1))
    with post.desk.database.transaction() as session:
        order_outbox.refresh(session, order_id, "amend", "chg_1", APPROVED, post.desk.now)
    post.workflows.has_ended = True
    post.later = CALLER_FIRST

    post.send()
    post.send()

    assert len(post.workflows.refreshed) == 1

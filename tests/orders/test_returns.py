"""Returns at the order desk: what may come back, who decides, what follows each inspection, and how a return ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from oms.facts.v1 import facts_pb2
from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.clock import micros
from services.kernel.errors import InvalidArgument, NotFound, Refused
from services.orders.access.matrix import Caller
from services.orders.domain.order import Order
from services.orders.domain.projection import LineProgress, Progress, with_returns
from services.orders.domain.returnable import LineToReturn, lines_of
from services.orders.domain.returns import Return
from services.orders.order import outbox
from services.orders.returns import advance, ask, decide, reading
from services.orders.store.audit_returns import INVARIANTS
from services.runtime.audit import find_all
from tests.orders.desk import ANY, BUYER, RIVAL, SUPPORT, Desk, invoiced, shipment
from tests.orders.mail_parties import CONTACTS
from tests.orders.test_change_races import outcomes
from tests.orders.test_relay import Post
from tests.planting import unnoticed
from workflows.return_messages import ReturnRef

MONTH = timedelta(days=30)


def _delivered(desk: Desk, units: int = 10) -> str:
    """An order of so many pumps at 129.00, shipped, delivered now and invoiced."""
    order_id = desk.accepted(("PUMP", units))
    detail = shipment("SH-1", "delivered", {"1": units})
    detail["shipment"]["shipped_at_micros"] = detail["shipment"]["delivered_at_micros"] = micros(desk.now)
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 9, detail))
    desk.notify(desk.fact(order_id, "billing", "invoice_issued", 1, invoiced("INV-1", units * 129_00, {"1": units})))
    return order_id


def _ask(desk: Desk, order_id: str, units: int, by: Caller = BUYER, reason: str = "changed_mind") -> Return:
    with desk.database.transaction() as session:
        return ask.request(session, order_id, by, [LineToReturn("1", units, reason)], "too many", CONTACTS, desk.now)


def _advance(desk: Desk, one: Return, **done: Any) -> tuple[str, str]:
    said = desk.servicer.AdvanceReturn(pb.AdvanceReturnRequest(return_id=one.return_id, **done), ANY)
    return said.next, said.state


def _count(desk: Desk, one: Return, units: int) -> None:
    detail = {"return_id": one.return_id, "number": one.number, "lines": {"1": {"received": units}}}
    desk.notify(desk.fact(one.order_id, "fulfillment", "return_received", 20 + units, detail))


def _inspect(desk: Desk, one: Return, units: int, inspection_id: str = "insp_1", who: str = "customer") -> None:
    found = {
        "line_id": "1",
        "sku": "PUMP",
        "quantity": units,
        "grade": "A",
        "disposition": "restock",
        "responsible": who,
    }
    detail = {
        "return_id": one.return_id, "number": one.number, "inspection_id": inspection_id, "warehouse_id": "W1",
        "units": [found], "inspected_by": "pat",
    }  # fmt: skip
    desk.notify(desk.fact(one.order_id, "fulfillment", "return_inspected", 40 + units, detail))


def _credit(desk: Desk, one: Return, inspection_id: str = "insp_1", minor: int = 100) -> tuple[str, str]:
    amount = types_pb2.Money(minor_units=minor, currency="USD")
    return _advance(
        desk, one, done="credited", inspection_id=inspection_id, credit_notes=["CN-1001"], credited=amount,
        fee=types_pb2.Money(minor_units=7, currency="USD"),
    )  # fmt: skip


def _read(desk: Desk, one: Return) -> Return:
    with desk.database.reading() as session:
        return reading.one(session, one.return_id)


def _returned(desk: Desk, order_id: str) -> tuple[int, str]:
    found = desk.read(order_id)
    return found.lines()["1"].returned, found.standing.axes.returns


def test_a_return_whose_units_were_credited_before_they_came_ends_with_no_credit_note(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 3)
    _advance(desk, one, done="announced")
    _count(desk, one, 3)
    _inspect(desk, one, 3)

    ended = _advance(desk, one, done="credited", inspection_id="insp_1")

    assert ended == ("over", "closed")
    assert _read(desk, one).credited.minor == 0


@pytest.mark.on_postgres
def test_a_small_return_is_authorized_at_once_and_ends_when_all_of_it_is_credited(desk: Desk) -> None:
    order_id = _delivered(desk)
    one = _ask(desk, order_id, 3)  # 387.00 of 500.00

    begun = [_advance(desk, one), _advance(desk, one, done="announced")]
    _count(desk, one, 3)
    counted = _returned(desk, order_id)
    _inspect(desk, one, 2)
    _inspect(desk, one, 1, "insp_2")
    steps = [_advance(desk, one), _credit(desk, one), _credit(desk, one, "insp_2")]

    assert (one.number, one.state, one.is_automatic) == ("RMA-1001", "authorized", True)
    assert begun == [("announce", "authorized"), ("wait", "authorized")]
    assert counted == (3, "open")
    assert steps == [("credit", "authorized"), ("credit", "authorized"), ("over", "closed")]
    assert _returned(desk, order_id) == (3, "part")
    after = _read(desk, one)
    assert (after.credited.minor, after.fees.minor, after.stage) == (200, 14, "closed")
    names = [event.what for event in desk.events(order_id) if event.what.startswith("return_")]
    assert names == [
        "return_requested", "return_authorized", "return_received", "return_inspected", "return_inspected", "return_credited",
        "return_credited", "return_ended",
    ]  # fmt: skip
    assert [event.why for event in desk.events(order_id) if event.what == names[1]] == ["worth no more than 500.00 USD"]
    assert [row["detail"]["signal"] for row in desk.outbox("return_signal")] == ["return_inspected"] * 2
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_of_many_requests_at_once_no_more_are_granted_than_have_shipped(desk: Desk) -> None:
    order_id = _delivered(desk, 5)

    said = outcomes([partial(_state, desk, order_id) for _ in range(4)])

    assert sorted(map(str, said)) == ["MORE_THAN_RETURNABLE", "MORE_THAN_RETURNABLE", "authorized", "authorized"]
    assert desk.broken() == []


def _state(desk: Desk, order_id: str) -> str:
    return _ask(desk, order_id, 2).state


def test_a_larger_return_waits_for_support_and_is_decided_once(desk: Desk) -> None:
    order_id = _delivered(desk)
    one = _ask(desk, order_id, 4)  # 516.00

    waiting = _advance(desk, one)
    with desk.database.transaction() as session:
        done = decide.authorize(session, one.return_id, SUPPORT, "as agreed", CONTACTS, desk.now)
    with pytest.raises(Refused) as refused, desk.database.transaction() as session:
        decide.deny(session, one.return_id, SUPPORT, "no", CONTACTS, desk.now)

    assert (one.state, one.waits_for, waiting) == ("requested", "support", ("wait", "requested"))
    assert (done.state, done.valid_until) == ("authorized", desk.now + MONTH)
    assert refused.value.reason == "RETURN_STATE"
    assert _advance(desk, one) == ("announce", "authorized")


def test_what_was_denied_frees_its_units_for_another_return(desk: Desk) -> None:
    order_id = _delivered(desk, 4)
    one = _ask(desk, order_id, 4)
    with desk.database.transaction() as session:
        decide.deny(session, one.return_id, SUPPORT, "worn", CONTACTS, desk.now)

    again = _ask(desk, order_id, 3)

    assert _advance(desk, one) == ("over", "denied")
    assert again.state == "authorized"
    assert desk.broken() == []


def test_what_has_not_come_is_given_up_at_its_deadline_and_what_came_is_still_inspected(desk: Desk) -> None:
    order_id = _delivered(desk)
    one = _ask(desk, order_id, 3)
    _advance(desk, one, done="announced")
    _count(desk, one, 1)
    assert one.valid_until is not None

    early = _advance(desk, one, passed_micros=micros(one.valid_until) - 1)
    due = _advance(desk, one, passed_micros=micros(one.valid_until))
    closed = _advance(desk, one, done="closed", received={"1": facts_pb2.LineReturned(received=2)})
    _inspect(desk, one, 2)
    done = _credit(desk, one)

    assert (early, due, closed, done) == (
        ("wait", "authorized"), ("close", "authorized"), ("wait", "authorized"), ("over", "closed"),
    )  # fmt: skip
    assert _read(desk, one).received == 2
    assert _ask(desk, order_id, 8).state == "requested"
    assert desk.broken() == []


@pytest.mark.parametrize(("closing", "state"), [("cancelled", "cancelled"), ("expired", "expired")])
def test_a_return_of_which_nothing_comes_ends_as_it_was_called_off_or_expired(
    desk: Desk, closing: str, state: str
) -> None:
    one = _ask(desk, _delivered(desk), 2)
    _advance(desk, one, done="announced")
    assert one.valid_until is not None

    if closing == "cancelled":
        with desk.database.transaction() as session:
            decide.cancel(session, one.return_id, BUYER, "kept", CONTACTS, desk.now)
        following = _advance(desk, one)
    else:
        following = _advance(desk, one, passed_micros=micros(one.valid_until))

    assert following == ("close", "authorized")
    assert _advance(desk, one, done="closed", received={"1": facts_pb2.LineReturned()}) == ("over", state)
    assert _advance(desk, one) == ("over", state)
    assert desk.broken() == []


def test_a_return_of_which_goods_have_come_is_not_called_off(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 2)
    _count(desk, one, 1)

    with pytest.raises(Refused) as refused, desk.database.transaction() as session:
        decide.cancel(session, one.return_id, BUYER, "kept", CONTACTS, desk.now)

    assert refused.value.reason == "RETURN_RECEIVED"


def test_a_return_is_hidden_from_another_company(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 2)

    with pytest.raises(NotFound), desk.database.reading() as session:
        reading.one(session, one.number, RIVAL.scope)
    with pytest.raises(NotFound):
        _ask(desk, one.order_id, 1, RIVAL)
    with desk.database.reading() as session:
        assert reading.one(session, "rma-1001", BUYER.scope) == one
        assert reading.page(session, RIVAL.scope) == []
        assert reading.page(session, BUYER.scope, states=["authorized"]) == [one]


def test_a_halted_return_waits_for_support_until_a_repair_starts_it_again(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 2)
    _advance(desk, one, done="halted", reason="a step was refused: warehouse currency")
    halted = _read(desk, one)

    with desk.database.transaction() as session:
        advance.repair(session, one.return_id, desk.now)
    _advance(desk, one, done="announced")

    assert (halted.waits_for, halted.halted) == ("support", "a step was refused: warehouse currency")
    assert len(desk.outbox("return_started")) == 2
    assert _read(desk, one).halted == ""


def test_a_signal_that_finds_no_workflow_of_an_open_return_starts_another_one(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 2)
    post = Post(desk)
    post.send()
    _inspect(desk, one, 2)
    post.workflows.has_ended = True

    post.send()
    _credit(desk, one)
    with desk.database.transaction() as session:
        outbox.signal_return(session, _read(desk, one), outbox.RETURN_DECIDED, desk.now)
    post.send()

    ref = ReturnRef(one.return_id, "RMA-1001", one.order_number, 2)
    started = [each for each in post.workflows.returns if isinstance(each, ReturnRef)]
    assert started == [ref, ref]  # once when it was asked for, once for the lost one, and not when it had ended
    assert len(post.workflows.returns) == 4


def test_a_repeat_of_what_a_warehouse_said_and_of_what_was_done_changes_nothing(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 2)
    _advance(desk, one, done="announced")
    for _ in range(2):
        _count(desk, one, 2)
        _inspect(desk, one, 2)
        _credit(desk, one, minor=500)

    after = _read(desk, one)
    assert (after.received, after.inspected, len(after.inspections), after.credited.minor) == (2, 2, 1, 500)
    assert desk.broken() == []


def test_an_older_count_that_comes_late_lowers_nothing(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 3)

    _count(desk, one, 3)
    _count(desk, one, 1)

    assert _read(desk, one).received == 3


def test_a_warehouse_that_says_too_much_or_nonsense_stops_no_other_fact(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 2)

    _count(desk, one, 9)
    _inspect(desk, one, -1)
    _inspect(desk, one, 5, "insp_2")

    after = _read(desk, one)
    assert (after.received, after.inspected, [each.inspection_id for each in after.inspections]) == (2, 2, ["insp_2"])


# Rules.


def _refusal(order: Order, progress: Progress, returns: Sequence[Return], asked: LineToReturn, desk: Desk) -> str:
    with pytest.raises((Refused, InvalidArgument)) as refused:
        lines_of(order, progress, returns, [asked], desk.now, MONTH)
    return refused.value.reason


def test_what_may_come_back_is_shipped_invoiced_and_within_its_window(desk: Desk) -> None:
    waiting = desk.read(desk.accepted(("PUMP", 2)))
    order = desk.read(_delivered(desk))
    one = LineToReturn("1", 1, "other")
    some = replace(order.progress.lines["1"], invoiced=4)
    part = replace(order.progress, lines={"1": some})

    assert _refusal(waiting.order, waiting.progress, [], one, desk) == "NOTHING_TO_RETURN"
    assert _refusal(order.order, part, [], LineToReturn("1", 5, "other"), desk) == "RETURN_NOT_INVOICED"
    assert _refusal(order.order, order.progress, [], LineToReturn("9", 1, "other"), desk) == "LINE_UNKNOWN"
    assert _refusal(order.order, order.progress, [], LineToReturn("1", 11, "other"), desk) == "MORE_THAN_RETURNABLE"
    foreign = LineToReturn("1", 1, "other", "shp_other")
    assert _refusal(order.order, order.progress, [], foreign, desk) == "MORE_THAN_RETURNABLE"
    desk.now += MONTH + timedelta(seconds=5)
    assert _refusal(order.order, order.progress, [], one, desk) == "RETURN_WINDOW_PASSED"


def test_a_shipment_that_was_delivered_before_the_window_is_not_named(desk: Desk) -> None:
    order = desk.read(_delivered(desk))
    [late] = order.progress.shipments.values()
    fresh = replace(late, shipment_id="shp_2", delivered_at=(desk.now + MONTH).isoformat())
    both = replace(order.progress, shipments={late.shipment_id: late, "shp_2": fresh})
    desk.now += MONTH + timedelta(seconds=5)
    assert (
        _refusal(order.order, both, [], LineToReturn("1", 1, "other", late.shipment_id), desk) == "RETURN_WINDOW_PASSED"
    )
    assert lines_of(order.order, both, [], [LineToReturn("1", 1, "other", "shp_2")], desk.now, MONTH)


def test_the_naive_twin_of_the_maximum_counts_only_what_has_come_and_grants_too_much(desk: Desk) -> None:
    order_id = _delivered(desk, 5)
    first = _ask(desk, order_id, 3)
    found = desk.read(order_id)

    naive = lines_of(found.order, found.progress, [], [LineToReturn("1", 3, "other")], desk.now, MONTH)

    assert sum(line.quantity for line in (*first.lines, *naive)) > 5
    assert _refusal(found.order, found.progress, [first], LineToReturn("1", 3, "other"), desk) == "MORE_THAN_RETURNABLE"


def test_the_order_shows_what_has_come_back(desk: Desk) -> None:
    progress = Progress(lines={"1": LineProgress(shipped=2)})

    assert with_returns(progress, {"1": 2}, 0).lines["1"].returned == 2
    assert with_returns(progress, {}, 1).open_returns == 1
    assert Progress.of(with_returns(progress, {"1": 2}, 1).document()) == with_returns(progress, {"1": 2}, 1)


PLANTED = (
    ("orders.returns_within_order", "UPDATE sales_return_line SET quantity = 9"),
    ("orders.return_ends_credited", "UPDATE sales_return_line SET received = 1, inspected = 1"),
    ("orders.return_ends_credited", "UPDATE sales_return_line SET inspected = 0"),
    ("orders.return_ends_credited", "UPDATE return_inspection SET credited_at = NULL"),
)


@pytest.mark.on_postgres
def test_the_audit_finds_a_return_that_takes_too_much_or_ends_too_early(desk: Desk) -> None:
    order_id = _delivered(desk, 4)
    called_off, done = _ask(desk, order_id, 1), _ask(desk, order_id, 2)
    _advance(desk, done, done="announced")
    _count(desk, done, 2)
    _inspect(desk, done, 2)
    _credit(desk, done)
    with desk.database.transaction() as session:
        decide.cancel(session, called_off.return_id, BUYER, "kept", CONTACTS, desk.now)
    _advance(desk, called_off, done="closed")
    _ask(desk, order_id, 1)

    assert desk.broken() == []
    assert unnoticed(desk.database, PLANTED, _broken) == []
    assert {rule for rule, _ in PLANTED} == {one.name for one in INVARIANTS}


def _broken(session: Session) -> set[str]:
    return {one.name for one in find_all(session, INVARIANTS) if one.violations}

"""Credit that does not wait for goods: in advance, because the customer keeps them, and returns that are given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import NotPermitted, Refused
from services.orders.access.matrix import Caller
from services.orders.domain.returns import Return
from services.orders.returns import decide, keep
from tests.orders.desk import ACCOUNTING, ANY, BUYER, SUPPORT, Desk
from tests.orders.mail_parties import CONTACTS
from tests.orders.test_returns import _advance, _ask, _count, _credit, _delivered, _inspect, _read, _returned

Act = Callable[..., Return]


def _do(desk: Desk, act: Act, one: Return, by: Caller = SUPPORT) -> Return:
    with desk.database.transaction() as session:
        return act(session, one.return_id, by, "we agreed", CONTACTS, desk.now)


def _reason(desk: Desk, act: Act, one: Return, by: Caller = SUPPORT) -> str:
    with pytest.raises((Refused, NotPermitted)) as refused:
        _do(desk, act, one, by)
    return refused.value.reason


def _document(desk: Desk, one: Return) -> Any:
    return desk.servicer.GetReturn(pb.GetReturnRequest(return_id=one.return_id), ANY).document


def _announced(desk: Desk, units: int) -> Return:
    one = _ask(desk, _delivered(desk), units)
    _advance(desk, one, done="announced")
    return one


@pytest.mark.on_postgres
def test_what_the_customer_keeps_is_credited_once_the_warehouse_awaits_nothing(desk: Desk) -> None:
    one = _announced(desk, 3)
    _count(desk, one, 1)
    _inspect(desk, one, 1)

    kept = _do(desk, keep.keep, one)
    steps = [_advance(desk, one), _credit(desk, one), _advance(desk, one, done="closed", received={})]
    inspection = _read(desk, one).inspections[-1]
    ended = _credit(desk, one, inspection.inspection_id)

    assert (kept.is_kept, kept.waits_for) == (True, "")
    assert steps == [("credit", "authorized"), ("close", "authorized"), ("credit", "authorized")]
    assert [(unit.quantity, unit.disposition, unit.responsible) for unit in inspection.units] == [(2, "keep", "seller")]
    assert (inspection.warehouse_id, inspection.inspected_by, _read(desk, one).received) == ("", "sue", 1)
    assert (ended, _returned(desk, one.order_id)) == (("over", "closed"), (1, "part"))
    assert _reason(desk, keep.keep, one) == "RETURN_STATE"
    assert desk.broken() == []


def test_what_comes_before_the_warehouse_closes_is_not_kept(desk: Desk) -> None:
    one = _announced(desk, 2)

    _do(desk, keep.keep, one)
    _count(desk, one, 2)
    _inspect(desk, one, 2)
    steps = [_credit(desk, one)]

    assert steps == [("over", "closed")]
    assert [unit.disposition for each in _read(desk, one).inspections for unit in each.units] == ["restock"]
    assert desk.broken() == []


def test_above_the_policy_s_limit_one_person_asks_and_another_agrees(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 5)  # 645.00 of 500.00

    asked = _do(desk, keep.keep, one)
    alone = _reason(desk, keep.keep, one)
    agreed = _do(desk, keep.keep, one, ACCOUNTING)
    following = [_advance(desk, one), _advance(desk, one, done="closed")]

    assert (asked.state, asked.keep_asked_by, asked.is_kept, asked.waits_for) == ("requested", "sue", False, "support")
    assert alone == "SECOND_PERSON"
    assert (agreed.state, agreed.is_kept, agreed.decided_by) == ("authorized", True, "abe")
    assert following == [("close", "authorized"), ("credit", "authorized")]
    names = [event.what for event in desk.events(one.order_id) if "keep" in event.what or "kept" in event.what]
    assert names == ["return_keep_asked", "return_kept"]


@pytest.mark.on_postgres
def test_goods_that_are_credited_in_advance_are_awaited_and_not_credited_again(desk: Desk) -> None:
    one = _announced(desk, 3)

    _do(desk, keep.credit_early, one, ACCOUNTING)
    early = _read(desk, one).inspections[0].inspection_id
    credited = [_advance(desk, one), _credit(desk, one, early)]
    twice = _reason(desk, keep.credit_early, one, ACCOUNTING)
    kept_back = _reason(desk, decide.cancel, one, BUYER)
    _count(desk, one, 3)
    _inspect(desk, one, 2)
    _inspect(desk, one, 1, "insp_2")
    before = [dict(each.credited_before) for each in _document(desk, one).inspections]
    ends = [_advance(desk, one, done="credited", inspection_id=key) for key in ("insp_1", "insp_2")]

    assert credited == [("credit", "authorized"), ("wait", "authorized")]
    assert (twice, kept_back) == ("RETURN_CREDITED", "RETURN_CREDITED")
    assert before == [{}, {"1": 2}, {"1": 1}]
    assert ends == [("credit", "authorized"), ("over", "closed")]
    assert _read(desk, one).credited.minor == 100
    assert _returned(desk, one.order_id) == (3, "part")
    assert desk.broken() == []


def _credited_early(desk: Desk, one: Return) -> None:
    _do(desk, keep.credit_early, one, ACCOUNTING)
    _credit(desk, one, _read(desk, one).inspections[-1].inspection_id)


def test_what_was_inspected_before_the_rest_is_credited_in_advance_takes_nothing_of_that(desk: Desk) -> None:
    one = _announced(desk, 3)
    _count(desk, one, 1)
    _inspect(desk, one, 1)
    _credit(desk, one)
    _credited_early(desk, one)
    _count(desk, one, 3)
    _inspect(desk, one, 2, "insp_2")

    before = [dict(each.credited_before) for each in _document(desk, one).inspections]

    assert before == [{}, {}, {"1": 2}]


def test_units_that_came_and_those_credited_in_advance_that_did_not_are_not_returned_another_time(desk: Desk) -> None:
    one = _announced(desk, 3)
    _count(desk, one, 1)
    _inspect(desk, one, 1)
    _credit(desk, one)
    _credited_early(desk, one)

    _do(desk, keep.give_up, one)
    ended = _advance(desk, one, done="closed", received={})

    assert ended == ("over", "closed")
    with pytest.raises(Refused, match="at most 7 may come back"):
        _ask(desk, one.order_id, 8)


def test_units_that_are_credited_in_advance_and_then_kept_are_the_same_units(desk: Desk) -> None:
    one = _announced(desk, 2)
    _credited_early(desk, one)

    _do(desk, keep.keep, one)
    _advance(desk, one, done="closed", received={})
    kept = _read(desk, one).inspections[-1]
    before = dict(_document(desk, one).inspections[-1].credited_before)
    ended = _advance(desk, one, done="credited", inspection_id=kept.inspection_id)

    assert (ended, before) == (("over", "closed"), {"1": 2})
    assert sum(_read(desk, one).taken(line) for line in one.lines) == 2
    assert _ask(desk, one.order_id, 8).announced == 8


def test_goods_that_were_credited_in_advance_and_never_came_are_not_returned_another_time(desk: Desk) -> None:
    one = _announced(desk, 3)
    _do(desk, keep.credit_early, one, ACCOUNTING)
    _credit(desk, one, _read(desk, one).inspections[0].inspection_id)
    assert one.valid_until is not None

    _advance(desk, one, passed_micros=int(one.valid_until.timestamp() * 1_000_000))
    ended = _advance(desk, one, done="closed")
    with pytest.raises(Refused, match="at most 7 may come back"):
        _ask(desk, one.order_id, 8)

    assert ended == ("over", "expired")
    assert desk.broken() == []


def test_a_large_credit_in_advance_is_given_by_another_person_than_who_let_the_goods_come(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk), 5)
    early = _reason(desk, keep.credit_early, one, ACCOUNTING)
    with desk.database.transaction() as session:
        decide.authorize(session, one.return_id, SUPPORT, "come", CONTACTS, desk.now)

    alone = _reason(desk, keep.credit_early, one, SUPPORT)
    given = _do(desk, keep.credit_early, one, ACCOUNTING)

    assert (early, alone) == ("RETURN_STATE", "SECOND_PERSON")
    assert [unit.quantity for unit in given.inspections[0].units] == [5]


def test_a_return_is_given_up_at_what_has_come_and_not_before_anything_has(desk: Desk) -> None:
    one = _announced(desk, 3)
    nothing = _reason(desk, keep.give_up, one)
    _count(desk, one, 1)
    _inspect(desk, one, 1)
    _credit(desk, one)

    _do(desk, keep.give_up, one)
    steps = [_advance(desk, one), _advance(desk, one, done="closed")]

    assert (nothing, steps) == ("NOTHING_RECEIVED", [("close", "authorized"), ("over", "closed")])
    assert _reason(desk, keep.give_up, one) == "RETURN_STATE"

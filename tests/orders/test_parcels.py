"""Parcels that no return announces: what seems to be in them, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import DomainError, InvalidArgument, NotFound, Refused
from services.orders.domain.parcels import FOREIGN, OF_ORDER, OWN_ARTICLE, Parcel, ParcelLine, match, seems
from services.orders.domain.returnable import LineToReturn
from services.orders.domain.returns import FeeRule, Return
from services.orders.returns import decide, parcels, reading
from services.orders.returns.parcels import Arrival, Found
from services.orders.store.audit_parcels import INVARIANTS
from services.runtime.audit import find_all
from tests.orders.desk import ANY, BUYER, SUPPORT, Desk, caller
from tests.orders.mail_parties import CONTACTS
from tests.orders.test_returns import _advance, _ask, _count, _credit, _delivered, _inspect, _returned
from tests.planting import unnoticed
from tests.threads import at_once

PAT = caller("pat", "warehouse")


def _record(desk: Desk, *lines: tuple[str, str, int], **more: Any) -> Parcel:
    found = tuple(Found(*line) for line in lines)
    with desk.database.transaction() as session:
        return parcels.record(session, Arrival("W1", found, **more), PAT, desk.now)


def _match(desk: Desk, parcel: Parcel, order_id: str, units: int, fee: FeeRule | None = None) -> Return:
    lines = [LineToReturn("1", units, "other")]
    with desk.database.transaction() as session:
        return parcels.match_order(session, parcel.number, order_id, lines, SUPPORT, "found", CONTACTS, desk.now, fee)


def _read(desk: Desk, parcel: Parcel) -> Parcel:
    with desk.database.reading() as session:
        return parcels.one(session, parcel.parcel_id)


def _waiting(desk: Desk) -> list[str]:
    with desk.database.reading() as session:
        assert parcels.count_waiting(session) == len(parcels.page(session, state="waiting"))
        return [one.number for one in parcels.page(session, state="waiting")]


def _of(*lines: ParcelLine) -> Parcel:
    return Parcel("pcl_1", "PCL-1001", "W1", "waiting", lines, "pat", datetime(2026, 3, 1, 9, tzinfo=UTC))


@pytest.mark.parametrize(("sku", "word"), [("PUMP", OF_ORDER), ("SEAL", OWN_ARTICLE), ("HOSE", FOREIGN), ("", FOREIGN)])
def test_goods_seem_to_be_of_the_order_of_the_catalog_or_of_nobody(sku: str, word: str) -> None:
    assert seems(sku, {"PUMP"}, {"PUMP", "SEAL"}) == word


def test_a_match_takes_lines_of_its_sku_first_and_then_those_that_nobody_could_name() -> None:
    found = _of(
        ParcelLine(0, "", "a pump?", 2, FOREIGN), ParcelLine(1, "PUMP", "", 1, OF_ORDER), ParcelLine(2, "SEAL", "", 5, OWN_ARTICLE)
    )  # fmt: skip

    after = match(found, {"PUMP": 2})
    whole = match(after, {"PUMP": 1, "SEAL": 5})

    assert ([line.matched for line in after.lines], after.state, after.left) == ([1, 1, 0], "waiting", 6)
    assert (whole.state, whole.left) == ("matched", 0)
    with pytest.raises(Refused, match="holds 3 units that may be PUMP, not 4"):
        match(found, {"PUMP": 4})
    with pytest.raises(Refused, match="is matched already"):
        match(whole, {"PUMP": 1})


@pytest.mark.on_postgres
def test_a_parcel_without_a_return_becomes_one_that_is_received_and_credited_as_any_other(desk: Desk) -> None:
    order_id = _delivered(desk)
    parcel = _record(desk, ("pump", "", 2), order_id=order_id)
    waiting = _waiting(desk)

    one = _match(desk, parcel, order_id, 2)
    begun = [_advance(desk, one), _advance(desk, one, done="announced")]
    _count(desk, one, 2)
    _inspect(desk, one, 2)
    ended = _credit(desk, one)

    assert (parcel.number, parcel.lines[0].sku, parcel.lines[0].seems, waiting) == (
        "PCL-1001",
        "PUMP",
        OF_ORDER,
        ["PCL-1001"],
    )
    assert (one.state, one.stage, one.waits_for) == ("authorized", "received", "warehouse")
    assert (one.arrived_in, one.received_by, one.parcel_number) == ("W1", "pat", "PCL-1001")
    assert begun == [("announce", "authorized"), ("wait", "authorized")]
    assert (ended, _returned(desk, order_id), _waiting(desk)) == (("over", "closed"), (2, "part"), [])
    document = desk.servicer.GetReturn(pb.GetReturnRequest(return_id=one.return_id), ANY).document
    assert (document.arrived_in, document.received_by) == ("W1", "pat")
    mails = [row["detail"]["mail"] for row in desk.outbox("notify") if row["detail"]["mail"].startswith("return_")]
    assert "return_received" in mails
    assert "return_authorized" not in mails
    assert desk.broken() == []


def test_what_came_with_a_return_names_it_and_its_order(desk: Desk) -> None:
    order_id = _delivered(desk)
    rma = _ask(desk, order_id, 2)

    parcel = _record(desk, ("", "a garden hose", 1), ("PUMP", "", 1), return_id=rma.return_id)

    assert (parcel.return_number, parcel.order_id) == (rma.number, order_id)
    assert [line.seems for line in parcel.lines] == [FOREIGN, OF_ORDER]
    with desk.database.reading() as session:
        assert [one.number for one in parcels.page(session, return_id=rma.return_id)] == [parcel.number]


def test_nothing_is_credited_beyond_what_shipped_and_the_rest_still_waits(desk: Desk) -> None:
    order_id = _delivered(desk, 3)
    parcel = _record(desk, ("PUMP", "", 5))

    with pytest.raises(Refused) as refused:
        _match(desk, parcel, order_id, 4)
    made = _match(desk, parcel, order_id, 3)
    with pytest.raises(Refused) as again:
        _match(desk, parcel, order_id, 1)

    assert (refused.value.reason, again.value.reason) == ("MORE_THAN_RETURNABLE", "NOTHING_TO_RETURN")
    assert (made.announced, _read(desk, parcel).left, _waiting(desk)) == (3, 2, [parcel.number])
    assert desk.broken() == []


def test_goods_are_taken_after_the_window_with_the_fee_that_support_names(desk: Desk) -> None:
    order_id = _delivered(desk)
    desk.now = desk.now.replace(year=desk.now.year + 1)
    parcel = _record(desk, ("PUMP", "", 1))
    with pytest.raises(Refused, match="within 30 days"):
        _ask(desk, order_id, 1)

    made = _match(desk, parcel, order_id, 1, FeeRule(Decimal(10)))

    assert (f"{made.fee.percent}", made.valid_until) == ("10", None)


def test_goods_of_no_order_are_sent_back_kept_or_scrapped_once(desk: Desk) -> None:
    found = [_record(desk, ("", "a hose", 1)) for _ in range(3)]

    with desk.database.transaction() as session:
        states = [
            parcels.decide(session, one.number, outcome, SUPPORT, "not ours", desk.now).state
            for one, outcome in zip(found, ("send_back", "keep", "scrap"), strict=True)
        ]

    assert states == ["sent_back", "kept", "scrapped"]
    decided = _read(desk, found[0])
    assert (decided.decided_by, decided.decision_note, decided.decided_at) == ("sue", "not ours", desk.now)
    assert _waiting(desk) == []
    with pytest.raises(Refused, match="is sent back already"), desk.database.transaction() as session:
        parcels.decide(session, found[0].number, "scrap", SUPPORT, "again", desk.now)
    with pytest.raises(InvalidArgument), desk.database.transaction() as session:
        parcels.decide(session, found[0].number, "sell", SUPPORT, "why", desk.now)
    with pytest.raises(NotFound), desk.database.transaction() as session:
        parcels.decide(session, "PCL-9", "scrap", SUPPORT, "why", desk.now)


@pytest.mark.on_postgres
def test_of_many_who_decide_at_once_one_does(desk: Desk) -> None:
    order_id = _delivered(desk)
    parcel = _record(desk, ("PUMP", "", 1))

    def attempt(outcome: str) -> str:
        try:
            if outcome == "match":
                _match(desk, parcel, order_id, 1)
            else:
                with desk.database.transaction() as session:
                    parcels.decide(session, parcel.number, outcome, SUPPORT, "mine", desk.now)
        except DomainError as refusal:
            return refusal.reason
        return "done"

    answers = at_once([partial(attempt, word) for word in ("match", "scrap", "match", "keep")])

    assert sorted(answers) == ["PARCEL_DECIDED"] * 3 + ["done"]
    assert desk.broken() == []


PLANTED = (
    ("orders.parcels_become_returns", "UPDATE parcel_line SET matched = 2 WHERE matched = 1"),
    ("orders.parcels_become_returns", "UPDATE sales_return SET parcel_number = ''"),
    ("orders.parcels_wait_for_something", "UPDATE parcel SET state = 'waiting' WHERE state = 'matched'"),
    ("orders.parcels_wait_for_something", "UPDATE parcel SET state = 'matched' WHERE state = 'waiting'"),
)


@pytest.mark.on_postgres
def test_the_audit_finds_a_parcel_whose_units_are_nowhere(desk: Desk) -> None:
    order_id = _delivered(desk)
    _match(desk, _record(desk, ("PUMP", "", 1)), order_id, 1)
    _record(desk, ("PUMP", "", 1))

    assert desk.broken() == []
    assert unnoticed(desk.database, PLANTED, _broken) == []
    assert {rule for rule, _ in PLANTED} == {one.name for one in INVARIANTS}


def _broken(session: Session) -> set[str]:
    return {one.name for one in find_all(session, INVARIANTS) if one.violations}


def test_a_number_that_is_on_a_parcel_leads_to_its_return_or_its_order(desk: Desk) -> None:
    order_id = _delivered(desk)
    rma = _ask(desk, order_id, 1)

    with desk.database.reading() as session:
        number = desk.read(order_id).order.number
        found = (parcels.order_of(session, number), parcels.order_of(session, "SO-9"))
        known = (reading.known_id(session, rma.number), reading.known_id(session, number))

    assert (found, known) == ((order_id, ""), (rma.return_id, ""))
    with desk.database.transaction() as session:
        decide.cancel(session, rma.return_id, BUYER, "kept", CONTACTS, desk.now)

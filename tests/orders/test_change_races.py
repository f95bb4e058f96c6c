"""Changes that many people act on at once have one outcome; a naive twin shows that the racers really meet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from services.kernel.errors import DomainError
from services.orders.changes import consent
from services.orders.order import aggregate
from services.orders.store import changes as store
from tests.orders.change_desk import answer, apply, asked, change, notified, propose, quantity, swap, withdraw
from tests.orders.desk import BUYER, CONTACTS, RITA, Desk
from tests.threads import at_once

pytestmark = pytest.mark.on_postgres


def outcomes(acts: Sequence[Callable[[], object]]) -> list[object]:
    """Run all acts together; a refusal of one gives its reason, any other failure fails the test."""

    def run(act: Callable[[], object]) -> object:
        try:
            return act()
        except DomainError as refusal:
            return refusal.reason

    return at_once([partial(run, act) for act in acts])


def expire(desk: Desk, order_id: str, change_id: str) -> str:
    with desk.database.transaction() as session:
        before = aggregate.read_for_change(session, order_id)
        waiting = store.one(store.of_order(session, order_id), change_id)
        after = consent.expire_consent(session, before, waiting, CONTACTS, desk.now)
        aggregate.restate(session, after, desk.now)
    return "too late" if after is before else "expired"


def test_of_many_proposals_at_once_one_is_on_its_way(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 9))

    said = outcomes([lambda n=n: propose(desk, order_id, asked(quantity("1", n))).change.state for n in range(1, 9)])  # type: ignore[misc]  # each act has its own n

    assert sorted(map(str, said)) == ["CHANGE_PENDING"] * 7 + ["agreed"]
    assert notified(desk, order_id).count("change_proposed") == 1
    assert desk.broken() == []


def test_consent_withdrawal_and_expiry_at_once_have_one_outcome(desk: Desk) -> None:
    for _ in range(6):
        order_id = desk.accepted(("PUMP", 4))
        change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id

        said = outcomes(
            [
                lambda o=order_id, c=change_id: answer(desk, o, c, "accept").state,  # type: ignore[misc]  # of this round
                lambda o=order_id, c=change_id: answer(desk, o, c, "decline").state,  # type: ignore[misc]  # of this round
                lambda o=order_id, c=change_id: withdraw(desk, o, c).state,  # type: ignore[misc]  # of this round
                lambda o=order_id, c=change_id: expire(desk, o, c),  # type: ignore[misc]  # of this round
            ]
        )

        refused = {"CHANGE_NOT_WAITING", "CHANGE_HAS_ENDED", "too late"}
        (won,) = [one for one in said if one not in refused]
        assert won == change(desk, order_id, change_id).state
        ends = {"change_consented", "change_declined", "change_withdrawn", "change_expired"}
        assert len([what for what in notified(desk, order_id) if what in ends]) == 1
    assert desk.broken() == []


def test_a_naive_twin_that_reads_first_and_writes_later_answers_twice(desk: Desk) -> None:
    """The same race without taking the order: proof that the racers meet."""
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(swap("1", "CENT")), RITA).change.change_id
    all_have_read = threading.Barrier(4, timeout=60)

    def answer_naively(state: str) -> str:
        with desk.database.reading() as session:
            seen = store.one(store.of_order(session, order_id), change_id).state
        all_have_read.wait()
        if seen != "awaiting_customer":
            return "CHANGE_NOT_WAITING"
        with desk.database.transaction() as session:
            store.alter(session, change_id, {"state": state, "ended_at": desk.now})
        return state

    said = at_once([partial(answer_naively, state) for state in ("declined", "withdrawn", "expired", "rejected")])

    assert "CHANGE_NOT_WAITING" not in said


def test_an_agreed_change_applied_many_times_at_once_makes_one_version(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, asked(quantity("1", 2)), BUYER).change.change_id

    said = outcomes([lambda n=n: apply(desk, order_id, change_id, key=str(n)).version for n in range(8)])  # type: ignore[misc]  # each act has its own n

    assert said == [2] * 8
    assert notified(desk, order_id).count("change_applied") == 1
    assert desk.broken() == []

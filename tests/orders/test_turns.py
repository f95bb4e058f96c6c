"""News for thousands of orders wakes few workflows at a time, and the system itself says how fast that may be."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from services.orders.relay.turns import LONGEST_S, LOOK_EVERY_S, Turns
from services.runtime.grpc_client import Unreachable
from workflows.messages import FactNote

NOTE = FactNote("fact_1")


@dataclass
class Workflows:
    """Workflows whose turn takes so long by a clock that only resting moves; each notes how many were on their turn with it."""

    turn_s: float = 0.1
    now: float = 0.0
    is_away: bool = False
    ended: set[str] = field(default_factory=set)
    until: dict[str, float] = field(default_factory=dict)
    beside: list[int] = field(default_factory=list)
    asked: int = 0

    def signal(self, number: str, name: str, note: FactNote) -> bool:
        if self.is_away:
            raise Unreachable("temporal is away")
        if number in self.ended:
            return False
        self.beside.append(sum(until > self.now for until in self.until.values()))
        self.until[number] = self.now + self.turn_s
        return True

    def is_busy(self, number: str) -> bool:
        self.asked += 1
        if self.is_away:
            raise Unreachable("temporal is away")
        return self.until[number] > self.now

    def rest(self, seconds: float) -> None:
        self.now += seconds


def wake(workflows: Workflows, count: int) -> float:
    """Wake so many; how long that took."""
    turns = Turns(workflows, 2, lambda: workflows.now, workflows.rest)
    began = workflows.now
    for number in range(count):
        turns.signal(f"SO-{number}", "stock_allocated", NOTE)
    return workflows.now - began


def test_no_more_than_two_are_on_their_turn_and_none_waits_longer_than_it_must() -> None:
    workflows = Workflows()

    took = wake(workflows, 20)

    assert max(workflows.beside) == 1
    assert took == pytest.approx(0.9, abs=0.2)


def test_who_is_woken_alone_waits_for_nobody() -> None:
    workflows = Workflows(turn_s=60)

    assert (wake(workflows, 2), workflows.asked) == (0, 0)


def test_turns_that_do_not_end_keep_the_others_for_a_while_only_and_less_and_less() -> None:
    """The worker is away: hundreds are told within seconds, so that all are when it is back."""
    workflows = Workflows(turn_s=3600)

    assert wake(workflows, 302) < 3 * LONGEST_S + 300 * LOOK_EVERY_S


def test_who_takes_turns_again_is_waited_for_again() -> None:
    workflows = Workflows(turn_s=3600)
    turns = Turns(workflows, 1, lambda: workflows.now, workflows.rest)
    for number in range(20):
        turns.signal(f"SO-{number}", "stock_allocated", NOTE)
    workflows.turn_s, began = 1.0, workflows.now
    workflows.until = dict.fromkeys(workflows.until, 0.0)

    for number in range(5):
        turns.signal(f"SO-{number}", "stock_allocated", NOTE)

    assert workflows.now - began == pytest.approx(4 * 1.0, abs=0.2)


def test_who_has_ended_takes_no_room() -> None:
    workflows = Workflows(turn_s=60, ended={"SO-1"})
    turns = Turns(workflows, 1, lambda: workflows.now, workflows.rest)

    assert [turns.signal(number, "stock_allocated", NOTE) for number in ("SO-1", "SO-1", "SO-2")] == [
        False,
        False,
        True,
    ]
    assert workflows.asked == 0


def test_the_news_is_sent_again_when_temporal_was_away_meanwhile() -> None:
    workflows = Workflows(turn_s=60)
    turns = Turns(workflows, 1, lambda: workflows.now, workflows.rest)
    turns.signal("SO-1", "stock_allocated", NOTE)
    workflows.is_away = True

    with pytest.raises(Unreachable):
        turns.signal("SO-2", "stock_allocated", NOTE)
    workflows.is_away, workflows.turn_s = False, 0
    workflows.until["SO-1"] = 0

    assert turns.signal("SO-2", "stock_allocated", NOTE)

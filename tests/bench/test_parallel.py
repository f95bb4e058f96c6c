from __future__ import annotations

import threading
import time

import pytest

from bench.parallel import NotInTime, for_each, in_time


def test_results_come_in_the_order_of_what_was_given() -> None:
    assert for_each(lambda number: number * 10, range(7), 3) == [0, 10, 20, 30, 40, 50, 60]
    assert for_each(lambda number: number, [], 3) == []


def test_no_more_are_under_way_than_allowed() -> None:
    under_way, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(2, timeout=10)

    def act(_: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait(10)
        with lock:
            under_way -= 1

    for_each(act, range(6), 2)

    assert most == 2


def test_a_failure_is_raised_and_what_has_not_begun_is_dropped() -> None:
    begun: list[int] = []
    second = threading.Event()

    def act(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ValueError("number 0")
        second.wait(10)

    with pytest.raises(ValueError, match="number 0"):
        for_each(act, range(99), 1)
    second.set()

    assert len(begun) <= 2


def test_who_does_not_end_holds_nobody_up() -> None:
    never = threading.Event()
    began = time.monotonic()

    with pytest.raises(NotInTime, match="1 of 2 are not done after 0 s"):
        for_each(lambda number: number or never.wait(30), range(2), 2, within_s=0.2)

    assert time.monotonic() - began < 10
    never.set()


def test_a_timeout_of_the_act_itself_is_not_taken_for_ours() -> None:
    def act() -> None:
        raise TimeoutError("the socket")

    with pytest.raises(TimeoutError, match="the socket"):
        in_time(act, 10)

"""Threads of tests end in time, and say who did not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial

import pytest

from tests.threads import Crew, at_once, until


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Set at the end of the test, so that a thread that hangs on it ends."""
    event = threading.Event()
    yield event
    event.set()


def hang(release: threading.Event) -> None:
    release.wait(30)


def raise_overdrawn() -> None:
    raise ValueError("overdrawn")


def test_results_come_in_the_order_of_what_was_asked() -> None:
    with Crew(3) as crew:
        squares = crew.map(lambda n: n * n, range(20))

    assert squares == [n * n for n in range(20)]


def test_a_failure_is_raised_where_the_result_is_asked_for() -> None:
    with Crew(2) as crew:
        failed = crew.submit(raise_overdrawn)
        done = crew.submit(lambda: 7)

    with pytest.raises(ValueError, match="overdrawn"):
        failed.result()
    assert isinstance(failed.exception(), ValueError)
    assert done.result() == 7


def test_whoever_hangs_fails_the_block_in_time_and_is_named_with_where_it_stands(release: threading.Event) -> None:
    def one_hangs_and_one_fails() -> None:
        with Crew(3, within_s=0.5) as crew:
            crew.submit(raise_overdrawn).exception()
            crew.submit(hang, release)

    with pytest.raises(AssertionError, match=r"after 0.5 s still at work:\ncrew-\d\n[\s\S]*in hang") as refusal:
        one_hangs_and_one_fails()

    assert "another raised ValueError('overdrawn')" in str(refusal.value)
    assert str(refusal.value).count("crew-") == 1


def test_a_result_is_waited_for_no_longer_than_the_crew_may_work(release: threading.Event) -> None:
    with pytest.raises(AssertionError, match=r"still at work:\ncrew-0\n[\s\S]*in hang"), Crew(1, within_s=0.1) as crew:
        crew.submit(hang, release).result()


def test_a_block_that_fails_drops_what_has_not_begun_and_waits_no_longer_than_a_moment(
    release: threading.Event,
) -> None:
    done: list[int] = []
    waiting: list[Future[None]] = []
    has_begun = threading.Event()

    def begin() -> None:
        has_begun.set()
        hang(release)

    def fail_while_one_hangs() -> None:
        with Crew(1, within_s=30) as crew:
            crew.submit(begin)
            waiting.append(crew.submit(done.append, 1))
            assert has_begun.wait(10)
            raise_overdrawn()

    with pytest.raises(ValueError, match="overdrawn") as failure:
        fail_while_one_hangs()

    assert waiting[0].cancelled()
    assert "in hang" in failure.value.__notes__[0]
    release.set()
    assert done == []


def test_acts_at_once_meet_before_they_act() -> None:
    lock, begun = threading.Lock(), 0

    def act(number: int) -> int:
        nonlocal begun
        with lock:
            begun += 1
        until(lambda: begun == 8)  # nobody is alone here
        return number

    assert at_once([partial(act, number) for number in range(8)]) == list(range(8))


def test_more_acts_than_threads_are_all_done_and_the_first_of_them_begin_together() -> None:
    lock, at_work, most = threading.Lock(), 0, 0

    def act(number: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        if number < 3:
            until(lambda: most == 3)
        with lock:
            at_work -= 1
        return number

    assert at_once([partial(act, number) for number in range(20)], threads=3) == list(range(20))
    assert most == 3


def test_a_failure_of_one_is_raised_when_all_are_done() -> None:
    done: list[int] = []
    acts: list[Callable[[], None]] = [raise_overdrawn, *(partial(done.append, number) for number in range(5))]

    with pytest.raises(ValueError, match="overdrawn"):
        at_once(acts)

    assert sorted(done) == [0, 1, 2, 3, 4]


def test_one_of_many_at_once_that_hangs_is_named(release: threading.Event) -> None:
    acts: list[Callable[[], None]] = [partial(hang, release), lambda: None]

    with pytest.raises(AssertionError, match="in hang"):
        at_once(acts, within_s=2)  # a busy machine must have begun it by then


def test_what_never_comes_true_is_waited_for_in_vain_and_not_for_ever() -> None:
    with pytest.raises(AssertionError, match=r"not so within 0.05 s"):
        until(lambda: False, within_s=0.05)

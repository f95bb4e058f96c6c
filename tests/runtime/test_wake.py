from __future__ import annotations

from services.runtime.wake import Wake


def test_a_call_that_comes_before_the_wait_is_kept_for_it_once() -> None:
    wake = Wake()

    wake.call()
    wake.call()

    assert (wake.wait(0.01), wake.wait(0.01)) == (True, False)


def test_calls_that_come_while_they_gather_count_as_one() -> None:
    rests: list[float] = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        wake.call()

    wake = Wake(rest)
    wake.call()

    assert (wake.wait(0.01, gathering=0.02), wake.wait(0.01, gathering=0.02)) == (True, False)
    assert rests == [0.02]


def test_who_is_stopped_waits_and_rests_no_more() -> None:
    wake = Wake()

    wake.stop()

    assert wake.is_stopped()
    assert wake.wait(3600)
    assert wake.rest(3600)

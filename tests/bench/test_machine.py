from __future__ import annotations

import subprocess
import sys

from bench.figures import Spread
from bench.machine import Load, LoadSpan, assessed, doubts

QUIET = Load(capacity_s=20.0, others_s=1.0)  # 5 %
AT_LIMIT = Load(capacity_s=20.0, others_s=1.5, stolen_s=0.5)  # 10 %
BUSY = Load(capacity_s=20.0, others_s=5.0, stolen_s=2.0)  # 35 %
STEADY = Spread(median=2.0, least=1.9, most=2.3)  # 20 %
WIDE = Spread(median=2.0, least=1.5, most=2.5)  # 50 %


def test_a_quiet_machine_and_steady_figures_leave_no_doubt() -> None:
    assert doubts({"pair 1": QUIET, "pair 2": AT_LIMIT}, {"the ratio": STEADY}) == []


def test_the_run_in_which_others_took_most_is_the_reason_for_doubt() -> None:
    found = doubts({"pair 1": QUIET, "pair 2": BUSY, "pair 3": Load(20.0, 3.0)}, {})

    assert found == ["other processes took 35% of the cores during pair 2, where 10% is allowed"]


def test_what_the_host_gives_to_other_machines_counts_as_taken_by_others() -> None:
    stolen = Load(capacity_s=20.0, others_s=0.0, stolen_s=4.0)

    assert stolen.others_share == 0.2
    assert len(doubts({"pair 1": stolen}, {})) == 1


def test_figures_that_lie_far_apart_are_doubted_on_a_machine_that_seemed_quiet() -> None:
    found = doubts({"pair 1": QUIET}, {"the ratio": WIDE, "the CPU": STEADY})

    assert found == ["the ratio ranges over 50% of its median, where 20% is allowed"]


def test_a_span_too_short_to_have_been_counted_is_not_doubted() -> None:
    assert doubts({"pair 1": Load(capacity_s=0.0, others_s=0.0)}, {}) == []


def test_the_document_says_whether_it_is_believable_and_why_not() -> None:
    loads = {"pair 1": QUIET, "pair 2": BUSY}

    assert assessed(loads, []) == {"is_believable": True, "doubts": [], "others_share": 0.35}
    assert assessed(loads, ["too busy"])["is_believable"] is False


def test_the_work_of_our_own_processes_is_not_that_of_others() -> None:
    burn = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass"
    span = LoadSpan()

    subprocess.run([sys.executable, "-c", burn], check=True, timeout=60)
    load = span.load()

    assert load.own_s >= 0.29  # counted in hundredths
    assert (
        load.others_s + load.own_s <= load.capacity_s + 0.1
    )  # the kernel counts in hundredths, and each of them apart

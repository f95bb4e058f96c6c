"""The API dies in the middle of every proof and never comes back: each proof ends red within two minutes, and nothing hangs."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import psutil
import pytest

from cli.supervisor import StartFailed
from tests.faults.health import Health, SystemLost
from tests.faults.loss import AFTER_VARIABLE, FILE_VARIABLE
from tests.faults.patient import Patient
from tests.faults.running import RunningSystem
from tests.processes import ended
from tests.threads import Crew

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
RED_WITHIN_S = 120
RUN_WITHIN_S = 360
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=native")
"""Its tracebacks are Python's own: to show the source of a deep one, pytest parses it, where Python 3.11 may fail (SystemError)."""
LANES = 3
PARTS = 5
"""How many tests share the proofs, each with a time of its own."""
ORDERS = 10
"""Orders that are placed before the API dies."""
FEWER_ORDERS = {
    "test_a_relay_that_marks_before_it_sends_is_caught": 1,
    "test_a_card_that_is_asked_for_under_a_new_key_is_caught": 2,
    "test_all_processes_killed_at_once_change_nothing": 2,
    "test_a_kill_at_every_step_past_people_changes_nothing": 5,
    "test_a_kill_while_people_decide_changes_nothing": 2,
    "test_a_kill_between_the_steps_of_a_prepaid_order_changes_nothing": 5,
    "test_a_kill_between_the_steps_of_an_order_by_card_changes_nothing": 5,
    "test_a_kill_between_the_steps_of_an_invoice_by_hand_changes_nothing": 3,
    "test_a_kill_between_the_steps_of_a_draft_changes_nothing": 3,
    "test_a_kill_between_the_steps_of_an_invoice_per_delivery_changes_nothing": 3,
    "test_a_kill_between_the_steps_of_an_invoice_at_order_changes_nothing": 3,
    "test_a_kill_while_the_rest_is_cancelled_changes_nothing": 2,
    "test_a_kill_at_every_step_of_a_cancellation_changes_nothing": 5,
    "test_a_kill_at_every_step_of_cancelling_a_held_order_changes_nothing": 5,
    "test_a_kill_at_every_step_of_cancelling_the_rest_changes_nothing": 3,
    "test_a_kill_between_the_steps_of_a_cancellation_with_a_fee_changes_nothing": 3,
    "test_a_kill_between_the_steps_of_a_refund_changes_nothing": 4,
    "test_a_kill_between_the_steps_of_a_reversal_changes_nothing": 3,
    "test_a_kill_between_credit_and_refund_of_a_return_changes_nothing": 2,
    "test_a_kill_at_every_step_of_a_return_changes_nothing": 3,
    "test_a_kill_at_every_step_of_a_return_that_expires_changes_nothing": 3,
    "test_a_kill_at_every_step_of_a_return_that_nobody_wants_changes_nothing": 3,
    "test_all_processes_killed_at_once_after_each_stage_of_a_return_change_nothing": 2,
    "test_a_kill_while_what_never_came_is_charged_changes_nothing": 2,
    "test_a_kill_at_every_step_of_an_exchange_for_the_same_sku_changes_nothing": 3,
    "test_a_kill_at_every_step_of_an_exchange_for_another_sku_changes_nothing": 3,
    "test_a_kill_at_every_step_of_an_exchange_in_advance_changes_nothing": 3,
    "test_a_kill_at_every_step_of_an_exchange_that_is_called_off_changes_nothing": 3,
    "test_all_processes_killed_at_once_after_each_stage_of_an_exchange_change_nothing": 2,
    "test_a_kill_between_the_steps_of_a_count_changes_nothing": 4,
    "test_a_kill_between_the_steps_of_a_short_pick_changes_nothing": 4,
    "test_every_process_whose_collector_is_away_stops_at_once": 2,
    "test_approve_reject_cancel_and_expiry_at_once_give_one_outcome": 5,
}
"""In proofs that place few, or take long for each: of 5 orders past people, four are under way."""
CHEAPEST = "tests/faults/test_decision_races.py::test_500_orders_decided_by_four_at_once_have_500_single_outcomes"
"""It runs in its own process, and its clients do not ask again."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a test run ended: its exit code, what it printed, and the seconds since its API was lost, if it was."""

    code: int
    output: str
    after_s: float | None

    def faults(self) -> list[str]:
        """What should not be; empty for a run that was red in time because of the loss, and in no other way."""
        last = [line for line in self.output.splitlines() if re.search(r" in \d+\.\d\ds", line)][-1:]
        checks = {
            "it ended before the API was lost": self.after_s is None,
            f"its exit code is {self.code}": self.code != 1,
            f"it took {self.after_s or 0:.0f} s after the loss": (self.after_s or 0) > RED_WITHIN_S,
            "a limit ended it": "Timeout (" in self.output or not last,
            "a test passed": " passed" in "".join(last),
        }
        return [fault for fault, is_so in checks.items() if is_so]


def without_api(arguments: Sequence[str], orders: int, folder: Path, within_s: float = RUN_WITHIN_S) -> Ended:
    """Run tests whose API is lost when so many orders are placed; what has not ended within that time is killed."""
    folder.mkdir()
    lost, output = folder / "lost", folder / "output"
    notified = {**os.environ, AFTER_VARIABLE: str(orders), FILE_VARIABLE: str(lost)}
    command = (*PYTEST, f"--basetemp={folder / 'tmp'}", "-m", "", *arguments)
    with output.open("w") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=notified, stdout=file, stderr=subprocess.STDOUT)
        with ended(process, within_s):
            code = process.wait(within_s + 5)
    after_s = time.time() - float(lost.read_text()) if lost.exists() else None
    return Ended(code, output.read_text(errors="replace"), after_s)


PLACING_NONE = frozenset({"test_a_process_that_never_comes_back_is_ended_and_started_again"})
"""Proofs that place no order, so that nothing is lost in the middle of them."""


def proofs() -> list[str]:
    """Every proof of this folder but this file's own, as far as it places orders."""
    others = ("tests/faults", f"--ignore={Path(__file__).relative_to(ROOT)}", "-m", "prove")
    listed = subprocess.run(
        (*PYTEST, "--collect-only", *others), cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    found = [line for line in listed.stdout.splitlines() if "::" in line]
    return [line for line in found if line.rpartition("::")[2].partition("[")[0] not in PLACING_NONE]


def faults_of(proofs: Sequence[str], folder: Path, within_s: float) -> list[str]:
    """Which of these proofs do not end red, and soon, when their API is lost in the middle, and why; all are done in that time."""
    run_within_s = min(RUN_WITHIN_S, 0.9 * within_s)

    def run(number: int) -> Ended:
        name = proofs[number].rpartition("::")[2].partition("[")[0]
        orders = FEWER_ORDERS.get(name, ORDERS)
        one = without_api(proofs[number : number + 1], orders, folder / str(number), run_within_s)
        print(f"ended {one.after_s or 0:5.1f} s after the loss: {proofs[number]}", *one.faults(), sep="; ")
        return one

    with Crew(LANES, within_s) as crew:
        runs = dict(zip(proofs, crew.map(run, range(len(proofs))), strict=True))

    return [f"{proof}: {one.faults()}\n{one.output[-3000:]}" for proof, one in runs.items() if one.faults()]


@pytest.mark.prove
def test_a_proof_whose_api_is_lost_ends_red_within_two_minutes(tmp_path: Path) -> None:
    """The small one by hand; of each commit's tests, those that follow a loss say the same."""
    faults = faults_of([CHEAPEST], tmp_path, within_s=170)

    assert faults == [], "\n".join(faults)


def test_when_time_is_over_what_has_ended_is_told_beside_what_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    is_over = threading.Event()

    def hang(arguments: Sequence[str], _orders: int, _folder: Path, _within_s: float) -> Ended:
        if arguments == ["f.py::test_stuck"]:
            is_over.wait(60)
            raise TimeoutError
        return Ended(1, "1 failed in 9.00s", 7.0)

    monkeypatch.setattr("tests.faults.test_lost_api.without_api", hang)
    with pytest.raises(AssertionError, match="still at work"):
        faults_of(["f.py::test_stuck", "f.py::test_red"], tmp_path, within_s=0.5)
    is_over.set()

    assert capsys.readouterr().out == "ended   7.0 s after the loss: f.py::test_red\n"


@pytest.mark.parametrize(("within_s", "run_within_s"), [(170, 153), (1100, RUN_WITHIN_S)])
def test_a_run_that_hangs_is_killed_before_its_crew_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, within_s: float, run_within_s: float
) -> None:
    limits = []

    def run(_arguments: Sequence[str], _orders: int, _folder: Path, within_s: float) -> Ended:
        limits.append(within_s)
        return Ended(1, "1 failed in 9.00s", 7.0)

    monkeypatch.setattr("tests.faults.test_lost_api.without_api", run)
    assert faults_of(["f.py::test_red"], tmp_path, within_s) == []
    assert limits == [run_within_s]


@pytest.mark.prove
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_proof_whose_api_is_lost_ends_red_within_two_minutes(tmp_path: Path, part: int) -> None:
    found = proofs()

    faults = faults_of(found[part::PARTS], tmp_path, within_s=1100)

    assert len(found) >= 9
    assert faults == [], "\n".join(faults)


@pytest.mark.prove
@pytest.mark.slice
@pytest.mark.timeout(400)
def test_the_tests_that_follow_a_loss_end_red_at_once(tmp_path: Path) -> None:
    files = [f"tests/faults/test_{name}.py" for name in ("temporal_outage", "graceful_stop", "kills", "lost_reply")]

    run = without_api([*files, "-m", "not prove"], 1, tmp_path / "run")

    print(f"ended {run.after_s or 0:.1f} s after the loss")
    assert run.faults() == [], run.output
    assert run.output.count("SystemLost") >= 4, run.output


def test_who_asks_a_lost_system_again_hears_at_once_that_it_is_lost() -> None:
    answers: Counter[int | str] = Counter()
    health = Health()
    first = httpx.Client(transport=Patient(answers, health, wire=httpx.MockTransport(refuse), patience_s=0.3))
    second = httpx.Client(transport=Patient(answers, health, wire=httpx.MockTransport(refuse), patience_s=3600))

    with pytest.raises(SystemLost, match=r"GET /v1/orders was asked in vain for 0\.3 s: ConnectError"):
        first.get("http://127.0.0.1/v1/orders")
    tries = answers["no answer"]
    with pytest.raises(SystemLost, match="GET /v1/orders was asked in vain"):
        second.get("http://127.0.0.1/v1/customers")

    assert tries > 1
    assert answers == {"no answer": tries}


def refuse(_: httpx.Request) -> httpx.Response:
    """What a client hears while no process listens."""
    raise httpx.ConnectError("connection refused")


def test_a_system_that_is_never_ready_again_is_lost() -> None:
    health = Health()
    wire = httpx.MockTransport(lambda _: httpx.Response(503, text="inventory does not answer"))

    with (
        httpx.Client(transport=Patient(Counter(), health, wire=wire, patience_s=0.2)) as client,
        pytest.raises(SystemLost, match="503 inventory does not answer"),
    ):
        client.get("http://127.0.0.1/v1/orders")

    with pytest.raises(SystemLost, match="503 inventory does not answer"):
        health.check()


def test_who_waits_for_something_of_a_lost_system_waits_no_longer(tmp_path: Path) -> None:
    running = RunningSystem(tmp_path)
    refreshes = []

    def check() -> None:
        refreshes.append(1)
        running.health.report("the API is gone")

    with pytest.raises(SystemLost, match="the API is gone"):
        running.wait_for(check, "what never comes")

    assert refreshes == [1]


def test_a_process_that_was_silent_has_all_its_time_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("tests.faults.running.time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr("tests.faults.running._WATCH_EVERY_S", 0)
    running = RunningSystem(tmp_path)
    billing = running._supervisor.children["billing"]
    for child in running._supervisor.children.values():
        child.state = "ready"

    async def life() -> None:
        watching = asyncio.create_task(running._watch())
        for billing.state, for_s in (("ready", 5), ("silent", 35), ("restarting", 59), ("starting", 2)):
            running.health.check()
            for _ in range(for_s):
                clock.now += 1
                await asyncio.sleep(0)
        watching.cancel()

    asyncio.run(life())
    with pytest.raises(SystemLost, match="billing is down for 60 s"):
        running.health.check()


def test_a_system_that_does_not_start_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "orders.db").write_text("no database")
    before = set(psutil.Process().children(recursive=True))

    with pytest.raises(StartFailed, match="cannot be used"), RunningSystem(tmp_path):
        pass

    assert set(psutil.Process().children(recursive=True)) <= before

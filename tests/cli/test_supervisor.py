"""The supervisor starts in order, keeps alive, stops in reverse, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cli import statefile
from cli.processes import Child, ProcessSpec
from cli.supervisor import Backoff, StartFailed, Supervisor, Watch
from tests.processes import ended

QUICK = Backoff(first_s=0.05, most_s=0.4, steady_s=30)

LIVES = """
import os, signal, sys, time
name, diary, ready = sys.argv[1:4]
def write(word):
    with open(diary, "a") as file: file.write(f"{name} {word}\\n")
def stop(*_):
    write("stops"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
write("starts")
time.sleep(0.1)
open(ready, "w").close()
while True: time.sleep(0.05)
"""
STUBBORN = LIVES.replace('write("stops"); sys.exit(0)', 'write("ignores")')


class Workshop:
    """A folder in which fake processes write what they do, and a supervisor over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.diary = folder / "diary"
        self.heard: list[tuple[str, str]] = []

    def spec(
        self, name: str, *after: str, code: str = LIVES, grace_s: float = 5, runs_once: bool = False
    ) -> ProcessSpec:
        ready = self.folder / f"{name}.ready"

        async def is_ready() -> bool:
            return ready.exists()

        command = (sys.executable, "-c", code, name, str(self.diary), str(ready))
        return ProcessSpec(name, command, is_ready, after=after, ready_file=ready, grace_s=grace_s, runs_once=runs_once)

    def supervisor(
        self, *specs: ProcessSpec, ready_within_s: float = 60, done_within_s: float = 60, watch: Watch | None = None
    ) -> Supervisor:
        def report(child: Child, words: str) -> None:
            self.heard.append((child.spec.name, words))

        return Supervisor(
            specs,
            self.folder,
            report=report,
            backoff=QUICK,
            watch=watch,
            ready_within_s=ready_within_s,
            done_within_s=done_within_s,
        )

    def written(self) -> list[str]:
        return self.diary.read_text().splitlines() if self.diary.exists() else []


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


async def until(what: object, within_s: float = 60) -> None:
    """Wait until a callable is true; the waiting itself proves nothing."""
    assert callable(what)
    async with asyncio.timeout(within_s):
        while not what():  # noqa: ASYNC110  # what changes is another process
            await asyncio.sleep(0.01)


async def test_each_starts_when_those_it_waits_for_are_ready_and_stops_before_them(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(
        workshop.spec("worker", "service"), workshop.spec("service", "base"), workshop.spec("base")
    )

    await supervisor.start()
    started = workshop.written()
    await supervisor.stop()

    assert started == ["base starts", "service starts", "worker starts"]
    assert workshop.written()[3:] == ["worker stops", "service stops", "base stops"]


async def test_one_that_uses_another_stops_before_it(workshop: Workshop) -> None:
    worker = dataclasses.replace(workshop.spec("worker"), uses=("service",))
    supervisor = workshop.supervisor(workshop.spec("service"), worker)

    await supervisor.start()
    await supervisor.stop()

    assert workshop.written()[2:] == ["worker stops", "service stops"]


async def test_independent_processes_start_together(workshop: Workshop) -> None:
    # each gets ready only when it sees that all six have started: one after the other they never would
    code = LIVES.replace("time.sleep(0.1)", "while open(diary).read().count('starts') < 6: time.sleep(0.01)")
    supervisor = workshop.supervisor(*(workshop.spec(name, code=code) for name in "abcdef"))

    await supervisor.start()
    await supervisor.stop()

    assert sorted(workshop.written()[:6]) == [f"{name} starts" for name in "abcdef"]


async def test_a_killed_process_is_started_again_and_nothing_else_is(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("base"), workshop.spec("service", "base"))
    await supervisor.start()
    base, service = supervisor.children["base"], supervisor.children["service"]
    first, bystander = base.pid, service.pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    await until(lambda: base.state == "ready" and base.pid not in {None, first})

    assert (base.restarts, service.restarts, service.pid) == (1, 0, bystander)
    assert ("base", "died (killed by SIGKILL); starts again in 0.1 s") in workshop.heard
    await supervisor.stop()


async def test_a_process_that_keeps_dying_is_started_ever_more_slowly(workshop: Workshop) -> None:
    code = "import sys\nopen(sys.argv[3], 'w').close()\nimport time; time.sleep(0.3)\nsys.exit(3)"
    supervisor = workshop.supervisor(workshop.spec("faulty", code=code))
    await supervisor.start()

    await until(lambda: supervisor.children["faulty"].restarts >= 3)
    await supervisor.stop()

    waits = [words for _, words in workshop.heard if words.startswith("died")]
    assert [wait.rsplit(" ", 2)[1] for wait in waits[:3]] == ["0.1", "0.1", "0.2"]
    assert all("exit code 3" in wait for wait in waits)


def test_the_wait_doubles_to_its_limit() -> None:
    waits = [Backoff(first_s=0.2, most_s=10).wait_s(deaths) for deaths in (1, 2, 3, 6, 7, 5000)]

    assert waits == [0.2, 0.4, 0.8, 6.4, 10.0, 10.0]


async def test_a_process_that_never_gets_ready_is_ended_and_fails_the_start(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("mute", code="import time; time.sleep(60)"), ready_within_s=0.2)

    with pytest.raises(StartFailed, match="mute does not start"):
        await supervisor.start()
    await supervisor.stop()

    assert ("mute", "not ready within 0 s: ended") in workshop.heard
    assert supervisor.children["mute"].pid is None


async def test_a_process_whose_probe_never_answers_is_ended_all_the_same(workshop: Workshop) -> None:
    async def never() -> bool:
        await asyncio.sleep(3600)
        return True

    deaf = dataclasses.replace(workshop.spec("deaf"), is_ready=never)
    supervisor = workshop.supervisor(deaf, ready_within_s=0.2)

    with pytest.raises(StartFailed, match="deaf does not start"):
        await supervisor.start()
    await supervisor.stop()

    assert supervisor.children["deaf"].pid is None


async def test_a_process_that_says_why_it_will_not_start_fails_the_start_at_once(workshop: Workshop) -> None:
    code = "import sys; print('inventory: the database is from a newer release', file=sys.stderr); sys.exit(78)"
    supervisor = workshop.supervisor(workshop.spec("inventory", code=code), workshop.spec("worker", "inventory"))

    with pytest.raises(StartFailed, match=r"^inventory: the database is from a newer release$"):
        await supervisor.start()
    await supervisor.stop()

    assert supervisor.children["inventory"].restarts == 0
    assert workshop.written() == []


async def test_a_job_runs_once_and_those_after_it_wait_for_its_end(workshop: Workshop) -> None:
    job = "import sys, time; time.sleep(0.2); open(sys.argv[2], 'a').write('migrations done\\n')"
    supervisor = workshop.supervisor(
        workshop.spec("service", "migrations"), workshop.spec("migrations", code=job, runs_once=True)
    )

    await supervisor.start()
    await supervisor.stop()

    assert workshop.written() == ["migrations done", "service starts", "service stops"]


async def test_a_job_that_fails_fails_the_start(workshop: Workshop) -> None:
    job = "raise SystemExit('billing: revision 0009 is unknown here')"
    supervisor = workshop.supervisor(
        workshop.spec("service", "migrations"), workshop.spec("migrations", code=job, runs_once=True)
    )

    with pytest.raises(StartFailed, match="revision 0009"):
        await supervisor.start()
    await supervisor.stop()

    assert workshop.written() == []


async def test_a_job_that_does_not_end_is_ended_and_fails_the_start(workshop: Workshop) -> None:
    job = workshop.spec("migrations", code="import time; time.sleep(60)", runs_once=True)
    supervisor = workshop.supervisor(workshop.spec("service", "migrations"), job, done_within_s=0.2)

    with pytest.raises(StartFailed, match="migrations does not start"):
        await supervisor.start()
    await supervisor.stop()

    assert ("migrations", "not ready within 0 s: ended") in workshop.heard
    assert workshop.written() == []


async def test_a_stop_that_one_does_not_hear_the_first_time_stops_it_all_the_same(workshop: Workshop) -> None:
    asked: list[str] = []

    async def overhears_once() -> bool:
        asked.append("are you ready?")
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:  # wait_for loses one when what it waits for ends just then
            if len(asked) > 1:
                raise
        return False

    supervisor = workshop.supervisor(dataclasses.replace(workshop.spec("service"), is_ready=overhears_once))
    starting = asyncio.create_task(supervisor.start())
    await until(lambda: asked)

    async with asyncio.timeout(60):
        await supervisor.stop()

    assert supervisor.children["service"].pid is None
    starting.cancel()


async def test_one_that_does_not_stop_is_killed_with_all_it_started(workshop: Workshop) -> None:
    code = "import subprocess, sys\nchild = subprocess.Popen(['sleep', '60'])\n" + STUBBORN.replace(
        'write("starts")', 'write(f"starts {child.pid}")'
    )
    supervisor = workshop.supervisor(workshop.spec("stubborn", code=code, grace_s=0.3))
    await supervisor.start()
    grandchild = int(workshop.written()[0].rsplit(" ", 1)[1])

    await supervisor.stop()

    assert workshop.written()[1] == "stubborn ignores"
    await until(lambda: not is_alive(grandchild))


async def test_a_stop_while_one_waits_to_be_started_again_starts_nothing(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(workshop.spec("base"))
    supervisor._backoff = Backoff(first_s=60, most_s=60)
    await supervisor.start()
    base = supervisor.children["base"]
    os.kill(base.pid or 0, signal.SIGKILL)
    await until(lambda: base.state == "restarting")

    await supervisor.stop()

    assert (base.state, base.pid) == ("stopped", None)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


SUPERVISES = """
import asyncio, sys
from pathlib import Path
from cli.processes import ProcessSpec
from cli.supervisor import Supervisor
async def main():
    spec = ProcessSpec("sleeper", ("sleep", "60"))
    supervisor = Supervisor([spec], Path(sys.argv[1]))
    await supervisor.start()
    print(supervisor.children["sleeper"].pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal to orphans is Linux's")
async def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISES, str(tmp_path)]
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as supervisor:  # noqa: ASYNC220  # returns at once
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert is_alive(child)

        supervisor.kill()

        await until(lambda: not is_alive(child))


@pytest.fixture
def sleepers() -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    command = ["sleep", "60"]
    with (
        ended(subprocess.Popen(command, start_new_session=True)) as orphan,
        ended(subprocess.Popen(command, start_new_session=True)) as stranger,
    ):
        yield orphan, stranger


def test_what_a_killed_supervisor_left_behind_is_ended_at_the_next_start(
    tmp_path: Path, sleepers: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]
) -> None:
    orphan, stranger = sleepers
    written = statefile.created_at(orphan.pid)
    entries = [
        {"name": "inventory", "pid": orphan.pid, "created_at": written},
        {"name": "billing", "pid": stranger.pid, "created_at": 12345.0},
        {"name": "orders", "pid": None, "created_at": None},
    ]
    statefile.write(tmp_path, {"processes": entries})

    with statefile.held(tmp_path):
        ended = statefile.end_orphans(tmp_path)

    assert ended == ["inventory"]
    assert not is_alive(orphan.pid)
    assert stranger.poll() is None


def test_a_second_supervisor_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with statefile.held(tmp_path):
        assert statefile.supervisor_pid(tmp_path) == os.getpid()
        with pytest.raises(statefile.AlreadyRunning, match=rf"already runs in .*pid {os.getpid()}.*oms down"):
            statefile.held(tmp_path).__enter__()

    assert statefile.supervisor_pid(tmp_path) is None
    with statefile.held(tmp_path):
        pass

"""A process that lives and does not answer: it is said to be silent, and started again."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import socket
import time
from pathlib import Path

import psutil
import pytest

from cli.processes import ProcessSpec
from cli.readiness import beating, smtp_greeting
from cli.supervisor import Watch
from tests.cli.test_supervisor import LIVES, Workshop, until


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


BEATS = LIVES.replace("while True: time.sleep(0.05)", "while True: os.utime(ready); time.sleep(0.02)")
ATTENTIVE = Watch(every_s=0.1, within_s=1, again_after_s=0.1, misses=4)


def beating_spec(workshop: Workshop, name: str) -> ProcessSpec:
    spec = workshop.spec(name, code=BEATS)

    async def is_ready() -> bool:
        return spec.ready_file is not None and spec.ready_file.exists() and age(spec.ready_file) < 2

    return dataclasses.replace(spec, is_ready=is_ready)


def age(file: Path) -> float:
    return time.time() - file.stat().st_mtime


async def test_a_process_that_hangs_is_said_to_be_silent_and_started_again(workshop: Workshop) -> None:
    supervisor = workshop.supervisor(beating_spec(workshop, "service"), workshop.spec("bystander"), watch=ATTENTIVE)
    await supervisor.start()
    service = supervisor.children["service"]
    first = service.pid
    assert first is not None

    os.kill(first, signal.SIGSTOP)
    await until(lambda: service.state == "silent")
    await until(lambda: service.state == "ready" and service.pid not in {None, first})
    await supervisor.stop()

    assert (service.restarts, supervisor.children["bystander"].restarts) == (1, 0)
    said = [words for name, words in workshop.heard if name == "service"]
    assert said.index("does not answer") < said.index("does not answer, asked 4 times: ended")
    assert not psutil.pid_exists(first)


async def test_a_process_that_hangs_for_a_moment_goes_on(workshop: Workshop) -> None:
    patient = dataclasses.replace(ATTENTIVE, misses=10_000)
    supervisor = workshop.supervisor(beating_spec(workshop, "service"), watch=patient)
    await supervisor.start()
    service = supervisor.children["service"]
    assert service.pid is not None

    os.kill(service.pid, signal.SIGSTOP)
    await until(lambda: service.state == "silent")
    os.kill(service.pid, signal.SIGCONT)
    await until(lambda: service.state == "ready")
    await supervisor.stop()

    assert service.restarts == 0
    assert ("service", "answers again") in workshop.heard


async def test_a_probe_that_hangs_counts_as_no_answer(workshop: Workshop) -> None:
    asked: list[None] = []

    async def once() -> bool:
        asked.append(None)
        if len(asked) > 1:
            await asyncio.sleep(3600)
        return True

    deaf = dataclasses.replace(workshop.spec("deaf"), is_ready=once)
    supervisor = workshop.supervisor(deaf, watch=dataclasses.replace(ATTENTIVE, within_s=0.1))
    await supervisor.start()

    await until(lambda: supervisor.children["deaf"].restarts == 1)
    asked_until_then = len(asked)
    await supervisor.stop()

    assert asked_until_then >= 1 + ATTENTIVE.misses  # once to get ready
    assert ("deaf", "does not answer, asked 4 times: ended") in workshop.heard


@pytest.mark.parametrize("probe_s", [0.0, 2.0, 3.0])
def test_a_hang_of_25_s_is_survived_however_long_a_question_takes_and_none_of_a_minute(probe_s: float) -> None:
    watch = Watch()

    # the first question comes at once or after every_s, each other one after the pause that the one before left
    first_to_last_s = sum(probe_s + watch.pause_s(missed, probe_s) for missed in range(1, watch.misses))

    assert first_to_last_s >= 33
    assert watch.pause_s(0, probe_s) + first_to_last_s + watch.within_s < 50


async def test_a_stopped_mail_server_does_not_greet_and_a_worker_that_does_not_beat_is_not_ready(
    tmp_path: Path,
) -> None:
    file = tmp_path / "worker.ready"
    with socket.create_server(("127.0.0.1", 0)) as accepts_by_its_kernel_alone:
        greets = smtp_greeting(accepts_by_its_kernel_alone.getsockname()[1])
        assert not await greets()
    assert not await greets()

    assert not await beating(file)()
    file.touch()
    assert await beating(file)()
    os.utime(file, (1, 1))
    assert not await beating(file)()

"""The supervisor: ordered start by readiness, restart with backoff, reverse stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.processes import Child, ProcessSpec, describe_exit
from cli.refusals import CommandRefused

_REFUSES_TO_START = 78  # EX_CONFIG: the process said what is wrong; starting it again will not help
_PROBE_EVERY_S = 0.05
_CANCELLED_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a restart: doubling from `first_s` to `most_s`, again after `steady_s` of health."""

    first_s: float = 0.2
    most_s: float = 10.0
    steady_s: float = 30.0

    def wait_s(self, deaths: int) -> float:
        """The wait after so many deaths in a row, the first being 1."""
        return float(min(self.most_s, self.first_s * 2.0 ** min(deaths - 1, 30)))


@dataclass(frozen=True, slots=True)
class Watch:
    """How a process that got ready is asked whether it still answers, and how many questions in a row it may leave open.

    Questions are counted, not seconds: a supervisor that was stopped itself, or sleeps with its machine, blames nobody. From the
    first question without an answer to the last there are 33 s, whether each takes its time or fails at once.
    """

    every_s: float = 5.0
    within_s: float = 3.0
    again_after_s: float = 3.0
    misses: int = 12

    def pause_s(self, missed: int, took_s: float) -> float:
        """How long to wait after a question that took so long, the last of so many in a row without an answer."""
        return max(0.0, self.again_after_s - took_s) if missed else self.every_s


class StartFailed(CommandRefused):
    """The system could not start; the message says which process would not, and why."""


class Supervisor:
    """Keeps a set of processes alive. One event loop; one task a process; `tell` hears what happens, in words."""

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        log_dir: Path,
        *,
        report: Callable[[Child, str], None] = lambda _child, _lines: None,
        backoff: Backoff | None = None,
        watch: Watch | None = None,
        ready_within_s: float = 60.0,
        done_within_s: float = 600.0,
        deaths_at_start: int = 3,
    ) -> None:
        """A process that dies `deaths_at_start` times before it was ever ready fails the start.

        `done_within_s` is for those that run once: a migration of a large database takes its time.
        """
        self.children = {spec.name: Child(spec, log_dir) for spec in specs}
        self._report = report
        self._backoff = backoff or Backoff()
        self._watch = watch or Watch()
        self._within_s = {spec.name: done_within_s if spec.runs_once else ready_within_s for spec in specs}
        self._deaths_at_start = deaths_at_start
        self._tasks: dict[str, asyncio.Task[None]] = {}
        unknown = {name for spec in specs for name in (*spec.after, *spec.uses)} - set(self.children)
        if unknown:
            raise ValueError(f"no such process: {', '.join(sorted(unknown))}")

    async def start(self) -> None:
        """Start all, each as soon as those before it are ready; raises StartFailed when one will not."""
        for name, child in self.children.items():
            self._tasks[name] = asyncio.create_task(self._keep(child), name=f"keep {name}")
        all_up = asyncio.create_task(self._all_up())
        try:
            await asyncio.wait([all_up, *self._tasks.values()], return_when=asyncio.FIRST_COMPLETED)
            for task in self._tasks.values():
                if task.done():
                    task.result()  # raises why it gave up
        finally:
            all_up.cancel()

    async def run(self) -> None:
        """Return only when a process cannot be kept: a bug in the supervisor; normally cancelled by the caller."""
        await asyncio.gather(*self._tasks.values())

    async def stop(self) -> None:
        """Stop all, those first on which nobody depends; ends what does not stop in its grace."""
        await asyncio.gather(*(self._stop(child) for child in self.children.values()))

    def kill(self) -> None:
        """End every process now, without grace."""
        for child in self.children.values():
            child.kill()

    async def _all_up(self) -> None:
        for child in self.children.values():
            await child.up.wait()

    async def _keep(self, child: Child) -> None:
        for name in child.spec.after:
            await self.children[name].up.wait()
        deaths = 0
        while True:
            began = time.monotonic()
            process = await child.spawn()
            self._report(child, "starting")
            if await self._becomes_ready(child, process):
                child.state = "done" if child.spec.runs_once else "ready"
                child.up.set()
                self._report(child, f"{child.state} in {time.monotonic() - began:.1f} s")
                if child.spec.runs_once:
                    await asyncio.Event().wait()  # its work is done; a task that ends is one that gave up
            code = await self._watched(child, process)
            child.kill()  # what it may have started
            deaths = 1 if time.monotonic() - began >= self._backoff.steady_s else deaths + 1
            self._give_up_if_hopeless(child, code, deaths)
            await self._back_off(child, code, deaths)

    async def _becomes_ready(self, child: Child, process: asyncio.subprocess.Process) -> bool:
        """Whether it got ready before it died; one that takes too long is ended, which counts as a death."""
        within_s = self._within_s[child.spec.name]
        try:
            async with asyncio.timeout(within_s):
                return await _ready_or_dead(child.spec, process)
        except TimeoutError:
            self._report(child, f"not ready within {within_s:.0f} s: ended")
            child.kill()
            return False

    async def _watched(self, child: Child, process: asyncio.subprocess.Process) -> int:
        """How it ended; one that lives and answers no question any more is ended, which counts as a death."""
        dying = asyncio.create_task(process.wait())
        missed, took_s = 0, 0.0
        try:
            while True:
                await asyncio.wait([dying], timeout=self._watch.pause_s(missed, took_s))
                if dying.done():
                    return dying.result()
                asked_at = time.monotonic()
                missed = 0 if child.state == "starting" or await self._answers(child) else missed + 1
                took_s = time.monotonic() - asked_at
                self._note(child, missed)
                if missed >= self._watch.misses:
                    self._report(child, f"does not answer, asked {missed} times: ended")
                    child.kill()
                    return await dying
        finally:
            dying.cancel()

    async def _answers(self, child: Child) -> bool:
        if child.spec.is_ready is None:
            return True
        try:
            async with asyncio.timeout(self._watch.within_s):
                return await child.spec.is_ready()
        except TimeoutError:
            return False

    def _note(self, child: Child, missed: int) -> None:
        if missed and child.state == "ready":
            child.state = "silent"
            self._report(child, "does not answer")
        elif not missed and child.state == "silent":
            child.state = "ready"
            self._report(child, "answers again")

    def _give_up_if_hopeless(self, child: Child, code: int, deaths: int) -> None:
        if child.up.is_set():
            return
        if not (child.spec.runs_once or code == _REFUSES_TO_START or deaths >= self._deaths_at_start):
            return
        child.state = "stopped"
        if code == _REFUSES_TO_START:
            raise StartFailed(child.last_lines(lines=1))
        words = child.last_lines() or describe_exit(code)
        raise StartFailed(
            f"{child.spec.name} does not start ({describe_exit(code)}); its log {child.log} ends:\n{words}"
        )

    async def _back_off(self, child: Child, code: int, deaths: int) -> None:
        wait_s = self._backoff.wait_s(deaths)
        child.state = "restarting"
        child.restarts += 1
        self._report(child, f"died ({describe_exit(code)}); starts again in {wait_s:.1f} s")
        await asyncio.sleep(wait_s)

    async def _stop(self, child: Child) -> None:
        name = child.spec.name
        dependents = [other for other in self.children.values() if name in (*other.spec.after, *other.spec.uses)]
        for other in dependents:
            await other.gone.wait()
        task = self._tasks.get(child.spec.name)
        while task is not None and not task.done():
            task.cancel()  # again, as one is lost when it meets the end of what the task waits for (wait_for of Python 3.11)
            await asyncio.wait([task], timeout=_CANCELLED_WITHIN_S)
        has_ended = await child.terminate()
        child.state = "stopped"
        child.gone.set()
        self._report(child, "stopped" if has_ended else f"does not end, even killed (pid {child.pid})")


async def _ready_or_dead(spec: ProcessSpec, process: asyncio.subprocess.Process) -> bool:
    """Whether it is ready; False once it has died instead."""
    if spec.runs_once:
        return await process.wait() == 0
    while process.returncode is None:
        if spec.is_ready is None or await spec.is_ready():
            return process.returncode is None
        with contextlib.suppress(TimeoutError):  # it lives: ask again
            await asyncio.wait_for(process.wait(), _PROBE_EVERY_S)
    return False

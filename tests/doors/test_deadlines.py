"""Nothing may hang: whoever waits for a thread, a process or a peer says for how long. Read from the source, by the shape of each call."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doors.test_code_rules import ROOT, hand_written

CREW = "its end is waited for without limit: use Crew or at_once of tests/threads.py"
DAEMON = "say daemon=True, or the process cannot end before it does"
TIMEOUT = "say timeout="
BOUND = "say for how long, or wait within asyncio.timeout()"
PIPED = "the end of the block waits without limit: use ended() of tests/processes.py"

ALLOWED: Mapping[tuple[str, str], str] = {
    ("bench/stub_services.py", "stop_requested.wait()"): "the process lives until it is told to stop",
    ("cli/proofs.py", "subprocess.run([sys.executable, '-m', 'bench', *context.args], check=False)"): (
        "the command is the benchmark, which has deadlines of its own"
    ),
    ("cli/running.py", "stop_requested.wait()"): "the system lives until it is told to stop",
    ("cli/supervisor.py", "child.up.wait()"): "the supervisor ends the start when a process is not ready in time",
    ("cli/supervisor.py", "self.children[name].up.wait()"): "as above; a stop cancels it",
    ("cli/supervisor.py", "asyncio.Event().wait()"): "its work is done; a stop cancels it",
    ("cli/supervisor.py", "process.wait()"): "a process lives until it dies or a stop cancels this; a job has a deadline around it",
    ("cli/supervisor.py", "other.gone.wait()"): "set in any case: each stop is bounded by the grace of its process",
    ("services/notifications/sink.py", "stop.wait()"): "the process lives until it is told to stop",
    ("services/billing/fake_stripe/__main__.py", "stop.wait()"): "the process lives until it is told to stop",
    ("services/orders/fake_avatax/__main__.py", "stop.wait()"): "the process lives until it is told to stop",
    ("gateway/http/neighbors/audit.py", "ThreadPoolExecutor(max_workers=len(asks))"): "each call in it has the deadline of its stub",
    ("gateway/http/plumbing/health.py", "ThreadPoolExecutor(max_workers=len(probes))"): "nobody waits for its end",
    ("services/runtime/process.py", "stop.wait()"): "the process lives until it is told to stop",
}  # fmt: skip
"""Path and call → why it may wait as it does."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A call that may wait for ever."""

    line: int
    call: str
    advice: str


class Source:
    """A module's tree, in which each node knows what it stands in."""

    def __init__(self, text: str) -> None:
        self._tree = ast.parse(text)
        self._nodes = list(ast.walk(self._tree))
        self._parents = {child: node for node in self._nodes for child in ast.iter_child_nodes(node)}
        self._barriers = set(self._names_of_barriers())

    def faults(self) -> Iterator[Fault]:
        for node in self._nodes:
            if isinstance(node, ast.Call) and (advice := self._advice(node)):
                yield Fault(node.lineno, ast.unparse(node), advice)

    def _advice(self, call: ast.Call) -> str:
        """What to say of a call that may wait for ever; nothing of any other."""
        match name_of(call.func):
            case "ThreadPoolExecutor" | "ProcessPoolExecutor" if not self._is_given_to(call, "server"):
                return CREW
            case "Thread" if not has(call, "daemon"):
                return DAEMON
            case "Barrier" | "urlopen" if not has(call, "timeout"):
                return TIMEOUT
            case "run" | "call" | "check_call" | "check_output" if is_of_subprocess(call) and not has(call, "timeout"):
                return TIMEOUT
            case "Popen" if isinstance(self._parents[call], ast.withitem):
                return PIPED
            case "wait" | "as_completed" if isinstance(call.func, ast.Name) and not is_bounded(call, after=1):
                return BOUND
            case "communicate" if not is_bounded(call, after=1):
                return BOUND
            case "join" | "wait" if isinstance(call.func, ast.Attribute) and not self._ends(call, call.func):
                return BOUND
            case "result" if not is_bounded(call) and name_of(receiver(call)) == "run_coroutine_threadsafe":
                return BOUND
        return ""

    def _ends(self, call: ast.Call, method: ast.Attribute) -> bool:
        is_meeting = method.attr == "wait" and ast.unparse(method.value) in self._barriers
        return is_bounded(call) or is_meeting or self._is_given_to(call, "wait_for") or self._is_in_a_timeout(call)

    def _is_given_to(self, call: ast.Call, function: str) -> bool:
        parent = self._parents[call]
        return isinstance(parent, ast.Call) and name_of(parent.func) == function

    def _is_in_a_timeout(self, node: ast.AST) -> bool:
        while (node := self._parents.get(node, self._tree)) is not self._tree:
            if isinstance(node, ast.AsyncWith) and any(
                isinstance(each.context_expr, ast.Call) and name_of(each.context_expr.func) == "timeout"
                for each in node.items
            ):
                return True
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return False
        return False

    def _names_of_barriers(self) -> Iterator[str]:
        """A barrier has its time when it is made: whoever waits at it need not say it again."""
        for node in self._nodes:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and name_of(node.value) == "Barrier":
                yield from (ast.unparse(target) for target in node.targets)


def name_of(function: ast.expr | None) -> str:
    """The last part of what is called."""
    function = function.func if isinstance(function, ast.Call) else function
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def receiver(call: ast.Call) -> ast.expr | None:
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def has(call: ast.Call, name: str) -> bool:
    """Is the argument said, and neither None nor False?"""
    return any(word.arg == name and not is_nothing(word.value) for word in call.keywords)


def is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value in {None, False}


def is_bounded(call: ast.Call, after: int = 0) -> bool:
    """Does it say for how long: by name, or behind so many positions?"""
    return has(call, "timeout") or any(not is_nothing(value) for value in call.args[after:])


def is_of_subprocess(call: ast.Call) -> bool:
    return ast.unparse(receiver(call) or call) == "subprocess"


# what has none of these needs no closer look, which spares most of it
SUSPECT = re.compile(
    r"Pool|Thread|Barrier|Popen|subprocess|urlopen|communicate|as_completed|wait\(|run_coroutine_threadsafe"
    r"|\.join\((?:\)|None|timeout)"
)


def faults_in(text: str) -> list[Fault]:
    return list(Source(text).faults()) if SUSPECT.search(text) else []


def faults_of(path: Path) -> list[Fault]:
    return faults_in(path.read_text())


def test_whoever_waits_says_for_how_long() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{fault.line}: {fault.call}: {fault.advice}"
        for path in hand_written()
        for fault in faults_of(path)
        if (str(path.relative_to(ROOT)), fault.call) not in ALLOWED
    ]

    assert found == []


def test_every_exception_is_still_needed() -> None:
    found = {(name, fault.call) for name in {name for name, _ in ALLOWED} for fault in faults_of(ROOT / name)}

    assert set(ALLOWED) - found == set()


@pytest.mark.parametrize(
    ("planted", "advice"),
    [
        ("with ThreadPoolExecutor(4) as pool: pool.submit(act)", CREW),
        ("pool = concurrent.futures.ThreadPoolExecutor()", CREW),
        ("server = grpc.server(ThreadPoolExecutor(4))", ""),
        ("threading.Thread(target=act).start()", DAEMON),
        ("Thread(target=act, daemon=False)", DAEMON),
        ("Thread(target=act, daemon=True)", ""),
        ("together = threading.Barrier(4)", TIMEOUT),
        ("together = threading.Barrier(4, timeout=None)", TIMEOUT),
        ("together = threading.Barrier(4, timeout=10)\nasync def act():\n    together.wait()", ""),
        ("def act(together):\n    together.wait()", BOUND),
        ("thread.join()", BOUND),
        ("thread.join(timeout=None)", BOUND),
        ("thread.join(5)", ""),
        ("', '.join(words)", ""),
        ("server.stop(None).wait()", BOUND),
        ("server.stop(None).wait(10)", ""),
        ("wait(futures)", BOUND),
        ("wait(futures, timeout=5)", ""),
        ("said, _ = process.communicate('yes')", BOUND),
        ("said, _ = process.communicate('yes', timeout=5)", ""),
        ("subprocess.run(['git', 'log'], check=True)", TIMEOUT),
        ("subprocess.run(['git', 'log'], check=True, timeout=5)", ""),
        ("subprocess.check_output(['git', 'log'])", TIMEOUT),
        ("asyncio.run(main())", ""),
        ("with subprocess.Popen(['git', 'log']) as process: pass", PIPED),
        ("with ended(subprocess.Popen(['git', 'log'])) as process: pass", ""),
        ("urllib.request.urlopen('http://127.0.0.1')", TIMEOUT),
        ("asyncio.run_coroutine_threadsafe(call(), loop).result()", BOUND),
        ("asyncio.run_coroutine_threadsafe(call(), loop).result(5)", ""),
        ("async def act():\n    await event.wait()", BOUND),
        ("async def act():\n    await asyncio.wait_for(event.wait(), 5)", ""),
        ("async def act():\n    async with asyncio.timeout(5):\n        await event.wait()", ""),
        ("async with asyncio.timeout(5):\n    async def act():\n        await event.wait()", BOUND),
    ],
)  # fmt: skip
def test_a_wait_without_end_is_seen_and_one_with_an_end_is_not(planted: str, advice: str) -> None:
    assert [fault.advice for fault in faults_in(planted)] == ([advice] if advice else [])

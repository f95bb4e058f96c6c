"""A whole system, with fake processes, as `oms up` runs it: signals, folders, ports, and what is written down."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from bench.ports import free_ports
from cli import running, statefile
from cli.embedded import TemporalMissing, environment, specs
from cli.ports import Ports, PortTaken
from cli.processes import Child, ProcessSpec
from cli.refusals import CommandRefused
from cli.running import Logbook
from cli.system import describe
from tests.processes import ended
from tests.threads import until

FAKE = """
import sys
from pathlib import Path
from cli import running
from cli.ports import Ports
from cli.processes import ProcessSpec
from cli.readiness import http_ready
from cli.refusals import CommandRefused

API = '''
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
'''

def specs(var, ports):
    orders = ProcessSpec("orders", (sys.executable, "-c", API, str(ports.http)), http_ready(f"http://127.0.0.1:{ports.http}/readyz"), port=ports.http)
    write = f"mkdir -p {var}/made && touch {var}/made/by_a_child && exec sleep 600"
    return [orders, ProcessSpec("sleeper", ("sh", "-c", write), after=("orders",))]

try:
    running.serve(Path(sys.argv[1]), Ports.parse(sys.argv[2]), lambda line: print(line, flush=True), specs)
except CommandRefused as refusal:
    sys.exit(str(refusal))
"""


class Ups:
    """Starts fake systems and ends those that a test leaves running."""

    def __init__(self, var: Path, ends: ExitStack) -> None:
        self.var = var
        self._ends = ends

    def start(self, ports: Ports) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", FAKE, str(self.var), ports.as_text()]
        up = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self._ends.enter_context(ended(up, within_s=150))

    def ready(self, ports: Ports) -> subprocess.Popen[str]:
        up = self.start(ports)
        until(lambda: (statefile.read(self.var) or {}).get("pid") == up.pid and self.state()["ready_at"])
        return up

    def state(self) -> dict[str, object]:
        return statefile.read(self.var) or {}

    def pids(self) -> list[int]:
        state = statefile.read(self.var) or {}
        return [entry["pid"] for entry in state["processes"] if entry["pid"]]

    def refusal(self, ports: Ports) -> str:
        up = self.start(ports)
        _, said = up.communicate(timeout=60)
        assert up.returncode == 1
        return said.strip()


def start(var: Path, ports: Ports, *, is_detached: bool) -> None:
    if is_detached:
        running.start_detached(var, ports)
    else:
        running.serve(var, ports, print)


@pytest.fixture
def ups(tmp_path: Path) -> Iterator[Ups]:
    with ExitStack() as ends:
        yield Ups(tmp_path / "var", ends)


def test_a_system_says_what_it_is_and_stops_on_sigterm(ups: Ups) -> None:
    ports = free_ports()
    up = ups.ready(ports)
    state = running.current(ups.var)
    assert state is not None
    report = describe(state)

    assert report["is_ready"]
    assert [entry["name"] for entry in report["processes"]] == ["supervisor", "orders", "sleeper"]
    assert all(entry["rss_bytes"] > 0 and entry["uptime_s"] is not None for entry in report["processes"])
    assert report["url"] == f"http://127.0.0.1:{ports.http}"
    children = ups.pids()

    assert running.stop(ups.var)

    said, _ = up.communicate(timeout=60)
    assert up.returncode == 0
    assert said.splitlines()[-2:] == ["sleeper       stopped", "orders        stopped"]
    assert not any(psutil.pid_exists(pid) for pid in children)
    assert running.current(ups.var) is None
    assert not running.stop(ups.var)


def test_what_a_system_keeps_is_its_owners_alone(ups: Ups) -> None:
    ups.ready(free_ports())
    until((ups.var / "made" / "by_a_child").exists)

    kept = [ups.var, *ups.var.rglob("*")]
    folders = {str(path.relative_to(ups.var)): mode(path) for path in kept if path.is_dir()}
    files = {str(path.relative_to(ups.var)): mode(path) for path in kept if path.is_file()}

    assert folders == dict.fromkeys([".", "log", "run", "mail", "keys", "made"], "700")
    assert files.keys() >= {"oms.json", "oms.pid", "log/orders.log", "made/by_a_child"}
    assert set(files.values()) == {"600"}


def test_what_an_earlier_release_left_open_is_closed(ups: Ups) -> None:
    (ups.var / "mail").mkdir(parents=True, mode=0o755)
    (ups.var / "orders.db").touch(0o644)

    ups.ready(free_ports())

    assert (mode(ups.var / "mail"), mode(ups.var / "orders.db")) == ("700", "600")


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def test_a_second_up_in_the_same_folder_is_refused(ups: Ups) -> None:
    up = ups.ready(free_ports())

    said = ups.refusal(free_ports())

    assert f"already runs in {ups.var} (pid {up.pid})" in said
    assert "oms down" in said
    assert running.current(ups.var)


def test_a_taken_port_is_refused_before_anything_starts(ups: Ups) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports.billing)):
        said = ups.refusal(ports)

    assert said.startswith(f"port {ports.billing}, which the billing service needs, is taken")
    assert "--port-offset" in said
    assert "--http-port" not in said


@pytest.mark.parametrize("is_detached", [False, True])
def test_a_start_that_is_refused_leaves_nothing_behind(ups: Ups, tmp_path: Path, is_detached: bool) -> None:
    ports, var = free_ports(), tmp_path / "deep" / "var"
    with socket.create_server(("127.0.0.1", ports.temporal)), pytest.raises(PortTaken, match="Temporal needs"):
        start(var, ports, is_detached=is_detached)

    assert list(tmp_path.iterdir()) == []


def test_a_refused_start_keeps_what_was_in_the_folder_and_the_next_command_knows_that_nothing_runs(ups: Ups) -> None:
    ports = free_ports()
    ups.ready(ports)
    running.stop(ups.var)
    before = sorted(path.name for path in ups.var.iterdir())
    with socket.create_server(("127.0.0.1", ports.http)):
        said = ups.refusal(ports)

    assert "start with --http-port" in said
    assert sorted(path.name for path in ups.var.iterdir()) == before
    assert statefile.LOCK_FILE not in before
    assert running.current(ups.var) is None


@pytest.mark.parametrize("is_detached", [False, True])
@pytest.mark.parametrize(("name", "reason"), [("taken", "it is a file"), ("taken/var", "Not a directory")])
def test_a_folder_that_cannot_be_one_is_refused_with_the_option_that_names_another(
    tmp_path: Path, name: str, reason: str, is_detached: bool
) -> None:
    (tmp_path / "taken").touch()

    with pytest.raises(CommandRefused) as refusal:
        start(tmp_path / name, free_ports(), is_detached=is_detached)

    sentence = f"{tmp_path / name} is no folder to work in ({reason}): name another with --var"
    assert str(refusal.value) == sentence
    assert running.current(tmp_path / name) is None
    assert not running.stop(tmp_path / name)


def test_a_start_without_a_program_it_needs_leaves_nothing_behind(tmp_path: Path) -> None:
    def missing(_var: Path, _ports: Ports) -> list[ProcessSpec]:
        raise TemporalMissing("there is no `temporal` program here")

    with pytest.raises(TemporalMissing):
        running.serve(tmp_path / "var", free_ports(), print, missing)

    assert list(tmp_path.iterdir()) == []


def test_a_system_that_gets_neither_ready_nor_ends_is_ended_in_time(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match=r"not ready within 1 s and was ended; see .*log"):
        running.start_detached(tmp_path / "var", free_ports(), ("tests.cli.idle",), within_s=1)


def test_after_a_kill_the_next_up_starts_at_once_on_the_same_ports(ups: Ups) -> None:
    ports = free_ports()
    first = ups.ready(ports)
    left = ups.pids()

    first.kill()
    first.wait(10)
    until(lambda: not any(psutil.pid_exists(pid) for pid in left))
    second = ups.ready(ports)

    assert running.current(ups.var)
    assert ups.state()["pid"] == second.pid


def test_a_process_that_dies_is_back_and_counted(ups: Ups) -> None:
    ups.ready(free_ports())
    victim = ups.pids()[0]

    os.kill(victim, signal.SIGKILL)

    until(lambda: len(ups.pids()) == 2 and victim not in ups.pids())
    state = running.current(ups.var)
    assert state is not None
    assert [entry["restarts"] for entry in state["processes"]] == [1, 0]
    until(lambda: describe(running.current(ups.var) or state)["is_ready"])


def test_every_process_of_the_embedded_system_knows_where_the_others_are(tmp_path: Path) -> None:
    ports = Ports.shifted(100)
    built = {spec.name: spec for spec in specs(tmp_path, ports)}

    reported = built["billing"].env
    assert reported["OMS_LISTEN"] == reported["OMS_BILLING_TARGET"] == "127.0.0.1:7404"
    assert reported["OMS_DATABASE_URL"] == f"sqlite:///{tmp_path}/billing.db"
    assert built["orders"].env["OMS_HTTP_LISTEN"] == "127.0.0.1:8100"
    assert {spec.env.get("OMS_TEMPORAL_TARGET") for spec in built.values() if spec.env} == {"127.0.0.1:7333"}
    assert set(environment(tmp_path, ports)) <= set(built["worker"].env)
    assert {name for name, spec in built.items() if "migrations" in spec.after} == {
        "orders", "inventory", "fulfillment", "billing", "notifications"
    }  # fmt: skip


def test_a_stop_is_waited_for_longer_than_all_who_stop_one_after_the_other_may_take(tmp_path: Path) -> None:
    built = {spec.name: spec for spec in specs(tmp_path, Ports.shifted(100))}

    def gone_after_s(name: str) -> float:
        before = [other.name for other in built.values() if name in (*other.after, *other.uses)]
        return built[name].grace_s + max(map(gone_after_s, before), default=0.0)

    # worker 35 s, orders 10, notifications 10, mail 10
    assert max(map(gone_after_s, built)) == 65
    assert running.STOPPED_WITHIN_S > 65 + 30  # and what ends without grace takes a moment


def test_a_full_disk_does_not_end_the_supervisor_which_writes_its_state_there(tmp_path: Path) -> None:
    said: list[str] = []
    logbook = Logbook(tmp_path / "no such folder", free_ports(), said.append)

    logbook.report(Child(ProcessSpec("orders", ("true",)), tmp_path), "died (exit code 1)")

    assert said == []

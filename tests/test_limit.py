"""What ends a test, `make test`, `make prove` and `.ci/run` when something hangs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

LIMIT = Path(__file__).with_name("limit.py")
HANGS = "import threading, time\ndef waiting_for_nobody(): time.sleep(600)\nwaiting_for_nobody()"


def limited(minutes: str, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(LIMIT), minutes, *command], capture_output=True, text=True, check=False, timeout=60
    )


def test_what_hangs_shows_its_stacks_and_is_ended(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"{sys.executable} -X faulthandler -c '{HANGS}' & echo $! > {pid_file}; wait"

    ended = limited("0.03", "sh", "-c", script)

    assert ended.returncode == 124
    assert "is not done after 0.03 minutes" in ended.stderr
    assert "in waiting_for_nobody" in ended.stderr
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_the_exit_code_is_the_commands() -> None:
    assert [limited("1", "sh", "-c", f"exit {code}").returncode for code in (0, 3)] == [0, 3]
    assert limited("1", "sh", "-c", "kill -TERM $$").returncode == 128 + 15


def test_what_outlives_the_command_is_named_and_ended(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    detached = f"setsid sleep 600 & echo $! > {pid_file}; exit 0"

    ended = limited("1", "sh", "-c", detached)

    assert ended.returncode == 0
    assert re.search(rf"still running, and ended now: \w+ \({pid_file.read_text().strip()}\)", ended.stderr)
    assert not psutil.pid_exists(int(pid_file.read_text()))


def test_the_cpu_of_grandchildren_that_lost_their_parent_is_counted(tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = f'import pathlib, time\nwhile time.process_time() < 1.2: pass\npathlib.Path("{done}").touch()'

    ended = limited("1", "sh", "-c", f"({sys.executable} -c '{code}' &); until [ -e {done} ]; do sleep 0.1; done")

    spent = re.search(r"CPU [\d.]+ min \(user (\d+) s, sys (\d+) s\)", ended.stderr)
    assert spent is not None
    assert sum(int(each) for each in spent.groups()) >= 1


def test_a_wrong_call_says_how_it_is_called() -> None:
    assert "Usage" in limited("soon", "true").stderr


HANGS_AGAIN = """
import threading, pytest

@pytest.mark.timeout(1)
def test_that_hangs_again_while_it_ends():
    try:
        assert threading.Event().wait(600), "nobody sets it"
    finally:
        threading.Event().wait(600)
"""


@pytest.mark.prove
@pytest.mark.slice
def test_a_test_that_hangs_again_after_its_timeout_ends_its_process_and_shows_its_stacks(tmp_path: Path) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGS_AGAIN)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "test_hanging.py"]

    ended = subprocess.run(
        [*command, "-c", "/dev/null", f"--rootdir={tmp_path}"],
        cwd=tmp_path,
        env=os.environ | {"OMS_TEST_GRACE_S": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 1
    assert "Timeout (0:00:02)!" in ended.stderr
    assert "in test_that_hangs_again_while_it_ends" in ended.stderr

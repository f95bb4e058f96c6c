"""The jobs that prepare Temporal, against a server that takes its time, as a real one does after each change."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ATTRIBUTES = ["OmsNumber", "OmsCustomer", "OmsChannel", "OmsPO", "OmsTotalMinor", "OmsPhase"]

SLOW_SERVER = """#!/bin/sh
# Answers nothing at first; knows what was made only when it was asked three times more.
asked() { n=$(cat "$STUB/$1" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$STUB/$1"; [ $n -gt 3 ]; }
echo "$@" >> "$STUB/calls"
asked start || { echo "connection refused" >&2; exit 1; }
case "$*" in
*"namespace describe"*) [ -e "$STUB/namespace" ] && asked described || { echo "not found" >&2; exit 1; } ;;
*"namespace create"*) [ ! -e "$STUB/namespace" ] || { echo "already exists" >&2; exit 1; }; touch "$STUB/namespace" ;;
*"search-attribute list"*) asked known || { echo "not found" >&2; exit 1; }; cat "$STUB/attributes" 2>/dev/null || true ;;
*"search-attribute create"*)
    [ -e "$STUB/namespace" ] && asked "create $7" || { echo "not found" >&2; exit 1; }
    echo "$7" >> "$STUB/attributes" ;;
esac
"""

FLAKY_TOOL = """#!/bin/sh
n=$(cat "$STUB/tries" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "$STUB/tries"
echo "$@" >> "$STUB/calls"
[ $n -gt 2 ]
"""


def run(script: str, stub: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{stub}:{os.environ['PATH']}", "STUB": str(stub), "RETRY_EVERY": "0", **variables}
    command = ["/bin/sh", str(ROOT / "deploy" / "temporal" / script)]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    for name, text in {"temporal": SLOW_SERVER, "temporal-sql-tool": FLAKY_TOOL}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


NOTIFIED = {"TEMPORAL_ADDRESS": "temporal:7233", "TEMPORAL_NAMESPACE": "default", "TEMPORAL_RETENTION": "30d"}


def test_the_namespace_is_made_by_the_first_run_however_slow_the_server_is(stub: Path) -> None:
    ended = run("namespace.sh", stub, **NOTIFIED)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert (stub / "attributes").read_text().split() == ATTRIBUTES


def test_a_second_run_makes_nothing(stub: Path) -> None:
    run("namespace.sh", stub, **NOTIFIED)
    (stub / "calls").write_text("")

    ended = run("namespace.sh", stub, **NOTIFIED)

    assert ended.returncode == 0
    assert "create" not in (stub / "calls").read_text()


def test_a_server_that_never_comes_is_said_with_its_own_words(stub: Path) -> None:
    (stub / "temporal").write_text("#!/bin/sh\necho 'connection refused' >&2\nexit 1\n")

    ended = run("namespace.sh", stub, RETRIES="3", **NOTIFIED)

    assert ended.returncode == 1
    assert "temporal:7233" in ended.stderr
    assert "connection refused" in ended.stderr


def test_the_schema_waits_for_its_database(stub: Path) -> None:
    ended = run("schema.sh", stub, POSTGRES_SEEDS="postgres")

    assert ended.returncode == 0
    commands = [call.partition("--db ")[2] for call in (stub / "calls").read_text().splitlines()]
    assert commands[:3] == ["temporal setup-schema -v 0.0"] * 3
    assert [command.split()[1] for command in commands[2:]] == [
        "setup-schema",
        "update-schema",
        "setup-schema",
        "update-schema",
    ]

"""What ends a demo: its exit code is the day's, and what failed is kept where the person who played it is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli import statefile
from cli.proofs import played
from cli.refusals import CommandRefused
from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms


def refuse_to_stop() -> None:
    raise CommandRefused("the system does not stop")


@pytest.mark.parametrize(("problems", "code"), [((), 0), (("the audit is not clean",), 1)])
def test_the_exit_code_is_the_days_though_the_system_does_not_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], problems: Sequence[str], code: int
) -> None:
    log = tmp_path / "demo.log"

    assert played(lambda: problems, refuse_to_stop, log) == code

    kept = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
    assert kept == [*problems, "the system does not stop"]
    said = capsys.readouterr().err
    assert "the system does not stop\n" in said
    assert f"what ended the demo is kept in {log}\n" in said


def test_a_bug_that_ends_a_day_is_kept_and_still_told_though_the_system_does_not_stop(tmp_path: Path) -> None:
    log = tmp_path / "demo.log"

    def day() -> Sequence[str]:
        raise KeyError("receipt")

    with pytest.raises(KeyError, match="receipt"):
        played(day, refuse_to_stop, log)

    assert "KeyError: 'receipt'\n" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_day_without_a_problem_keeps_nothing(tmp_path: Path) -> None:
    assert played(tuple, lambda: None, tmp_path / "demo.log") == 0

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_hides_nothing_of_what_ended_a_day(tmp_path: Path) -> None:
    assert played(lambda: ["the audit is not clean"], lambda: None, tmp_path / "no such folder" / "demo.log") == 1


def test_a_demo_on_a_system_that_refuses_it_says_where_the_reason_is_kept(command: Oms, api: FakeApi) -> None:
    (command.var / "log").mkdir()

    with statefile.held(command.var):
        statefile.write(command.var, {"pid": 1, "url": api.url, "processes": []})
        answer = command("demo")

    log = command.var / "log" / "demo.log"
    assert (answer.code, answer.err) == (1, f"what ended the demo is kept in {log}\n")
    reason = log.read_text().split(" ", 1)[1].strip()
    assert reason
    assert reason in " ".join(answer.out.split())

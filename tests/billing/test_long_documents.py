"""A long document is made by a process of its own: what that may do, and what who asks is told when it fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from structlog.testing import capture_logs

from services.billing.documents import rendering, typesetting
from services.billing.documents.content import Content
from services.kernel.errors import Conflict, Refused

LONG = cast("Content", {"lines": [[]] * (rendering.LINES_HERE + 1)})


def plant(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Long documents are made by this program."""
    monkeypatch.setattr(rendering, "_PROGRAM", (sys.executable, "-c", program))


def test_a_process_that_dies_over_a_document_is_a_refusal_for_good_and_the_next_one_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch, "import os; os.kill(os.getpid(), 9)")
    with capture_logs() as logs, pytest.raises(Refused, match="could not be made") as refused:
        rendering.pdf(LONG)

    plant(monkeypatch, "print('%PDF-1.7', end='')")

    assert rendering.pdf(LONG) == b"%PDF-1.7"
    assert (refused.value.reason, refused.value.is_final) == ("DOCUMENT_NOT_MADE", True)
    assert [(entry["event"], entry["code"]) for entry in logs] == [("documents.process_died", -9)]


def test_a_document_that_takes_too_long_or_waits_too_long_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "_TIMEOUT_S", 0.2)
    monkeypatch.setattr(rendering, "_TURN_S", 0.1)
    plant(monkeypatch, "import time; time.sleep(30)")

    with pytest.raises(Conflict) as slow:
        rendering.pdf(LONG)
    with rendering._ONE, pytest.raises(Conflict) as waiting:
        rendering.pdf(LONG)

    assert [each.value.reason for each in (slow, waiting)] == ["DOCUMENTS_BUSY"] * 2


def test_who_waits_for_a_long_document_hears_of_it_before_the_gateway_hangs_up() -> None:
    assert rendering._TURN_S + rendering._TIMEOUT_S <= 25


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is told whom to end first")
def test_the_process_of_a_long_document_is_the_first_to_be_ended_when_memory_is_short(tmp_path: Path) -> None:
    report = "sys.stdout.write(Path('/proc/self/oom_score_adj').read_text())"
    source, changed = re.subn(
        r"sys\.stdout\.buffer\.write\(typeset.*", report, Path(typesetting.__file__).read_text("utf-8")
    )
    (tmp_path / "typesetting.py").write_text(source, "utf-8")

    done = subprocess.run(
        (sys.executable, tmp_path / "typesetting.py"), capture_output=True, text=True, timeout=30, check=True
    )

    assert (changed, done.stdout.strip()) == (1, "1000")

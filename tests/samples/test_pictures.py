"""The pictures of README: there, small, and made by a command that says what it lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.refusals import CommandRefused
from samples import documents, pictures
from services.runtime.settings import ServiceSettings
from tests.conftest import ROOT


def test_every_picture_of_readme_is_there_and_small() -> None:
    named = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    files = [ROOT / name for name in named]

    assert [file.name for file in files] == ["overview.png", "order.png", "history.png"]
    assert sorted(files) == sorted(pictures.OUT.glob("*.png"))
    for file in files:
        assert file.read_bytes().startswith(b"\x89PNG")
        assert file.stat().st_size <= pictures.MAX_BYTES


def test_where_no_system_runs_no_picture_is_taken(tmp_path: Path) -> None:
    with pytest.raises(CommandRefused, match="start one with `oms demo --keep"):
        list(pictures.take(tmp_path, tmp_path / "out"))

    assert not (tmp_path / "out").exists()


def test_the_demos_company_is_what_processes_can_be_told() -> None:
    company = documents.read("company")

    assert set(company) <= set(ServiceSettings.model_fields)
    assert ServiceSettings(**company).company_name == "Northgate Pump & Electric"

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.fake_api import FakeApi, serving
from tests.cli.terminal import Oms


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Oms:
    (tmp_path / "keys").mkdir()
    monkeypatch.setenv("OMS_VAR", str(tmp_path))
    monkeypatch.delenv("OMS_TOKEN", raising=False)
    monkeypatch.setenv("OMS_URL", "http://127.0.0.1:9")
    return Oms(tmp_path, monkeypatch, capsys)


@pytest.fixture
def api(command: Oms, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with serving() as fake:
        monkeypatch.setenv("OMS_URL", fake.url)
        yield fake

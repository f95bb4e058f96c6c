"""The command line as tests call it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest

from cli import __main__ as oms


@dataclass
class Answer:
    code: int
    out: str
    err: str


class Oms:
    """The command line in this process."""

    def __init__(self, var: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.var = var
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str) -> Answer:
        self._monkeypatch.setattr("sys.argv", ["oms", *words])
        with pytest.raises(SystemExit) as ended:
            oms.main()
        out, err = self._capsys.readouterr()
        return Answer(int(ended.value.code or 0), out, err)


def claims(bearer: str) -> dict[str, object]:
    return dict(jwt.decode(bearer.removeprefix("Bearer ").strip(), options={"verify_signature": False}))

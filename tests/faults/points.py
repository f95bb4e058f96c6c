"""Kill points: a file per armed point; the process that reaches the point first takes the file and dies of SIGKILL."""

from __future__ import annotations

import os
import signal
from pathlib import Path

FOLDER_VARIABLE = "OMS_TEST_KILL_POINTS"
PLANTED_VARIABLE = "OMS_TEST_PLANTED_BUG"


class Armoury:
    """The armed points of one system, by name: "inventory.ReserveStock.before_reply"."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def arm(self, point: str) -> None:
        """Kill whoever reaches the point next."""
        self._file(point).touch()

    def disarm(self, point: str) -> None:
        """Spare whoever reaches the point; nothing when it is not armed."""
        self._file(point).unlink(missing_ok=True)

    def has_struck(self, point: str) -> bool:
        """Whether the armed point was reached."""
        return not self._file(point).exists()

    def reached(self, point: str) -> None:
        """The calling process is at this point: if it is armed, there is no next instruction."""
        try:
            self._file(point).unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def _file(self, point: str) -> Path:
        return self._folder / point.replace("/", ":")

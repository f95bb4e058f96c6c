"""Where log lines go: a disk that is full loses lines, and never the work that they tell of."""

from __future__ import annotations

import json
from typing import Protocol


class Bytes(Protocol):
    """What is written to, best without a buffer of its own: what waits in one is neither written nor lost."""

    def write(self, octets: bytes, /) -> int | None:
        """How many were taken, which may be fewer than there are."""

    def flush(self) -> None:
        """Hand on what is held."""


class LossyOutput:
    """A stream of lines that drops what cannot be written, and says how many lines that was as soon as it can.

    A log line is written in the middle of everything, also where a failure is told: raised there, the disk's error would end the
    thread that had survived the failure. A line of which the disk took a part is lost too, and the next begins after its end.
    """

    def __init__(self, stream: Bytes) -> None:
        self._stream = stream
        self._lost = 0
        self._is_torn = False

    def write(self, text: str) -> int:
        """Write a line with its end, or count it as lost."""
        if self._lost and self._put(
            json.dumps({"event": "log.lines_lost", "count": self._lost, "level": "warning"}) + "\n"
        ):
            self._lost = 0
        if self._lost or not self._put(text):
            self._lost += 1
        return len(text)

    def flush(self) -> None:
        """Hand it on; what a full disk does not take is lost."""
        try:
            self._stream.flush()
        except OSError:
            self._lost += 1

    def _put(self, line: str) -> bool:
        """Whether all of it was taken."""
        rest = (("\n" if self._is_torn else "") + line).encode(errors="backslashreplace")
        while rest:
            try:
                taken = self._stream.write(rest) or 0
            except OSError:
                return False
            if not taken:
                return False
            self._is_torn = rest[:taken][-1:] != b"\n"
            rest = rest[taken:]
        return True

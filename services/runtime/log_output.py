"""Where log lines go: a disk that is full loses lines, and never the work that they tell of."""

from __future__ import annotations

import json
from typing import TextIO


class LossyOutput:
    """A text stream that drops what cannot be written, and says how much that was as soon as it can.

    A log line is written in the middle of everything, also where a failure is told: raised there, the disk's error would end the
    thread that had survived the failure.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost = 0

    def write(self, text: str) -> int:
        """Write it, or count it as lost."""
        try:
            if self._lost:
                said = {"event": "log.lines_lost", "count": self._lost, "level": "warning"}
                self._stream.write(json.dumps(said) + "\n")
                self._lost = 0
            self._stream.write(text)
        except OSError:
            self._lost += 1
        return len(text)

    def flush(self) -> None:
        """Hand it on; what a full disk does not take is lost."""
        try:
            self._stream.flush()
        except OSError:
            self._lost += 1

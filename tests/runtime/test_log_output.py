from __future__ import annotations

import io
import json
from typing import TextIO, cast

import structlog

from services.runtime.log_output import LossyOutput


class Tape(io.StringIO):
    """A stream on a disk that may be full."""

    is_full = False

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_lines_that_a_full_disk_does_not_take_are_lost_and_counted_and_nothing_is_raised() -> None:
    tape = Tape()
    output = LossyOutput(tape)
    log = structlog.WriteLogger(cast(TextIO, output))

    log.msg('{"event": "before"}')
    tape.is_full = True
    log.msg('{"event": "lost"}')
    log.msg('{"event": "also lost"}')
    tape.is_full = False
    log.msg('{"event": "after"}')

    said = [json.loads(line) for line in tape.getvalue().splitlines()]
    assert [line["event"] for line in said] == ["before", "log.lines_lost", "after"]
    assert said[1]["count"] == 2


def test_a_flush_that_fails_is_a_line_lost() -> None:
    class Held(Tape):
        def flush(self) -> None:
            if self.is_full:
                raise OSError(28, "No space left on device")

    tape = Held()
    output = LossyOutput(tape)
    tape.is_full = True
    output.flush()
    tape.is_full = False

    output.write("after\n")

    assert json.loads(tape.getvalue().splitlines()[0])["count"] == 1

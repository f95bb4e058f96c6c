from __future__ import annotations

import io
import json
from typing import Any, TextIO, cast

import structlog

from services.runtime.log_output import LossyOutput


class Tape(io.BytesIO):
    """A stream on a disk that may be full, or have room for so many bytes."""

    is_full = False
    room = 0

    def write(self, octets: Any, /) -> int:
        if not self.is_full:
            return super().write(octets)
        if self.room == 0:
            raise OSError(28, "No space left on device")
        taken = super().write(bytes(octets)[: self.room])
        self.room -= taken
        return taken


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


def test_a_line_of_which_the_disk_took_a_part_is_lost_and_the_next_begins_after_it() -> None:
    tape = Tape()
    output = LossyOutput(tape)

    tape.is_full, tape.room = True, len(b'{"event":')
    output.write('{"event": "torn"}\n')
    output.write('{"event": "lost"}\n')
    tape.is_full = False
    output.write('{"event": "after"}\n')

    torn, *whole = tape.getvalue().splitlines()
    said = [json.loads(line) for line in whole]
    assert torn == b'{"event":'
    assert [line["event"] for line in said] == ["log.lines_lost", "after"]
    assert said[0]["count"] == 2


def test_a_stream_that_takes_a_line_in_parts_loses_nothing() -> None:
    class Narrow(Tape):
        def write(self, octets: Any, /) -> int:
            return super().write(bytes(octets)[:5])

    tape = Narrow()
    output = LossyOutput(tape)

    output.write('{"event": "before"}\n')
    output.write('{"event": "after"}\n')

    assert [json.loads(line)["event"] for line in tape.getvalue().splitlines()] == ["before", "after"]


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

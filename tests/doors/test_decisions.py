"""Every decision is in the index of DECISIONS.md, once; a room has one line there."""

from __future__ import annotations

import re

from tests.doors.test_code_rules import ROOT

TEXT = (ROOT / "DECISIONS.md").read_text()
INDEX = re.findall(r"^- \*\*(.+?)\*\*: (.+)$", TEXT.split("\n## ", 1)[0], flags=re.MULTILINE)


def test_every_decision_is_in_the_index_once() -> None:
    links = [title for _, line in INDEX for title in re.findall(r"\[([^\]]+)\]\(#", line)]

    assert sorted(links) == sorted(re.findall(r"^## (.+)$", TEXT, flags=re.MULTILINE))


def test_a_room_has_one_line() -> None:
    rooms = [room for room, _ in INDEX]

    assert len(rooms) == len(set(rooms))

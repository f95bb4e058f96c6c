"""No room outgrows the others: a service, or a folder at the top."""

from collections import Counter

from tests.doors.test_code_rules import ROOT, hand_written, lines


def test_the_largest_room_has_at_most_35_percent_of_the_code() -> None:
    sizes: Counter[str] = Counter()
    for path in hand_written():
        top, below, *_ = path.relative_to(ROOT).parts
        if top != "tests":
            sizes[f"{top}/{below}" if top == "services" else top] += lines(path)

    room, size = sizes.most_common(1)[0]
    assert size * 100 <= sizes.total() * 35, f"{room} has {size} of {sizes.total()} lines"

from __future__ import annotations

import pytest

from bench import __main__ as bench


def test_sizes_that_are_not_given_are_the_full_or_the_quick_ones() -> None:
    full, quick, own = bench.parse([]), bench.parse(["--quick"]), bench.parse(["--quick", "--orders", "7"])

    assert [(each.pairs, each.orders) for each in (full, quick, own)] == [(3, 150), (2, 40), (2, 7)]


def test_every_part_is_measured_unless_some_are_named() -> None:
    assert bench.parse([]).only == ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
    assert bench.parse(["--only", "a, f"]).only == ["a", "f"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "a,z"], "no such part: z; there are a, b, c, d, e, f, g, h, i"),
        (["--pairs", "0"], "0 is too few: 1 is the least"),
        (["--open-orders", "10,0"], "0 is too few: 1 is the least"),
        (["--orders", "many"], "many"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit):
        bench.parse(arguments)

    assert words in capsys.readouterr().err

from __future__ import annotations

import pytest

from services.kernel.errors import InvalidArgument
from services.kernel.text import MAX_DEPTH, json_object, optional_text, text


@pytest.mark.parametrize("said", ["x", "x" * 200, "Dock 4, Straße 1 — 北京", " padded ", "no\u00a0break"])
def test_a_text_that_can_be_shown_is_taken_as_it_is(said: str) -> None:
    assert text(said, "name") == optional_text(said, "name") == said


@pytest.mark.parametrize(
    ("said", "reason"),
    [("", "FIELD_MISSING"), (" \u00a0", "FIELD_MISSING"), ("x" * 201, "TEXT_TOO_LONG")]
    + [
        (f"a{character}b", "TEXT_NOT_PRINTABLE")
        for character in "\x00\n\x1b\x7f\x85\u061c\u200b\u2028\u202e\u2066\ufeff\ud800"
    ],
)
def test_any_other_text_is_refused_by_name(said: str, reason: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^name") as refusal:
        text(said, "name")

    assert refusal.value.reason == reason


def test_a_text_may_be_longer_where_it_is_said_and_empty_where_that_is_allowed() -> None:
    assert text("x" * 201, "name", 201) == "x" * 201
    assert optional_text("", "note") == ""


def test_a_json_object_gives_its_members() -> None:
    document = '{"a": [1, 2.5, null, "\\u0000é"]}'

    assert json_object(document, len(document)) == {"a": [1, 2.5, None, "\0é"]}


def nested(depth: int, beside: str = "1") -> str:
    """An object that nests so many levels of lists, with as many brackets again beside them."""
    return f'{{"flat": [{", ".join(["[]"] * depth)}], "deep": {"[" * depth}{beside}{"]" * depth}}}'


def test_an_object_may_nest_as_deep_as_a_body_may_and_be_as_wide_as_it_likes() -> None:
    assert json_object(nested(MAX_DEPTH - 1), 10_000)["flat"] == [[]] * (MAX_DEPTH - 1)
    for depth in (MAX_DEPTH, 900, 2_000):
        with pytest.raises(ValueError, match="nests too deeply"):
            json_object(nested(depth), 100_000)


@pytest.mark.parametrize(
    "document",
    [
        *("", "{", "[]", "null", "3", '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e400}', '{"a": "\\ud800"}'),
        *("[" * 200_000, '{"a":' * 200_000, '{"a": "' + "x" * 1_000_000 + '"}'),
    ],
)
def test_what_could_not_be_written_again_is_refused_with_a_sentence(document: str) -> None:
    with pytest.raises(ValueError, match=r"\w{2}"):
        json_object(document, 1_000_000)

"""Reading a policy document: members are checked one by one, and a refusal names the place that is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.kernel.errors import InvalidArgument

SCOPES = ("header", "line")
POLICY_ERROR = "POLICY_ERROR"
MAX_PREDICATE = 2000
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")


def invalid(where: str, why: str, *, rule: str = "", **figures: str) -> InvalidArgument:
    """POLICY_INVALID: `where` names the place as its author knows it, `rule` the code for programs."""
    return InvalidArgument("POLICY_INVALID", f"{where}: {why}" if where else why, rule=rule, **figures)


def members(value: object, where: str, known: Collection[str]) -> Mapping[str, Any]:
    """The value as an object that has no other members than these."""
    if not isinstance(value, Mapping):
        raise invalid(where, "must be an object")
    unknown = set(map(str, value)) - set(known)
    if unknown:
        raise invalid(where, f"unknown members: {', '.join(sorted(unknown))}")
    return value


def rows(value: object, where: str, limit: int) -> Sequence[object]:
    """The value as a list of at most `limit`."""
    if not isinstance(value, (list, tuple)) or len(value) > limit:
        raise invalid(where, f"must be a list of at most {limit}")
    return value


def words(value: object, where: str) -> str:
    """The value as text."""
    if not isinstance(value, str):
        raise invalid(where, "must be text")
    return value


def whole(value: object, where: str, low: int, high: int) -> int:
    """The value as a whole number within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise invalid(where, f"must be a whole number from {low} to {high}")
    return value


def one_of(value: object, where: str, known: Sequence[str]) -> str:
    """The value as one of these words."""
    if not isinstance(value, str) or value not in known:
        raise invalid(where, f"must be one of {', '.join(known)}")
    return value


def code(value: object, where: str) -> str:
    """The value as the code of a rule."""
    if not isinstance(value, str) or not _CODE.fullmatch(value) or value == POLICY_ERROR:
        raise invalid(where, "a code is UPPER_SNAKE_CASE, and POLICY_ERROR is taken")
    return value


def word(value: object, where: str) -> str:
    """The value as a lower_snake_case word."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise invalid(where, "must be a lower_snake_case word of at most 40 characters")
    return value


def predicate(value: object, where: str) -> str:
    """The value as the text of a CEL predicate; whether it compiles is the engine's to say."""
    text = words(value, where)
    if not text.strip() or len(text) > MAX_PREDICATE:
        raise invalid(where, f"`when` is a CEL predicate of at most {MAX_PREDICATE} characters")
    return text


def message(value: object, where: str) -> str:
    """The value as a sentence for people."""
    text = words(value, where)
    if not text.strip() or len(text) > 300:
        raise invalid(where, "a message tells people why, in at most 300 characters")
    return text

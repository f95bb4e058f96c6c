"""What rules said before and say now: which of it nobody has decided, and for which figures the rest was decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from services.orders.domain import coverage
from services.orders.domain.coverage import Figures, covers
from services.orders.domain.holds import Hold, rule_of
from services.orders.domain.order import Order
from services.orders.domain.policies import Violation
from services.orders.domain.policy_text import POLICY_ERROR

Key = tuple[str, str, str, str]


def key_of(one: Violation) -> Key:
    """What makes two verdicts the same one: rules that cannot be evaluated share a code, and are told apart by what they say."""
    return one.code, one.severity, one.line_id, one.message if one.code == POLICY_ERROR else ""


def figured(said: Iterable[Violation], order: Order) -> tuple[Violation, ...]:
    """Violations of a version of the order with their figures: those kept without any are about the version as it is."""
    lines = {line.line_id: line for line in order.lines}
    header = coverage.of_header(order)

    def figures(one: Violation) -> Figures:
        line = lines.get(one.line_id)
        return header if line is None else coverage.of_line(line)

    return tuple(one if one.given_for is not None else replace(one, given_for=figures(one)) for one in said)


def beyond(said: Iterable[Violation], before: Iterable[Violation]) -> tuple[Violation, ...]:
    """Of what rules say now that which goes beyond what the same rules said before, of the same line and as severely."""
    earlier = _by_key(before)
    return tuple(one for one in said if _covering(one, earlier) is None)


def carried(
    said: Iterable[Violation], before: Iterable[Violation], undecided: Collection[str] = ()
) -> tuple[Violation, ...]:
    """What rules say now, each for the figures it was decided for: those of before where these cover it.

    What rules with an `undecided` code said was not decided yet, so it will be for the figures of now.
    """
    earlier = _by_key(one for one in before if one.code not in undecided)
    return tuple(replace(one, given_for=_covering(one, earlier) or one.given_for) for one in said)


def _by_key(said: Iterable[Violation]) -> dict[Key, list[Figures]]:
    earlier: dict[Key, list[Figures]] = {}
    for one in said:
        if one.given_for is not None:
            earlier.setdefault(key_of(one), []).append(one.given_for)
    return earlier


def _covering(one: Violation, earlier: dict[Key, list[Figures]]) -> Figures | None:
    given = earlier.get(key_of(one), ())
    if one.given_for is None:
        return next(iter(given), None)
    return next((figures for figures in given if covers(figures, one.given_for)), None)


def held_codes(holds: Iterable[Hold], rules: Collection[str]) -> frozenset[str]:
    """The codes of those rules whose holds are open."""
    return frozenset(rule_of(hold.code, rules) for hold in holds if hold.is_open)

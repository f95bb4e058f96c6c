"""As much of Prometheus as the rules of deploy/alerts.yaml use: scrapes that are remembered, and what an expression makes of them."""

from __future__ import annotations

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Value = Vector | float
Series = list[tuple[float, float]]
"""Time and value of each sample, oldest first."""

_TOKEN = re.compile(r'\s*("[^"]*"|[a-zA-Z_][a-zA-Z0-9_]*|[0-9.]+|=~|!~|==|[(){}\[\],=<>/*])')
_KEPT: Mapping[str, Callable[[float, float], bool]] = {">": operator.gt, "<": operator.lt, "==": operator.eq}
_SPANS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_AGGREGATES: Mapping[str, Callable[[list[float]], float]] = {"sum": sum, "max": max}


@dataclass
class History:
    """Samples by name and labels, as a Prometheus keeps them."""

    samples: dict[str, dict[Labels, Series]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    now: float = 0.0

    def add(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """A sample of this moment."""
        self.samples[name][frozenset(labels.items())].append((self.now, value))

    def evaluate(self, expression: str) -> Value:
        """What the expression is now; a vector that is empty means that an alert of it is quiet."""
        reader = _Reader(self, expression)
        value = reader.alternatives()
        assert reader.is_at_end(), f"what follows is not understood: {reader.rest()}"
        return value


class _Reader:
    """Reads and evaluates at once."""

    def __init__(self, history: History, expression: str) -> None:
        self._history = history
        self._tokens = _TOKEN.findall(expression)
        assert "".join("".join(self._tokens).split()) == "".join(expression.split()), f"not understood: {expression}"
        self._at = 0

    def is_at_end(self) -> bool:
        return self._at == len(self._tokens)

    def rest(self) -> list[str]:
        return list(self._tokens[self._at :])

    def alternatives(self) -> Value:
        value = self._comparison()
        while self._takes("or"):
            other = self._comparison()
            assert isinstance(value, dict)
            assert isinstance(other, dict)
            value = {**other, **value}
        return value

    def _comparison(self) -> Value:
        value = self._product()
        for sign, is_kept in _KEPT.items():
            if self._takes(sign):
                other = self._product()
                return {labels: one for labels, one, two in _paired(value, other) if is_kept(one, two)}
        return value

    def _product(self) -> Value:
        value = self._term()
        while self._peek() in {"/", "*"}:
            is_quotient, other = self._next() == "/", self._term()
            if isinstance(value, float) and isinstance(other, float):
                value = value / other if is_quotient else value * other
                continue
            value = {
                labels: (one / two if two else float("nan")) if is_quotient else one * two
                for labels, one, two in _paired(value, other)
            }
        return value

    def _term(self) -> Value:
        word = self._next()
        if word == "(":
            value = self.alternatives()
            self._must(")")
            return value
        if word[0].isdigit():
            return float(word)
        if word in _AGGREGATES:
            return self._aggregate(word)
        if word in {"rate", "increase", "delta"}:
            self._must("(")
            value = _changes(word, *self._range(self._next()))
            self._must(")")
            return value
        if word == "histogram_quantile":
            return self._quantile()
        return {labels: series[-1][1] for labels, series in self._selected(word) if series[-1][0] == self._history.now}

    def _aggregate(self, word: str) -> Vector:
        by: set[str] = set(self._names()) if self._takes("by") else set()
        self._must("(")
        value = self.alternatives()
        self._must(")")
        assert isinstance(value, dict)
        groups: dict[Labels, list[float]] = defaultdict(list)
        for labels, each in value.items():
            groups[frozenset(pair for pair in labels if pair[0] in by)].append(each)
        return {labels: _AGGREGATES[word](each) for labels, each in groups.items()}

    def _quantile(self) -> Vector:
        self._must("(")
        share = float(self._next())
        self._must(",")
        value = self.alternatives()
        self._must(")")
        assert isinstance(value, dict)
        buckets = sorted((float(dict(labels)["le"]), count) for labels, count in value.items())
        return {frozenset(): _quantile_of(buckets, share)} if buckets and buckets[-1][1] else {}

    def _names(self) -> Iterator[str]:
        self._must("(")
        while (word := self._next()) != ")":
            if word != ",":
                yield word

    def _range(self, name: str) -> tuple[list[tuple[Labels, Series]], float]:
        found = list(self._selected(name))
        self._must("[")
        number, unit = self._next(), self._next()
        self._must("]")
        span_s = float(number) * _SPANS[unit]
        since = self._history.now - span_s
        return [(labels, [one for one in series if one[0] >= since]) for labels, series in found], span_s

    def _selected(self, name: str) -> Iterator[tuple[Labels, Series]]:
        matchers = list(self._matchers())
        for labels, series in self._history.samples.get(name, {}).items():
            stated = dict(labels)
            if all(
                bool(re.fullmatch(pattern, stated.get(label, ""))) == is_wanted
                for label, pattern, is_wanted in matchers
            ):
                yield labels, series

    def _matchers(self) -> Iterator[tuple[str, str, bool]]:
        """Label, pattern of its value, and whether it is to match."""
        if not self._takes("{"):
            return
        while (label := self._next()) != "}":
            if label == ",":
                continue
            sign, wanted = self._next(), self._next().strip('"')
            yield label, re.escape(wanted) if sign == "=" else wanted, sign != "!~"

    def _peek(self) -> str:
        return "" if self.is_at_end() else str(self._tokens[self._at])

    def _next(self) -> str:
        self._at += 1
        return str(self._tokens[self._at - 1])

    def _takes(self, word: str) -> bool:
        is_next = self._peek() == word
        self._at += is_next
        return is_next

    def _must(self, word: str) -> None:
        assert self._takes(word), f"{word} is missing before {self.rest()}"


def _paired(one: Value, other: Value) -> Iterator[tuple[Labels, float, float]]:
    if isinstance(one, float):
        assert isinstance(other, dict)
        yield from ((labels, one, two) for labels, two in other.items())
        return
    for labels, value in one.items():
        if isinstance(other, float):
            yield labels, value, other
        elif labels in other:
            yield labels, value, other[labels]


def _changes(word: str, found: list[tuple[Labels, Series]], span_s: float) -> Vector:
    """What counters or, with "delta", gauges have changed by within the samples; a rate is that of the time between them."""
    changed: Vector = {}
    for labels, series in found:
        if len(series) < 2:
            continue
        steps = [(after[1] - before[1], after[1]) for before, after in pairwise(series)]
        # a counter that falls has begun again
        by = sum(step if step >= 0 or word == "delta" else value for step, value in steps)
        changed[labels] = by / (series[-1][0] - series[0][0]) if word == "rate" else by
    return changed


def _quantile_of(buckets: list[tuple[float, float]], share: float) -> float:
    """Within its bucket a quantile lies as if the values were spread evenly; above the last bound it is that bound."""
    rank, below, before = share * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            return below if bound == float("inf") else below + (bound - below) * (rank - before) / (count - before)
        below, before = bound, count
    return below

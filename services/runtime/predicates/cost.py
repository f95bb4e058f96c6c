"""What a predicate costs at most: a bound that is summed over its text, before anything runs it.

A step is about a tenth of a microsecond. The bound grows with the lists that the predicate walks, so it is asked for their lengths.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from services.runtime.predicates.text import Node, Unreadable

_TURN = 5
"""Steps of one turn of a comprehension, beside what it computes."""
_TEXT_CELLS = 32
"""Characters that are copied or compared in one step."""
_TEXT_LENGTH = 64
"""How long a text is taken to be."""
_FEW = 16
"""How long a list is taken to be of which nothing else is said."""
_PATTERN_STEPS, _PATTERN_CLASS_STEPS = 20, 500
"""Of each sign of a pattern, which is compiled at each call; a class such as \\w names thousands of letters."""

_WALKS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})
_COPIES = frozenset({"map", "filter"})
_SEARCHES = frozenset({"contains", "startsWith", "endsWith"})
_PARTS_OF_TIME = frozenset(
    {
        "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds",
        "getMinutes", "getMonth", "getSeconds",
    }
)  # fmt: skip
_CONVERSIONS = frozenset(
    {"!", "has", "size", "int", "uint", "double", "string", "timestamp", "duration", "type", "dyn"}
)
FUNCTIONS = _WALKS | _SEARCHES | _PARTS_OF_TIME | (_CONVERSIONS - {"!"}) | {"matches"}
"""What predicates may call."""

_CLASS = re.compile(r"\\.|\.|\[\^|\(\?")
_REPEATED = re.compile(r"\{(\d{1,9})?(?:,(\d{0,9}))?\}")


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a value may be: `cells` are what copying it costs, `count` how many elements a walk meets, `each` the largest one."""

    cells: int = 1
    count: int = 0
    each: Extent | None = None
    members: Mapping[str, Extent] = field(default_factory=dict)

    def part(self, name: str = "") -> Extent:
        """A member or element; one that is not known is no larger than the whole."""
        return self.members.get(name) or self.each or self

    @property
    def turns(self) -> int:
        """How many turns a walk over it takes."""
        return self.count or self.cells


SCALAR = Extent()


def text_of(length: int) -> Extent:
    """A text of so many characters. Two cells at least: what has one is a number, and a sum of numbers does not grow."""
    return Extent(2 + length // _TEXT_CELLS)


def extents_of(context: Mapping[str, Any], lengths: Mapping[str, int]) -> dict[str, Extent]:
    """Variable → extent, for an example of what predicates look at and the lengths that its lists may have, by their names."""
    return {name: _extent_of(value, lengths, name) for name, value in context.items()}


def _extent_of(value: object, lengths: Mapping[str, int], name: str = "") -> Extent:
    if isinstance(value, Mapping):
        members = {str(key): _extent_of(below, lengths, str(key)) for key, below in value.items()}
        return _holding(members.values(), len(members), members)
    if isinstance(value, (list, tuple)):
        count = lengths.get(name, _FEW)
        each = _extent_of(value[0], lengths) if value else text_of(_TEXT_LENGTH)
        return Extent(1 + count * each.cells, count, each)
    return text_of(_TEXT_LENGTH) if isinstance(value, str) else SCALAR


def steps(tree: Node, known: Mapping[str, Extent]) -> int:
    """The most steps the predicate takes; Unreadable names a function that is not known."""
    return _weigh(tree, known)[0]


Weight = tuple[int, Extent]


def _weigh(node: Node, known: Mapping[str, Extent]) -> Weight:
    if node.kind == "call":
        return _walk(node, known) if node.is_method and node.text in _WALKS else _call(node, known)
    if node.kind == "name":
        return 1, known.get(node.text, SCALAR)
    if node.kind == "text":
        return 1, text_of(len(node.text))
    if node.kind == "number":
        return 1, SCALAR
    weights = [_weigh(part, known) for part in node.parts]
    total, extents = 1 + sum(cost for cost, _extent in weights), [extent for _cost, extent in weights]
    if node.kind == "member":
        return total, extents[0].part(node.text)
    if node.kind == "index":
        return total, extents[0].part(_literal(node.parts[1]))
    if node.kind == "choice":
        return total, _larger(extents[1:])
    if node.kind == "chain":
        return _combine(node.text.split(), total, extents)
    whole = _holding(extents, len(extents))  # a list or a map
    return total + whole.cells, whole


def _combine(signs: Sequence[str], total: int, extents: Sequence[Extent]) -> Weight:
    """Operands of one strength: a sum of texts or lists grows and is copied at each sign, a comparison reads both sides."""
    cells = sum(extent.cells for extent in extents)
    if signs[0] in ("+", "-"):
        sums = Extent(cells, sum(extent.count for extent in extents), _larger([one.part() for one in extents]))
        return total + len(signs) * cells, sums if cells > len(extents) else SCALAR
    if signs[0] in ("||", "&&", "*", "/", "%"):
        return total, SCALAR
    if "in" in signs:
        return total + cells + sum(extent.count for extent in extents), SCALAR
    return total + 2 * min(extent.cells for extent in extents), SCALAR


def _call(node: Node, known: Mapping[str, Extent]) -> Weight:
    if node.text not in FUNCTIONS and node.text != "!":
        raise Unreadable(f"calls {node.text}, but a predicate may call {', '.join(sorted(FUNCTIONS))}")
    weights = [_weigh(part, known) for part in node.parts]
    total, extents = 1 + sum(cost for cost, _extent in weights), [extent for _cost, extent in weights]
    cells = sum(extent.cells for extent in extents)
    if node.text == "matches":
        return total + _pattern_steps(node.parts, extents), SCALAR
    if node.text in _SEARCHES:
        return total + cells, SCALAR
    if node.text == "dyn":
        return total, _larger(extents)
    return total + (cells if node.text == "string" else 0), Extent(cells + 1) if node.text == "string" else SCALAR


def _walk(node: Node, known: Mapping[str, Extent]) -> Weight:
    """A comprehension: what it computes, once for each element. Map and filter copy what they have at each turn."""
    receiver, arguments = node.parts[0], node.parts[1:]
    if len(arguments) not in (2, 3) or arguments[0].kind != "name":
        raise Unreadable(f"{node.text} takes a name and what is computed of it")
    cost, over = _weigh(receiver, known)
    inner = {**known, arguments[0].text: over.part()}
    weights = [_weigh(argument, inner) for argument in arguments[1:]]
    turns = over.turns
    cost += turns * (_TURN + sum(each for each, _extent in weights))
    if node.text not in _COPIES:
        return cost, SCALAR
    each = weights[-1][1] if node.text == "map" else over.part()
    return cost + turns * turns // 2 * each.cells, Extent(1 + turns * each.cells, turns, each)


def _pattern_steps(parts: Sequence[Node], extents: Sequence[Extent]) -> int:
    """Of compiling a pattern and running it over a text, which takes time in proportion to both."""
    if not parts or parts[-1].kind != "text":
        raise Unreadable("calls matches with a pattern that is computed: write the pattern as a text")
    pattern = parts[-1].text
    signs = len(pattern) * _PATTERN_STEPS + len(_CLASS.findall(pattern)) * _PATTERN_CLASS_STEPS
    repeats = prod(max(1, *(int(times or 0) for times in found)) for found in _REPEATED.findall(pattern))
    return signs * repeats + extents[0].cells * len(pattern) * repeats


def _literal(node: Node) -> str:
    return node.text.strip("'\"") if node.kind == "text" else ""


def _holding(extents: Collection[Extent], count: int, members: Mapping[str, Extent] | None = None) -> Extent:
    return Extent(1 + count + sum(extent.cells for extent in extents), count, _larger(extents), members or {})


def _larger(extents: Collection[Extent]) -> Extent:
    """What is at least as large as each of them."""
    if not extents:
        return SCALAR
    each = [extent.each for extent in extents if extent.each is not None]
    return Extent(
        max(extent.cells for extent in extents),
        max(extent.count for extent in extents),
        _larger(each) if each else None,
    )

"""Bars: widths that sum to the whole, as attributes of a drawing, because pages have no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A colored part of a bar, from x on."""

    tone: str
    x: int
    width: int


def bar(counts: Sequence[tuple[str, int]], whole: int, width: int = 100) -> list[Part]:
    """(tone, count) as parts of a bar of this width; what is counted shows at least one unit, and all fit within it."""
    parts: list[Part] = []
    reached, done = 0, 0
    for tone, count in counts:
        if count <= 0 or whole <= 0:
            continue
        done += count
        end = min(max(round(width * done / whole), reached + 1), width)
        if end > reached:
            parts.append(Part(tone, reached, end - reached))
        reached = end
    return parts

"""The timeline: what people did, newest first, with the steps of machines folded under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.orders.store.events import Event

_MACHINES = frozenset({"service"})
_SHOWN = ("status", "holds")


@dataclass(frozen=True, slots=True)
class Entry:
    """A recorded change, what it made of the order, and the machine steps that followed it, newest first."""

    event: Event
    changes: tuple[tuple[str, str, str], ...]
    steps: list[Entry] = field(default_factory=list)


def entries(events: Sequence[Event]) -> list[Entry]:
    """Events, oldest first, as entries, newest first; steps before anybody did anything stand for themselves."""
    heads: list[Entry] = []
    for event in events:
        entry = Entry(event, _changes(event))
        if heads and event.role in _MACHINES:
            heads[-1].steps.insert(0, entry)
        else:
            heads.append(entry)
    return heads[::-1]


def _changes(event: Event) -> tuple[tuple[str, str, str], ...]:
    """(what, before, after) of what people look at, where it differs."""
    found = ((name, _text(event.before.get(name)), _text(event.after.get(name))) for name in _SHOWN)
    return tuple(change for change in found if event.before and change[1] != change[2])


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "" if value is None else str(value)

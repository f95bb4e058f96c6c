"""The timeline: what people did, newest first, with the steps of machines folded under it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.orders.domain.events import Event

_MACHINES = frozenset({"service"})
_SHOWN = ("status", "holds")


@dataclass(frozen=True, slots=True)
class Entry:
    """A recorded change, what it made of the order, and the machine steps that followed it, newest first.

    `documents` are the numbers of shipments or invoices it is about, where the page shows them.
    """

    event: Event
    changes: tuple[tuple[str, str, str], ...]
    documents: tuple[str, ...]
    steps: list[Entry] = field(default_factory=list)


def entries(events: Sequence[Event], documents: Collection[str]) -> list[Entry]:
    """Events, oldest first, as entries, newest first; steps before anybody did anything stand for themselves.

    `documents` are the numbers of the shipments and invoices on the page.
    """
    heads: list[Entry] = []
    for event in events:
        named = tuple(event.why.split(", "))
        entry = Entry(
            _in_both_names(event), _changes(event), named if all(number in documents for number in named) else ()
        )
        if heads and event.role in _MACHINES:
            heads[-1].steps.insert(0, entry)
        else:
            heads.append(entry)
    return heads[::-1]


def _in_both_names(event: Event) -> Event:
    acting_for = _text(event.after.get("acting_for"))
    return replace(event, who=f"{event.who} for {acting_for}") if acting_for else event


def _changes(event: Event) -> tuple[tuple[str, str, str], ...]:
    """(what, before, after) of what people look at, where it differs."""
    found = ((name, _text(event.before.get(name)), _text(event.after.get(name))) for name in _SHOWN)
    return tuple(change for change in found if event.before and change[1] != change[2])


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "" if value is None else str(value)

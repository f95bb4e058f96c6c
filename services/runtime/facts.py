"""Turns outbox rows into facts for the wire, so that every service's relay speaks alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from oms.types.v1 import types_pb2 as types
from services.runtime.outbox import OutboxRow
from services.runtime.relay import Route

GATHERING = timedelta(milliseconds=20)
"""How long a new fact waits for company: nobody notices, and many orders under way share calls and commits."""


def fact_of(row: OutboxRow, source: str) -> types.Fact:
    """The row as a fact committed by `source`."""
    fact = types.Fact(
        fact_id=row.fact_id,
        kind=row.kind,
        source=source,
        order_id=row.order_id,
        subject_id=row.subject_id,
        sequence=row.sequence,
        detail_json=json.dumps(row.detail, sort_keys=True, ensure_ascii=False),
    )
    fact.occurred_at.FromDatetime(row.occurred_at)
    return fact


def facts_route(
    source: str,
    kinds: frozenset[str],
    send: Callable[[list[types.Fact]], Iterable[str]],
    gathering: timedelta = GATHERING,
) -> Route:
    """A route that sends rows of these kinds as facts; `send` gives the ids that the receiver keeps."""

    def deliver(rows: Sequence[OutboxRow]) -> Iterable[str]:
        return send([fact_of(row, source) for row in rows])

    return Route(kinds, deliver, gathering)

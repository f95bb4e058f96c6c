"""Turns outbox rows into facts for the wire, so that every service's relay speaks alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from google.protobuf.message import Message

from oms.types.v1 import types_pb2 as types
from services.runtime.outbox import OutboxRow
from services.runtime.relay import BATCH, Route

Sent = TypeVar("Sent", bound=Message)

LARGEST = 3 * 1024 * 1024
"""Bytes that are sent together: below what a receiver takes (grpc_server.MAX_MESSAGE)."""
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


def parcels(messages: Sequence[Sent], most: int = BATCH) -> Iterator[list[Sent]]:
    """The messages in their order, no more together than a call may hold: `most`, and LARGEST bytes unless one alone is larger."""
    together: list[Sent] = []
    size = 0
    for message in messages:
        size += message.ByteSize()
        if together and (size > LARGEST or len(together) == most):
            yield together
            together, size = [], message.ByteSize()
        together.append(message)
    if together:
        yield together


def facts_route(
    source: str,
    kinds: frozenset[str],
    send: Callable[[list[types.Fact]], Iterable[str]],
    gathering: timedelta = GATHERING,
) -> Route:
    """A route that sends rows of these kinds as facts; `send` gives the ids that the receiver keeps."""

    def deliver(rows: Sequence[OutboxRow]) -> Iterable[str]:
        return [fact_id for together in parcels([fact_of(row, source) for row in rows]) for fact_id in send(together)]

    return Route(kinds, deliver, gathering)

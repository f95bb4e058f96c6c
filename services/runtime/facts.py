"""Facts between their messages and the outbox, so that every service tells them alike: proto/oms/facts/v1 says what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from sqlmodel import Session

from oms.facts.v1 import facts_pb2 as facts
from services.runtime.outbox import OutboxRow, emit
from services.runtime.relay import BATCH, Route

Sent = TypeVar("Sent", bound=Message)

LARGEST = 512 * 1024
"""Bytes that are sent together: a few facts of the longest orders, which a receiver records within its deadline."""
GATHERING = timedelta(milliseconds=20)
"""How long a new fact waits for company: nobody notices, and many orders under way share calls and commits."""


KINDS = {
    detail.name: field.name
    for field in facts.Fact.DESCRIPTOR.oneofs_by_name["detail"].fields
    if (detail := field.message_type)
}
"""Message of a detail → kind of its fact."""


def document(detail: Message) -> dict[str, Any]:
    """The detail as an outbox row keeps it: proto-JSON, its members named as in the proto file."""
    return MessageToDict(detail, preserving_proto_field_name=True)


def emit_fact(session: Session, detail: Message, *, subject_id: str, now: datetime, order_id: str = "") -> str:
    """Write the fact of this detail in the caller's transaction and give its id."""
    kind = KINDS[detail.DESCRIPTOR.name]
    return emit(session, kind=kind, order_id=order_id, subject_id=subject_id, detail=document(detail), now=now)


def fact_of(row: OutboxRow, source: str) -> facts.Fact:
    """The row as a fact committed by `source`."""
    fact = facts.Fact(
        fact_id=row.fact_id,
        source=source,
        order_id=row.order_id,
        subject_id=row.subject_id,
        sequence=row.sequence,
    )
    fact.occurred_at.FromDatetime(row.occurred_at)
    # a newer release may have written members that this one does not know; they must not stop the relay
    return ParseDict({row.kind: dict(row.detail)}, fact, ignore_unknown_fields=True)


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
    send: Callable[[list[facts.Fact]], Iterable[str]],
    gathering: timedelta = GATHERING,
) -> Route:
    """A route that sends rows of these kinds as facts; `send` gives the ids that the receiver keeps."""

    def deliver(rows: Sequence[OutboxRow]) -> Iterable[str]:
        return [fact_id for together in parcels([fact_of(row, source) for row in rows]) for fact_id in send(together)]

    return Route(kinds, deliver, gathering)

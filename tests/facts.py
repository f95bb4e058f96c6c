"""Facts as tests write and read them: the members of a detail by name, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from oms.facts.v1 import facts_pb2 as pb
from services.orders.domain.facts import Fact
from services.orders.lifecycle import fact_wire

AT = Timestamp(seconds=1_772_366_400)
DETAILS = {field.name: field for field in pb.Fact.DESCRIPTOR.oneofs_by_name["detail"].fields}
_STRANGE = b"\x9a\x06\x02\x08\x07"  # field 99, a message of 2 bytes: its field 1 is 7


def notified(kind: str, detail: Mapping[str, Any], **envelope: Any) -> pb.Fact:
    """The fact of a kind as its service tells it."""
    return ParseDict({kind: dict(detail)}, pb.Fact(**{"occurred_at": AT, **envelope}))


def strange(**envelope: Any) -> pb.Fact:
    """A fact of a kind that only a later release knows: field 99 of the contract."""
    fact = pb.Fact(**{"occurred_at": AT, **envelope})
    fact.MergeFromString(_STRANGE)
    return fact


def heard(kind: str, detail: Mapping[str, Any], source: str, order_id: str = "ord_1", sequence: int = 1) -> Fact:
    """The same as orders reads it; its subject is the shipment it tells of."""
    subject_id = str(detail.get("shipment", {}).get("shipment_id", ""))
    fact_id = f"fact_{source}_{sequence}_{order_id}"
    return fact_wire.fact(
        notified(
            kind,
            detail,
            fact_id=fact_id,
            source=source,
            order_id=order_id,
            sequence=sequence,
            subject_id=subject_id,
        )
    )


def kept(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The detail that an outbox row keeps, every member of it, numbers as numbers."""
    return members(getattr(notified(kind, document), kind))


def members(message: Message) -> dict[str, Any]:
    """Every member of a message, those that are not set too."""
    return {field.name: _plain(getattr(message, field.name)) for field in message.DESCRIPTOR.fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return members(value)
    if isinstance(value, Mapping):
        return {key: _plain(value[key]) for key in value}
    return value if isinstance(value, str | int) else [_plain(each) for each in value]

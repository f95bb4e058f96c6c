"""Bad input for messages: a good one with something in it that no honest caller sends."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

TEXTS = (
    "",
    " ",
    "x",
    "\x00",
    "ord_1\x00",
    "\x1b[31m",
    "\u202eorder",
    "\u2028",
    "\ud7ff\uffff\U0010ffff",
    "x" * 201,
    "x" * 5_000,
    "é" * 200,
    "'; drop table orders; --",
    "%",
    "-1",
    "0",
    "00",
    "1e400",
    "NaN",
    "Infinity",
    "-0.00",
    "0.001",
    "12.345678901234567890",
    "9" * 40,
    "9223372036854775808",
    "٣",
    "USD",
    "usd",
    "JPY",
    "XXX",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "2026-12-01",
    "null",
    "{}",
    "[]",
    '{"amount": 1e400}',
    '{"quantity": NaN}',
    '{"version": "x"}',
    '{"lines": [null]}',
    '{"\\u0000": "\\ud800"}',
    "[" * 20_000,
    '{"a":' * 20_000,
)
INTEGERS = (0, 1, -1, 2, 7, 365, 3_651, 1_000_001, 2**31 - 1, 2**31, 2**53, 2**62, 2**63 - 1, -(2**31), -(2**63))
MANY = 1_100
_KEYS = ("request_id", "fact_id", "event_id")
"""Fields by which a receiver knows what it has been told before."""

Acknowledged = Mapping[tuple[str, int], Sequence[Any]]
"""Values of honest messages by the name and type of their field."""


def values(messages: Iterable[Message]) -> Acknowledged:
    """What the fields of these messages hold."""
    seen: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for message in messages:
        for part, field in _places(message):
            if field.type != FieldDescriptor.TYPE_MESSAGE:
                value = getattr(part, field.name)
                seen[field.name, field.type] += list(value) if field.is_repeated else [value]
    return seen


def plausible(kind: type[Message], seen: Acknowledged, chance: random.Random) -> Message:
    """A message that an honest caller might have sent, as far as its fields are known from other messages."""
    message = kind()
    _fill(message, seen, chance)
    return message


def _fill(message: Message, seen: Acknowledged, chance: random.Random) -> None:
    for field in message.DESCRIPTOR.fields:
        inner: Any = getattr(message, field.name)
        if _is_counts(field):
            inner["1"] = 1
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            part = inner["1"] if _is_map(field) else inner.add() if field.is_repeated else inner
            part.SetInParent()
            _fill(part, seen, chance)
        elif known := seen.get((field.name, field.type)):
            _put(message, field, chance.choice(known))
        elif field.type == FieldDescriptor.TYPE_STRING:
            _put(message, field, "x")
        elif field.type != FieldDescriptor.TYPE_BOOL:
            _put(message, field, 1)


def _put(message: Message, field: Any, value: Any) -> None:
    if field.is_repeated:
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


def as_new(message: Message) -> None:
    """Give what the receiver would know again a name of its own, so that it looks at the rest."""
    for part, field in list(_places(message)):
        if field.name in _KEYS and not field.is_repeated:
            setattr(part, field.name, uuid.uuid4().hex)


def spoiled(good: Message, chance: random.Random) -> Message:
    """A copy of the message with one to three of its places spoiled."""
    wild = type(good)()
    wild.CopyFrom(good)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        message, field = chance.choice(list(_places(wild)))
        _spoil(message, field, chance)
    return wild


def _places(message: Message) -> Iterator[tuple[Message, Any]]:
    """Every field of the message and of those within it that are there."""
    for field in message.DESCRIPTOR.fields:
        yield message, field
        if field.type != FieldDescriptor.TYPE_MESSAGE or _is_counts(field):
            continue
        value = getattr(message, field.name)
        if field.is_repeated:
            for one in list(value.values() if _is_map(field) else value):
                yield from _places(one)
        elif message.HasField(field.name):
            yield from _places(value)


def _is_map(field: Any) -> bool:
    """Whether it holds messages, or counts, by a text, as all maps of ours do."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_counts(field: Any) -> bool:
    """Whether it is a map of counts."""
    return _is_map(field) and field.message_type.fields_by_name["value"].type != FieldDescriptor.TYPE_MESSAGE


def _spoil(message: Message, field: Any, chance: random.Random) -> None:
    if _is_map(field):
        _spoil_map(getattr(message, field.name), chance, is_counts=_is_counts(field))
    elif field.is_repeated:
        _spoil_many(message, field, chance)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        if message.HasField(field.name):
            message.ClearField(field.name)
        else:
            getattr(message, field.name).SetInParent()
    else:
        setattr(message, field.name, _wild_value(field, chance))


def _spoil_map(values: Any, chance: random.Random, *, is_counts: bool) -> None:
    """None of them, one under another key, or far too many."""
    how = chance.choice(("none", "wild", "many"))
    kept = next(iter(values.values()), None)
    keys = [str(number) for number in range(MANY)] if how == "many" else [chance.choice(TEXTS)]
    if how == "none":
        values.clear()
        return
    for key in keys:
        if is_counts:
            values[key] = chance.choice(INTEGERS)
            continue
        values[key].SetInParent()
        if kept is not None:
            values[key].CopyFrom(kept)


def _spoil_many(message: Message, field: Any, chance: random.Random) -> None:
    """None of them, one twice, or far too many."""
    values: Any = getattr(message, field.name)
    kept = list(values)
    how = chance.choice(("none", "twice", "many", "wild"))
    if how == "none":
        message.ClearField(field.name)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        if how == "wild":
            values.add()
        for _ in range(1 if how == "twice" else MANY if how == "many" else 0):
            if kept:
                values.add().CopyFrom(kept[0])
            else:
                values.add()
    elif how == "wild" or not kept:
        values.append(_wild_value(field, chance))
    else:
        values.extend(kept[:1] * (1 if how == "twice" else MANY))


def _wild_value(field: Any, chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return chance.choice(TEXTS)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return chance.random() < 0.5
    if field.type == FieldDescriptor.TYPE_ENUM:
        return chance.choice((0, 1, 2, 3, 99, -1))
    most = 2**31 if field.type == FieldDescriptor.TYPE_INT32 else 2**63
    return min(max(chance.choice(INTEGERS), -most), most - 1)

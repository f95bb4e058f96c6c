"""Returns: protobuf to domain and back, shapes checked."""

from __future__ import annotations

from collections.abc import Sequence

from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.domain.returns import (
    DISPOSITIONS,
    GRADES,
    RESPONSIBLE,
    ExpectedReturn,
    InspectedUnits,
    ReturnLine,
)
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import positive
from services.kernel.text import optional_text, text


def expected(sent: pb.ExpectedReturn) -> ExpectedReturn:
    """A return that is announced."""
    _bounded(sent.lines)
    lines = tuple(
        ReturnLine(
            text(line.line_id, "line_id"),
            text(line.sku, "sku"),
            optional_text(line.description, "description"),
            positive(line.quantity, "quantity"),
        )
        for line in sent.lines
    )
    _once([line.line_id for line in lines])
    return ExpectedReturn(
        text(sent.return_id, "return_id"),
        text(sent.number, "number"),
        text(sent.order_id, "order_id"),
        text(sent.order_number, "order_number"),
        lines,
    )


def counted(lines: Sequence[types.LineQuantity]) -> dict[str, int]:
    """Line id → units that were counted."""
    _bounded(lines)
    _once([line.line_id for line in lines])
    return {text(line.line_id, "line_id"): positive(line.quantity, "quantity") for line in lines}


def inspected(units: Sequence[facts_pb2.InspectedUnits]) -> tuple[InspectedUnits, ...]:
    """What was found; the SKU is the return's own."""
    _bounded(units)
    return tuple(
        InspectedUnits(
            text(one.line_id, "line_id"),
            positive(one.quantity, "quantity"),
            _word(one.grade, GRADES, "grade"),
            _word(one.disposition, DISPOSITIONS, "disposition"),
            _word(one.responsible, RESPONSIBLE, "responsible"),
            optional_text(one.note, "note", longest=500),
        )
        for one in units
    )


def message(found: ExpectedReturn) -> pb.ExpectedReturn:
    """A return for the wire."""
    return pb.ExpectedReturn(
        return_id=found.return_id,
        number=found.number,
        order_id=found.order_id,
        order_number=found.order_number,
        is_open=found.is_open,
        lines=[
            pb.ReturnLine(
                line_id=line.line_id,
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                received=line.received,
                inspected=line.inspected,
            )
            for line in found.lines
        ],
    )


def _bounded(rows: Sequence[object]) -> None:
    if not 1 <= len(rows) <= MAX_LINES:
        raise InvalidArgument("LINES_OUT_OF_RANGE", f"send from 1 to {MAX_LINES} lines")


def _once(line_ids: Sequence[str]) -> None:
    if len(set(line_ids)) < len(line_ids):
        raise InvalidArgument("LINE_TWICE", "each line may come once: add the quantities up")


def _word(given: str, words: Sequence[str], what: str) -> str:
    if given not in words:
        raise InvalidArgument("WORD_UNKNOWN", f"{what} is one of {', '.join(words)}, not {given[:40]!r}")
    return given

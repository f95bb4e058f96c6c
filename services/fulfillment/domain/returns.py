"""Goods that customers send back: what may be counted and inspected of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.kernel.errors import InvalidArgument, Refused

GRADES = ("A", "B", "C", "D")
DISPOSITIONS = ("restock", "refurbish", "quarantine", "scrap", "return_to_vendor")
RESPONSIBLE = ("customer", "seller", "carrier")
Units = Mapping[str, int]
"""Line id → units, positive."""


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units of an order line that are to come back, have come, and were inspected."""

    line_id: str
    sku: str
    description: str
    quantity: int
    received: int = 0
    inspected: int = 0


@dataclass(frozen=True, slots=True)
class ExpectedReturn:
    """Goods that a customer sends back."""

    return_id: str
    number: str
    order_id: str
    order_number: str
    lines: tuple[ReturnLine, ...]
    is_open: bool = True

    def line(self, line_id: str) -> ReturnLine:
        """A line of it; InvalidArgument LINE_UNKNOWN."""
        for line in self.lines:
            if line.line_id == line_id:
                return line
        raise InvalidArgument("LINE_UNKNOWN", f"{self.number} has no line {line_id}: count lines of the return")


@dataclass(frozen=True, slots=True)
class InspectedUnits:
    """Units that are alike."""

    line_id: str
    quantity: int
    grade: str
    disposition: str
    responsible: str
    note: str = ""


def receive(expected: ExpectedReturn, counted: Units) -> ExpectedReturn:
    """The return after a count. Refused RETURN_CLOSED, and MORE_THAN_ANNOUNCED beyond what may come back."""
    if not expected.is_open:
        raise Refused(
            "RETURN_CLOSED", f"nothing is taken for {expected.number} any more: ask support for another return"
        )
    for line_id, units in counted.items():
        line = expected.line(line_id)
        if line.received + units > line.quantity:
            raise Refused(
                "MORE_THAN_ANNOUNCED",
                f"{line.quantity - line.received} units of {line.sku} are still to come for {expected.number}, not {units}: "
                "count what was announced, and keep the rest apart for support",
            )
    lines = tuple(replace(line, received=line.received + counted.get(line.line_id, 0)) for line in expected.lines)
    return replace(expected, lines=lines)


def check_left(expected: ExpectedReturn, counted: Units, came_back: Units, left: Units) -> None:
    """Refuse (NOT_SHIPPED) units beyond what has left of the order and is not back: the ship confirm of the others was reversed."""
    for line_id, units in counted.items():
        out = left.get(line_id, 0) - came_back.get(line_id, 0)
        if units > out:
            line = expected.line(line_id)
            raise Refused(
                "NOT_SHIPPED",
                f"{max(0, out)} units of {line.sku} of {expected.order_number} are with the customer, not {units}: "
                "the ship confirm of the others was reversed, so ask support what came",
            )


def inspect(expected: ExpectedReturn, found: Sequence[InspectedUnits]) -> ExpectedReturn:
    """The return after an inspection, closed or not. Refused NOT_COUNTED beyond what has come and is not inspected."""
    units: dict[str, int] = {}
    for one in found:
        units[one.line_id] = units.get(one.line_id, 0) + one.quantity
    for line_id, count in units.items():
        line = expected.line(line_id)
        if line.inspected + count > line.received:
            raise Refused(
                "NOT_COUNTED",
                f"{line.received - line.inspected} units of {line.sku} of {expected.number} are counted and not inspected, "
                f"not {count}: count them first",
            )
    lines = tuple(replace(line, inspected=line.inspected + units.get(line.line_id, 0)) for line in expected.lines)
    return replace(expected, lines=lines)

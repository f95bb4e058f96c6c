"""Waves: shipments of one warehouse that are picked together, open while one of them is to be picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.fulfillment.domain.shipment import Shipment, State
from services.kernel.errors import InvalidArgument, NotFound, Refused

MOST_SHIPMENTS = 100
"""Of one wave: more than a picker's cart holds."""
_LAST_DIGITS = 18
_SAID = {State.CANCELLED: "canceled"}


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave as it stands. `last_at` is when the last of its shipments was picked or canceled, None where none was."""

    wave_id: str
    serial: int
    warehouse_id: str
    picker: str
    created_by: str
    created_at: datetime
    cancelled_at: datetime | None = None
    shipment_count: int = 0
    to_pick_count: int = 0
    last_at: datetime | None = None

    @property
    def number(self) -> str:
        """The number on the pick list, e.g. "WV-1001"."""
        return wave_number(self.serial)

    @property
    def is_open(self) -> bool:
        """Whether something of it is to be picked."""
        return self.to_pick_count > 0

    @property
    def closed_at(self) -> datetime | None:
        """When nothing of it was to be picked any more; None while it is open."""
        if self.is_open:
            return None
        return self.cancelled_at or self.last_at or self.created_at


@dataclass(frozen=True, slots=True)
class Wanted:
    """The wave that somebody wants: shipments that are chosen, or the `count` that are due next."""

    warehouse_id: str
    shipment_ids: tuple[str, ...]
    count: int
    picker: str
    created_by: str


def wave_number(serial: int) -> str:
    """1001 → "WV-1001"."""
    return f"WV-{serial}"


def wave_serial(number: str) -> int | None:
    """The 1001 of "WV-1001"; None for what is no wave's number."""
    digits = number.upper().removeprefix("WV-")
    is_number = digits != number and digits.isascii() and digits.isdigit() and 0 < len(digits) <= _LAST_DIGITS
    return int(digits) if is_number and digits[0] != "0" else None


def check_wanted(wanted: Wanted) -> None:
    """Refused WAVE_EMPTY and CHOSEN_AND_NEXT: a wave has those that are chosen, or those that are next."""
    if wanted.shipment_ids and wanted.count:
        raise InvalidArgument("CHOSEN_AND_NEXT", "choose shipments, or say how many of the next: not both")
    if not wanted.shipment_ids and not wanted.count:
        raise InvalidArgument("WAVE_EMPTY", f"choose shipments, or say how many of the next, 1 to {MOST_SHIPMENTS}")


def check_members(wanted: Wanted, chosen: Sequence[Shipment], waves: dict[str, int]) -> None:
    """Refuse a chosen shipment that cannot be picked in this wave; `waves` is shipment id → serial of the wave that has it.

    OF_ANOTHER_WAREHOUSE, NOT_TO_PICK, IN_ANOTHER_WAVE.
    """
    for one in chosen:
        if one.warehouse_id != wanted.warehouse_id:
            where = f"leaves {one.warehouse_id}" if one.warehouse_id else "is a service visit"
            raise Refused("OF_ANOTHER_WAREHOUSE", f"{one.number} {where}: choose shipments of {wanted.warehouse_id}")
        if one.state is not State.RELEASED:
            raise Refused(
                "NOT_TO_PICK",
                f"{one.number} is {_SAID.get(one.state, one.state.value)}: choose shipments that are to be picked",
            )
        if one.shipment_id in waves:
            raise Refused(
                "IN_ANOTHER_WAVE",
                f"{one.number} is in {wave_number(waves[one.shipment_id])}: leave it out, or cancel that wave first",
            )


def by_due_day(shipments: Sequence[Shipment]) -> list[Shipment]:
    """The soonest promised first, those without a promise last."""
    return sorted(shipments, key=lambda one: (one.promised_on is None, one.promised_on, one.serial))


def unknown_wave(wave: str) -> NotFound:
    """The refusal of what no wave is called."""
    return NotFound("WAVE_NOT_FOUND", f"there is no wave {wave[:40]}: list the waves to find it")


def check_open(wave: Wave) -> None:
    """Refused WAVE_CLOSED: nothing is left to take out of it."""
    if not wave.is_open:
        raise Refused("WAVE_CLOSED", f"{wave.number} is closed: all that was in it is picked or canceled")

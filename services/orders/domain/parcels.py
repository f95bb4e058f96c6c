"""Parcels that no return announces: what seems to be in them, which returns they become, and how else they end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.kernel.errors import Refused

WAITING, MATCHED, SENT_BACK, KEPT, SCRAPPED = "waiting", "matched", "sent_back", "kept", "scrapped"
STATES = (WAITING, MATCHED, SENT_BACK, KEPT, SCRAPPED)
OUTCOMES: Mapping[str, str] = {"send_back": SENT_BACK, "keep": KEPT, "scrap": SCRAPPED}
"""What support may decide of goods that become no return → the state that it gives."""
OF_ORDER, OWN_ARTICLE, FOREIGN = "of_order", "own_article", "foreign"
"""What goods seem to be: an article of the order that the parcel names, another one of our catalog, or none of ours."""


@dataclass(frozen=True, slots=True)
class ParcelLine:
    """Units that are alike; the SKU is empty where only their look is known. `matched` of them became returns."""

    position: int
    sku: str
    description: str
    quantity: int
    seems: str
    matched: int = 0

    @property
    def left(self) -> int:
        """Units of which nothing has become yet."""
        return self.quantity - self.matched


@dataclass(frozen=True, slots=True)
class Parcel:
    """Goods that came without a return, or with one that does not announce them. `reference` is what was read on it."""

    parcel_id: str
    number: str
    warehouse_id: str
    state: str
    lines: tuple[ParcelLine, ...]
    received_by: str
    received_at: datetime
    order_id: str = ""
    order_number: str = ""
    return_id: str = ""
    return_number: str = ""
    reference: str = ""
    note: str = ""
    decided_by: str = ""
    decided_role: str = ""
    decided_at: datetime | None = None
    decision_note: str = ""

    @property
    def left(self) -> int:
        """Units of which nothing has become yet."""
        return sum(line.left for line in self.lines)


def seems(sku: str, of_order: Collection[str], catalog: Collection[str]) -> str:
    """What goods seem to be, by their SKU as the catalog writes it."""
    if sku in of_order:
        return OF_ORDER
    return OWN_ARTICLE if sku in catalog else FOREIGN


def check_waiting(parcel: Parcel) -> None:
    """Refused PARCEL_DECIDED for one of which all has become something."""
    if parcel.state != WAITING:
        raise Refused("PARCEL_DECIDED", f"{parcel.number} is {parcel.state.replace('_', ' ')} already: reload it")


def match(parcel: Parcel, units: Mapping[str, int]) -> Parcel:
    """The parcel once these units, SKU → how many, are a return: lines of that SKU give first, then those without one.

    Refused PARCEL_HOLDS_LESS beyond what is in it, and PARCEL_DECIDED.
    """
    check_waiting(parcel)
    after = parcel
    for sku, count in sorted(units.items()):
        after = _taken(after, sku, count)
    return after if after.left else replace(after, state=MATCHED)


def _taken(parcel: Parcel, sku: str, count: int) -> Parcel:
    missing, lines = count, {line.position: line for line in parcel.lines}
    for line in sorted(parcel.lines, key=lambda each: (each.sku != sku, each.position)):
        if line.sku in (sku, ""):
            given = min(missing, line.left)
            lines[line.position] = replace(line, matched=line.matched + given)
            missing -= given
    if missing:
        raise Refused(
            "PARCEL_HOLDS_LESS",
            f"{parcel.number} holds {count - missing} units that may be {sku}, not {count}: match what is in it",
        )
    return replace(parcel, lines=tuple(lines[line.position] for line in parcel.lines))

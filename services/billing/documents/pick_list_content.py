"""What a pick list says: what is taken from which bin for which shipment, with barcodes of the wave and of its shipments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.billing.documents.code128 import barcode
from services.billing.documents.content import ON_LETTER_PAPER, Content, breakable
from services.billing.documents.seller import Seller


@dataclass(frozen=True, slots=True)
class PickLine:
    """Units of a SKU to take from a bin, empty where nobody has said; `takes` are (shipment number, units)."""

    bin: str
    sku: str
    description: str
    takes: Sequence[tuple[str, int]]

    @property
    def quantity(self) -> int:
        """Units in all."""
        return sum(units for _, units in self.takes)


@dataclass(frozen=True, slots=True)
class PickShipment:
    """Whom units are for; a shipment without a promise has no day."""

    number: str
    order_number: str
    promised_on: date | None


@dataclass(frozen=True, slots=True)
class PickList:
    """The pick list of a wave, printed on a day."""

    number: str
    warehouse: str
    picker: str
    printed_on: date
    lines: Sequence[PickLine]
    shipments: Sequence[PickShipment]


def pick_list_content(of: PickList, seller: Seller) -> Content:
    """The pick list; its lines stand in the order in which they came."""
    on, units = of.printed_on, Counter[str]()
    for line in of.lines:
        for number, count in line.takes:
            units[number] += count
    facts = [
        ("Warehouse", of.warehouse),
        ("Picker", of.picker),
        ("Printed on", seller.formats.day(on)),
        ("Shipments", f"{len(of.shipments):,}"),
    ]
    return {
        "title": f"Pick list {of.number}",
        "created": {"year": on.year, "month": on.month, "day": on.day},
        "author": seller.name,
        "paper": "us-letter" if seller.country in ON_LETTER_PAPER else "a4",
        "number": of.number,
        "barcode": barcode(of.number),
        "facts": [[name, breakable(value)] for name, value in facts if value],
        "rows": [_row(line) for line in of.lines],
        "units": f"{units.total():,}",
        "shipments": [_shipment(one, units[one.number], seller) for one in of.shipments],
    }


def _row(line: PickLine) -> list[str]:
    takes = ", ".join(f"{number}: {units:,}" for number, units in line.takes)
    return [
        breakable(line.bin, 7) or "–",
        breakable(line.sku, 9),
        breakable(line.description, 12),
        f"{line.quantity:,}",
        takes,
    ]


def _shipment(one: PickShipment, units: int, seller: Seller) -> dict[str, str]:
    promised = f", promised {seller.formats.day(one.promised_on)}" if one.promised_on else ""
    return {
        "number": one.number,
        "order": one.order_number,
        "facts": f"{units:,} {'unit' if units == 1 else 'units'}{promised}",
        "barcode": barcode(one.number),
    }

"""What a packing slip says: a page for each package, with what is in it, where it goes, and its code as a barcode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.billing.documents.code128 import barcode, gs1_barcode
from services.billing.documents.content import ON_LETTER_PAPER, Content, breakable
from services.billing.documents.seller import Seller
from services.runtime.addresses import Place, lines_of


@dataclass(frozen=True, slots=True)
class SlipLine:
    """Units of an article in a package."""

    sku: str
    description: str
    quantity: int


@dataclass(frozen=True, slots=True)
class SlipPackage:
    """A package; a code, a tracking number and measures that it has not are empty or 0."""

    lines: Sequence[SlipLine]
    weight_grams: int
    sscc: str = ""
    tracking_number: str = ""
    size_mm: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class PackingSlip:
    """A shipment that is packed; `place` is its warehouse, named `warehouse`, None where nobody knows its address."""

    number: str
    order_number: str
    po_number: str
    packed_on: date
    ship_to: Place
    carrier: str
    packages: Sequence[SlipPackage]
    place: Place | None = None
    warehouse: str = ""


def packing_slip_content(slip: PackingSlip, seller: Seller) -> Content:
    """The packing slip; a package without a code has the shipment's number as its barcode."""
    on, count = slip.packed_on, len(slip.packages)
    return {
        "title": f"Packing slip {slip.number}",
        "created": {"year": on.year, "month": on.month, "day": on.day},
        "author": seller.name,
        "paper": "us-letter" if seller.country in ON_LETTER_PAPER else "a4",
        "number": slip.number,
        "from": [seller.name, *(breakable(line) for line in origin(slip, seller))],
        "to": [breakable(line) for line in lines_of(slip.ship_to, seller.country)],
        "packages": [
            _package(slip, each, f"{place} of {count}", seller) for place, each in enumerate(slip.packages, 1)
        ],
    }


def origin(slip: PackingSlip, seller: Seller) -> Sequence[str]:
    """The lines of where it comes from: the warehouse's, or the company's own."""
    if slip.place is None:
        return seller.address
    lines = [line for line in lines_of(slip.place, seller.country) if line != seller.name]
    return [slip.warehouse, *(line for line in lines if line != slip.warehouse)]


def _package(slip: PackingSlip, package: SlipPackage, place: str, seller: Seller) -> Content:
    facts = [
        ("Order", slip.order_number),
        ("Purchase order", slip.po_number),
        ("Packed on", seller.formats.day(slip.packed_on)),
        ("Package", place),
        ("Weight", f"{package.weight_grams / 1000:,.2f} kg" if package.weight_grams else ""),
        ("Size", " × ".join(f"{side / 10:g}" for side in package.size_mm) + " cm" if all(package.size_mm) else ""),
        ("Carrier", slip.carrier),
        ("Tracking number", package.tracking_number),
    ]
    units = sum(line.quantity for line in package.lines)
    return {
        "facts": [[name, breakable(value)] for name, value in facts if value],
        "rows": [[breakable(line.sku), breakable(line.description), f"{line.quantity:,}"] for line in package.lines],
        "units": f"{units:,}",
        "barcode": gs1_barcode(f"00{package.sscc}") if package.sscc else barcode(slip.number),
        "code": f"(00) {package.sscc}" if package.sscc else slip.number,
    }

"""What a shipping label says: where it comes from and goes to, which package it is, and its codes, of 4 by 6 inches."""

from __future__ import annotations

from services.billing.documents.code128 import barcode, gs1_barcode
from services.billing.documents.content import Content, breakable
from services.billing.documents.packing_slip_content import PackingSlip, SlipPackage, origin
from services.billing.documents.seller import Seller
from services.runtime.addresses import lines_of

_WIDE, _NARROW = 18, 12
"""Characters of the address and of a fact, of the widest, that stand in a line."""
Codes = tuple[tuple[str, str], ...]
"""(Barcode as SVG, what it says) of a package: the company's own code first, then the carrier's number."""


def shipping_label_content(slip: PackingSlip, seller: Seller) -> Content:
    """A label for each package."""
    on, count = slip.packed_on, len(slip.packages)
    return {
        "title": f"Labels {slip.number}",
        "created": {"year": on.year, "month": on.month, "day": on.day},
        "author": seller.name,
        "from": [seller.name, *(breakable(line) for line in origin(slip, seller))],
        "to": [breakable(line, _WIDE) for line in lines_of(slip.ship_to, seller.country)],
        "labels": [
            {
                "facts": [[name, breakable(value, _NARROW)] for name, value in label_facts(slip, each, place, count)],
                "codes": [list(code) for code in _codes(slip, each)],
            }
            for place, each in enumerate(slip.packages, 1)
        ],
    }


def label_facts(slip: PackingSlip, package: SlipPackage, place: int, count: int) -> list[tuple[str, str]]:
    """What stands beside the codes; what nobody knows is left out."""
    facts = [
        ("Shipment", slip.number),
        ("Order", slip.order_number),
        ("Purchase order", slip.po_number),
        ("Package", f"{place} of {count}"),
        ("Weight", f"{package.weight_grams / 1000:,.2f} kg" if package.weight_grams else ""),
        ("Carrier", slip.carrier),
    ]
    return [(name, value) for name, value in facts if value]


def _codes(slip: PackingSlip, package: SlipPackage) -> Codes:
    own = (
        (gs1_barcode(f"00{package.sscc}"), f"(00) {package.sscc}")
        if package.sscc
        else (barcode(slip.number), slip.number)
    )
    number = package.tracking_number
    return (own, (barcode(number), number)) if number else (own,)

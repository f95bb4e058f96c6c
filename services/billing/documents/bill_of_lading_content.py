"""What a bill of lading says: who hands which packages to which carrier, for whom, and where both sign."""

from __future__ import annotations

from services.billing.documents.code128 import barcode
from services.billing.documents.content import ON_LETTER_PAPER, Content, breakable
from services.billing.documents.packing_slip_content import PackingSlip, SlipPackage, origin
from services.billing.documents.seller import Seller
from services.runtime.addresses import lines_of

MOST_NAMED = 3
"""Articles of a package that are named; what else is in it the packing slip says."""


def bill_of_lading_content(slip: PackingSlip, seller: Seller) -> Content:
    """A row for each package; a package that nobody weighed has no weight, and then there is none in all."""
    on, weights = slip.packed_on, [each.weight_grams for each in slip.packages]
    facts = [
        ("Shipment", slip.number),
        ("Order", slip.order_number),
        ("Purchase order", slip.po_number),
        ("Packed on", seller.formats.day(on)),
        ("Carrier", slip.carrier),
    ]
    return {
        "title": f"Bill of lading {slip.number}",
        "created": {"year": on.year, "month": on.month, "day": on.day},
        "author": seller.name,
        "paper": "us-letter" if seller.country in ON_LETTER_PAPER else "a4",
        "number": slip.number,
        "barcode": barcode(slip.number),
        "from": [seller.name, *(breakable(line) for line in origin(slip, seller))],
        "to": [breakable(line) for line in lines_of(slip.ship_to, seller.country)],
        "facts": [[name, breakable(value)] for name, value in facts if value],
        "rows": [_row(each, place) for place, each in enumerate(slip.packages, 1)],
        "packages": f"{len(slip.packages):,}",
        "weight": _kilograms(sum(weights)) if all(weights) else "",
    }


def _row(package: SlipPackage, place: int) -> list[str]:
    named = [f"{line.quantity:,} × {line.description or line.sku}" for line in package.lines[:MOST_NAMED]]
    more = len(package.lines) - len(named)
    goods = ", ".join(named) + (f" and {more:,} more" if more else "")
    size = " × ".join(f"{side / 10:g}" for side in package.size_mm) + " cm" if all(package.size_mm) else ""
    codes = [f"(00) {package.sscc}" if package.sscc else "", package.tracking_number]
    return [
        f"{place:,}",
        "\n".join(breakable(code) for code in codes if code),
        breakable(goods),
        size,
        _kilograms(package.weight_grams) if package.weight_grams else "",
    ]


def _kilograms(grams: int) -> str:
    return f"{grams / 1000:,.2f} kg"

"""What the label of a return says: from whom, where to, its number as a barcode, and what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from services.billing.documents.code128 import barcode
from services.billing.documents.content import ON_LETTER_PAPER, Content, breakable
from services.billing.documents.seller import Seller
from services.runtime.addresses import Place, lines_of

_LETTER = {"width": 101.6, "height": 152.4}
_A6 = {"width": 105.0, "height": 148.0}


@dataclass(frozen=True, slots=True)
class ReturnLabel:
    """A return on its way back; `place` is its warehouse, named `warehouse`, None where nobody knows its address."""

    number: str
    order_number: str
    units: int
    comes_from: Place
    authorized_on: date
    valid_until: date | None
    place: Place | None = None
    warehouse: str = ""


def label_content(label: ReturnLabel, seller: Seller, returns_to: Sequence[str]) -> Content:
    """The label; `returns_to` is where all returns go, which comes before the warehouse that goods left from."""
    on = label.authorized_on
    return {
        "title": f"Return label {label.number}",
        "created": {"year": on.year, "month": on.month, "day": on.day},
        "author": seller.name,
        "size": _LETTER if seller.country in ON_LETTER_PAPER else _A6,
        "number": label.number,
        "from": [breakable(line) for line in lines_of(label.comes_from, seller.country)],
        "to": [seller.name, *(breakable(line) for line in _destination(label, seller, returns_to))],
        "facts": [
            ["Order", label.order_number],
            ["Units", f"{label.units:,}"],
            *([["Arrives by", seller.formats.day(label.valid_until)]] if label.valid_until else []),
        ],
        "steps": _steps(label, seller),
        "barcode": barcode(label.number),
    }


def _destination(label: ReturnLabel, seller: Seller, returns_to: Sequence[str]) -> Sequence[str]:
    if returns_to:
        return returns_to
    if label.place is None:
        return seller.address
    lines = [line for line in lines_of(label.place, seller.country) if line != seller.name]
    return [label.warehouse, *(line for line in lines if line != label.warehouse)]


def _steps(label: ReturnLabel, seller: Seller) -> list[str]:
    by = f" It must arrive by {seller.formats.day(label.valid_until)}." if label.valid_until else ""
    return [
        "Pack the goods as well as they came, and cover old labels and barcodes.",
        f"Stick this label on the package. With several packages, write {label.number} on each.",
        f"Drop it off at a carrier’s or post office’s counter and keep the receipt.{by}",
        "Enter the tracking number on your order’s page, so that we can expect it.",
    ]

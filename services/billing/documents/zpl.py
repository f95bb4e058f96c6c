"""Shipping labels for label printers: ZPL II of 4 by 6 inches at 203 dots an inch, a format (^XA … ^XZ) for each package."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from services.billing.documents.packing_slip_content import PackingSlip, SlipPackage, origin
from services.billing.documents.seller import Seller
from services.billing.documents.shipping_label_content import label_facts
from services.runtime.addresses import lines_of

_WIDTH, _LENGTH, _EDGE = 812, 1218, 30
_SIZES = (40, 28, 20)
"""Heights of text in dots: the first one is taken by which all lines have room."""
_COMMANDS = "^~_"
"""What begins a command, and what a byte is written by."""


def zpl_labels(slip: PackingSlip, seller: Seller) -> str:
    """The labels of a shipment, one a package. Text is written so that none of it is read as a command."""
    count = len(slip.packages)
    return "".join(_label(slip, each, place, count, seller) for place, each in enumerate(slip.packages, 1))


def _label(slip: PackingSlip, package: SlipPackage, place: int, count: int, seller: Seller) -> str:
    facts = [f"{name}: {value}" for name, value in label_facts(slip, package, place, count)]
    fields = [
        *_lines([seller.name, *origin(slip, seller)], 30, 180, _SIZES[1:]),
        f"^FO{_EDGE},215^GB{_WIDTH - 2 * _EDGE},3,3^FS",
        *_lines(lines_of(slip.ship_to, seller.country), 235, 290, _SIZES),
        f"^FO{_EDGE},530^GB{_WIDTH - 2 * _EDGE},3,3^FS",
        *_lines(facts, 550, 220, _SIZES[1:]),
        *_codes(slip, package),
    ]
    return "\n".join(["^XA", "^CI28", f"^PW{_WIDTH}", f"^LL{_LENGTH}", *fields, "^XZ", ""])


def _lines(texts: Sequence[str], top: int, room: int, sizes: Sequence[int]) -> list[str]:
    """Lines of text below each other within so many dots, as large as they have room; what has none at the smallest is left out."""
    height, lines = next(
        ((size, found) for size in sizes if len(found := _wrapped(texts, size)) * _step(size) <= room),
        (sizes[-1], _wrapped(texts, sizes[-1])[: room // _step(sizes[-1])]),
    )
    width, step = _WIDTH - 2 * _EDGE, _step(height)
    return [
        f"^FO{_EDGE},{top + at * step}^A0N,{height},{height}^FB{width},1,0,L^FH^FD{_plain(text)}^FS"
        for at, text in enumerate(lines)
    ]


def _step(height: int) -> int:
    return height + 4


def _wrapped(texts: Sequence[str], height: int) -> list[str]:
    """The texts cut where a line of this height ends, were all its letters wide ones."""
    most = (_WIDTH - 2 * _EDGE) * 10 // (height * 8)
    return [line for text in texts for line in wrap(text, most) or [""]]


def _codes(slip: PackingSlip, package: SlipPackage) -> list[str]:
    """The company's code of the package, GS1-128 with its function character (mode D), and the carrier's number."""
    own = (
        f"^BCN,150,N,N,N,D^FD(00){package.sscc}^FS"
        if package.sscc
        else f"^BCN,150,N,N,N,A^FH^FD{_plain(slip.number)}^FS"
    )
    said = f"(00) {package.sscc}" if package.sscc else slip.number
    found = [f"^FO60,780^BY3{own}", *_lines([said], 936, 40, _SIZES[1:])]
    if package.tracking_number:
        number = _plain(package.tracking_number)
        found += [
            f"^FO60,985^BY2^BCN,130,N,N,N,A^FH^FD{number}^FS",
            *_lines([package.tracking_number], 1122, 40, _SIZES[1:]),
        ]
    return found


def _plain(text: str) -> str:
    """Text of a field with ^FH: a byte that begins a command, is no printable one, or leads into another set of Code 128, is _XX."""
    return "".join(
        "".join(f"_{byte:02X}" for byte in char.encode()) if char in _COMMANDS or char < " " or char == ">" else char
        for char in text
    )

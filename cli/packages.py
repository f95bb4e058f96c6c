"""Packages on the command line: how they are written, and how they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from cli.output import print_rows
from cli.refusals import CommandRefused

PACKAGE_HELP = (
    "A package: units by line, then what is known of it, e.g. '1=3,2=1 kg=8.2 cm=40x30x25 tracking=1Z999'. A line of several SKUs "
    "is LINE:SKU=UNITS. Once for each package; each unit is in one."
)
_COLUMNS = (
    ("Package", "number>"), ("Code", "sscc"), ("Tracking", "tracking_number"), ("Weight kg", "kg>"), ("Size cm", "cm"),
    ("Contents", "what"), ("Delivered", "delivered_at"), ("Problem", "exception_at"),
)  # fmt: skip
_SIDES = ("length_mm", "width_mm", "height_mm")
_CONTENT = re.compile(r"([^:=,\s]+)(?::([^=,\s]+))?=([0-9]{1,9})")
_KG = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?")
_CM = re.compile(r"([0-9]{1,4}(?:\.[0-9])?)x([0-9]{1,4}(?:\.[0-9])?)x([0-9]{1,4}(?:\.[0-9])?)")


def read_package(said: str) -> dict[str, Any]:
    """A package as somebody typed it, as the API takes it."""
    contents, *known = said.split() or [""]
    package: dict[str, Any] = {"contents": [_content(part) for part in contents.split(",")]}
    for word in known:
        name, _, value = word.partition("=")
        if name not in _KNOWN or not value:
            raise CommandRefused(f"{word} is none of kg=, cm= and tracking=")
        package |= _KNOWN[name](value)
    return package


def print_packages(packages: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Packages, a row each."""
    rows = packages if as_json else [{**each, **_measured(each)} for each in packages]
    print_rows(rows, _COLUMNS, as_json=as_json, none="no packages: it is not packed")


def _content(part: str) -> dict[str, Any]:
    found = _CONTENT.fullmatch(part)
    if found is None:
        raise CommandRefused(f"{part or 'nothing'} is no content: write LINE=UNITS, e.g. 1=3")
    line_id, sku, units = found.groups()
    return {"line_id": line_id, "quantity": int(units)} | ({"sku": sku} if sku else {})


def _kilograms(value: str) -> dict[str, Any]:
    if not _KG.fullmatch(value):
        raise CommandRefused(f"kg={value} is no weight: write kilograms, e.g. kg=8.2")
    return {"weight_grams": int(Decimal(value) * 1000)}


def _centimeters(value: str) -> dict[str, Any]:
    found = _CM.fullmatch(value)
    if found is None:
        raise CommandRefused(f"cm={value} is no size: write length, width and height in centimeters, e.g. cm=40x30x25")
    return {name: int(Decimal(side) * 10) for name, side in zip(_SIDES, found.groups(), strict=True)}


def _tracking(value: str) -> dict[str, Any]:
    return {"tracking_number": value}


_KNOWN: Mapping[str, Callable[[str], dict[str, Any]]] = {"kg": _kilograms, "cm": _centimeters, "tracking": _tracking}
"""What may be known of a package → how it is read."""


def _measured(package: Mapping[str, Any]) -> dict[str, Any]:
    sides = [package[name] for name in _SIDES]
    return {
        "kg": f"{package['weight_grams'] / 1000:,.2f}",
        "cm": " × ".join(f"{side / 10:g}" for side in sides) if all(sides) else "",
        "what": ", ".join(f"{line['quantity']:,} {line['sku']}" for line in package["contents"]),
    }

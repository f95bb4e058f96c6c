"""Packages of shipments with their contents: written when they are packed, and read with their shipments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlmodel import Session

from services.fulfillment.domain.packages import Content, Package
from services.fulfillment.store.tables import package, package_line, shipment
from services.kernel.errors import Refused
from services.kernel.ids import shipment_number

_MEASURES = ("weight_grams", "length_mm", "width_mm", "height_mm")
_MOVED = ("sscc", "tracking_number", "delivered_at", "exception_at", "problem")
"""What a step may change of a package; the rest stays as it was packed."""
_ADD, _ADD_LINES = insert(package), insert(package_line)
_SAVE = (
    update(package)
    .where(package.c.shipment_id == bindparam("id"), package.c.number == bindparam("at"))
    .values({name: bindparam(f"new_{name}") for name in _MOVED})
)
_UNPACK = delete(package).where(package.c.shipment_id == bindparam("id"))
_UNPACK_LINES = delete(package_line).where(package_line.c.shipment_id == bindparam("id"))
_OF_SHIPMENTS = (
    select(package, package_line.c.line_id, package_line.c.sku, package_line.c.quantity)
    .join(
        package_line,
        (package_line.c.shipment_id == package.c.shipment_id) & (package_line.c.number == package.c.number),
    )
    .where(package.c.shipment_id.in_(bindparam("ids", expanding=True)))
    .order_by(package.c.shipment_id, package.c.number, package_line.c.line_id, package_line.c.sku)
)
_TAKEN = (
    select(package.c.tracking_number, shipment.c.serial)
    .join(shipment, shipment.c.shipment_id == package.c.shipment_id)
    .where(
        package.c.tracking_number.in_(bindparam("numbers", expanding=True)), package.c.shipment_id != bindparam("id")
    )
    .order_by(package.c.tracking_number)
    .limit(1)
)


def add(session: Session, shipment_id: str, packages: Sequence[Package]) -> None:
    """Store the packages of a shipment that has none."""
    if not packages:
        return
    session.execute(_ADD, [_row(shipment_id, each) for each in packages])
    session.execute(
        _ADD_LINES,
        [
            {
                "shipment_id": shipment_id,
                "number": each.number,
                "line_id": content.line_id,
                "sku": content.sku,
                "quantity": content.quantity,
            }
            for each in packages
            for content in each.contents
        ],
    )


def save(session: Session, shipment_id: str, before: Sequence[Package], after: Sequence[Package]) -> None:
    """Store what a step changed of a shipment's packages; those that were opened are written anew."""
    if [_packed(each) for each in before] != [_packed(each) for each in after]:
        session.execute(_UNPACK_LINES, {"id": shipment_id})
        session.execute(_UNPACK, {"id": shipment_id})
        add(session, shipment_id, after)
        return
    moved = [
        {"id": shipment_id, "at": new.number, **{f"new_{name}": value for name, value in _moved(new).items()}}
        for old, new in zip(before, after, strict=True)
        if old != new
    ]
    if moved:
        session.execute(_SAVE, moved)


def of_shipments(session: Session, shipment_ids: Collection[str]) -> dict[str, tuple[Package, ...]]:
    """Shipment id → its packages by number, of those that are packed."""
    if not shipment_ids:
        return {}
    rows = session.execute(_OF_SHIPMENTS, {"ids": list(shipment_ids)}).all()
    found: dict[str, tuple[Package, ...]] = {}
    for (shipment_id, _), lines in groupby(rows, key=lambda row: (row.shipment_id, row.number)):
        found[shipment_id] = (*found.get(shipment_id, ()), _package(list(lines)))
    return found


def check_free(session: Session, shipment_id: str, packages: Sequence[Package]) -> None:
    """Refuse (TRACKING_NUMBER_TAKEN) a number that a package of another shipment has."""
    numbers = [each.tracking_number for each in packages if each.tracking_number]
    if not numbers:
        return
    taken = session.execute(_TAKEN, {"numbers": numbers, "id": shipment_id}).first()
    if taken is not None:
        raise Refused(
            "TRACKING_NUMBER_TAKEN",
            f"{taken.tracking_number} is on a package of {shipment_number(taken.serial)}: scan the carrier's label of this one",
        )


def _package(lines: Sequence[Row[Any]]) -> Package:
    row = lines[0]
    return Package(
        number=row.number,
        contents=tuple(Content(line.line_id, line.sku, line.quantity) for line in lines),
        weight_grams=row.weight_grams,
        length_mm=row.length_mm,
        width_mm=row.width_mm,
        height_mm=row.height_mm,
        sscc=row.sscc or "",
        tracking_number=row.tracking_number or "",
        delivered_at=row.delivered_at,
        exception_at=row.exception_at,
        problem=row.problem,
    )


def _packed(of: Package) -> tuple[object, ...]:
    return (of.number, of.contents, *(getattr(of, name) for name in _MEASURES))


def _row(shipment_id: str, of: Package) -> dict[str, object]:
    measures = {name: getattr(of, name) for name in _MEASURES}
    return {"shipment_id": shipment_id, "number": of.number, **measures, **_moved(of)}


def _moved(of: Package) -> dict[str, object]:
    return {
        "sscc": of.sscc or None,
        "tracking_number": of.tracking_number or None,
        "delivered_at": of.delivered_at,
        "exception_at": of.exception_at,
        "problem": of.problem,
    }

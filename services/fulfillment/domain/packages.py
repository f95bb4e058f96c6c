"""What a shipment is packed in: each unit in one package, and each package under the carrier's own number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from services.kernel.errors import InvalidArgument, Refused

if TYPE_CHECKING:
    from services.fulfillment.domain.shipment import Shipment, ShipmentLine

Part = tuple[str, str]
"""A line of a shipment: order line and SKU."""


@dataclass(frozen=True, slots=True)
class Content:
    """Units of a shipment's line in a package."""

    line_id: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Package:
    """One package; `number` counts those of its shipment from 1, a measure that nobody took is 0.

    `sscc` is empty where the company has no GS1 prefix, `tracking_number` while nobody has given one. `exception_at` is when the
    carrier last told of a problem with it, until it is delivered, and `problem` in which word.
    """

    number: int
    contents: tuple[Content, ...]
    weight_grams: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    sscc: str = ""
    tracking_number: str = ""
    delivered_at: datetime | None = None
    exception_at: datetime | None = None
    problem: str = ""


def packed(shipment: Shipment, given: Sequence[Package]) -> tuple[Package, ...]:
    """The packages of a shipment: those that were given, or one with everything. What was not weighed weighs what is in it.

    Refuses UNITS_NOT_PACKED and PACKED_TWICE; a line the shipment does not hold and an empty package are an InvalidArgument.
    """
    if shipment.is_service:
        return ()
    if not given:
        whole = tuple(Content(line.line_id, line.sku, line.quantity) for line in shipment.lines)
        return (_weighed(Package(1, whole), shipment.lines),)
    named = [_named(shipment, package, number) for number, package in enumerate(given, start=1)]
    _check_units(shipment, named)
    check_once(package.tracking_number for package in named)
    return tuple(_weighed(package, shipment.lines) for package in named)


def without(packages: Sequence[Package], lines: Sequence[ShipmentLine]) -> tuple[Package, ...]:
    """The packages once the shipment holds no more than these lines: units leave the last package that has them.

    One that was opened weighs what is left in it; one that is empty is gone, and those after it are counted anew.
    """
    left = Counter({(line.line_id, line.sku): line.quantity for line in lines})
    kept: list[Package] = []
    for package in packages:
        contents = []
        for content in package.contents:
            units = min(content.quantity, left[content.line_id, content.sku])
            left[content.line_id, content.sku] -= units
            if units:
                contents.append(replace(content, quantity=units))
        if contents:
            after = replace(package, number=len(kept) + 1, contents=tuple(contents))
            kept.append(
                after if after.contents == package.contents else _weighed(replace(after, weight_grams=0), lines)
            )
    return tuple(kept)


def repacked(packages: Sequence[Package]) -> tuple[Package, ...]:
    """The same packages before any carrier had them, without the codes that named them."""
    return tuple(
        replace(package, sscc="", tracking_number="", delivered_at=None, exception_at=None, problem="")
        for package in packages
    )


def tracked(
    packages: Sequence[Package], numbers: Sequence[str], invent: Callable[[], str] | None
) -> tuple[Package, ...]:
    """The packages with the carrier's numbers: those given now, else those given at packing, else `invent`ed ones.

    Refuses TRACKING_NUMBER_MISSING where none is invented; another count of numbers than packages, and one number for two packages are an
    InvalidArgument.
    """
    if numbers and len(numbers) != len(packages):
        raise InvalidArgument(
            "TRACKING_NUMBERS_MISMATCH",
            f"there are {len(packages)} packages and {len(numbers)} tracking numbers: give one for each package, in their order",
        )
    given = list(numbers) or [package.tracking_number for package in packages]
    missing = [package.number for package, number in zip(packages, given, strict=True) if not number]
    if missing and invent is None:
        raise Refused(
            "TRACKING_NUMBER_MISSING",
            f"package {missing[0]} has no tracking number: enter the number on the carrier's label, one for each package",
        )
    check_once(given)
    return tuple(
        replace(package, tracking_number=number or (invent() if invent else ""))
        for package, number in zip(packages, given, strict=True)
    )


def check_no_numbers(visit: Shipment, numbers: Sequence[str]) -> None:
    """Refuse (InvalidArgument SERVICE_HAS_NO_PACKAGES) tracking numbers of a service visit."""
    if numbers:
        raise InvalidArgument("SERVICE_HAS_NO_PACKAGES", f"{visit.number} is a service visit: it has no packages")


def delivered(package: Package, at: datetime) -> Package:
    """The package in the customer's hands."""
    return replace(package, delivered_at=at, exception_at=None, problem="")


def check_once(numbers: Iterable[str]) -> None:
    """Refuse (InvalidArgument TRACKING_NUMBER_TWICE) one number for two packages."""
    seen: set[str] = set()
    for number in filter(None, numbers):
        if number in seen:
            raise InvalidArgument(
                "TRACKING_NUMBER_TWICE", f"{number} is on two packages: each has a tracking number of its own"
            )
        seen.add(number)


def _named(shipment: Shipment, package: Package, number: int) -> Package:
    """The package with the SKU of each content, and each line once."""
    units: Counter[Part] = Counter()
    for content in package.contents:
        units[_part(shipment, content)] += content.quantity
    if not units:
        raise InvalidArgument("PACKAGE_EMPTY", f"nothing is in package {number}: say what is in it, or leave it out")
    contents = tuple(Content(line_id, sku, quantity) for (line_id, sku), quantity in sorted(units.items()))
    return replace(package, number=number, contents=contents)


def _part(shipment: Shipment, content: Content) -> Part:
    skus = [line.sku for line in shipment.lines if line.line_id == content.line_id]
    if content.sku in skus:
        return content.line_id, content.sku
    if not content.sku and len(skus) == 1:
        return content.line_id, skus[0]
    if not content.sku and skus:
        raise InvalidArgument(
            "UNKNOWN_LINE", f"line {content.line_id} is {' and '.join(skus)}: name the SKU in the package"
        )
    what = f"line {content.line_id}" + (f" with SKU {content.sku}" if content.sku else "")
    raise InvalidArgument("UNKNOWN_LINE", f"{shipment.number} has no {what}: pack what is on its list")


def _check_units(shipment: Shipment, packages: Sequence[Package]) -> None:
    found: Counter[Part] = Counter()
    for package in packages:
        found.update({(content.line_id, content.sku): content.quantity for content in package.contents})
    for line in shipment.lines:
        wanted, units = line.quantity, found[line.line_id, line.sku]
        said = f"{shipment.number} holds {wanted} {line.sku} of line {line.line_id} and {units} are in its packages"
        if units < wanted:
            raise Refused("UNITS_NOT_PACKED", f"{said}: say in which package the other {wanted - units} are")
        if units > wanted:
            raise Refused("PACKED_TWICE", f"{said}: take {units - wanted} out of one of them")


def _weighed(package: Package, lines: Sequence[ShipmentLine]) -> Package:
    if package.weight_grams:
        return package
    weights = {(line.line_id, line.sku): line.unit_weight_grams for line in lines}
    grams = sum(weights[content.line_id, content.sku] * content.quantity for content in package.contents)
    return replace(package, weight_grams=grams)

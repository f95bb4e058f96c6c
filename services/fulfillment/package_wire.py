"""Packages: protobuf to domain and back, shapes checked."""

from __future__ import annotations

from collections.abc import Sequence

from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2 as pb
from oms.types.v1 import types_pb2 as types
from services.fulfillment.domain.packages import Content, Package
from services.fulfillment.domain.shipment import LEFT, Shipment
from services.fulfillment.tracking import carriers_number
from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument
from services.kernel.quantity import non_negative, positive
from services.kernel.text import optional_text, text
from services.runtime.wire import optional_micros

MAX_PACKAGES = 200
MAX_CONTENTS = 2 * MAX_LINES
"""Rows of contents of all packages of a shipment: those of every line, and as many lines again that are in several packages."""


def packages(sent: Sequence[pb.Package]) -> tuple[Package, ...]:
    """Packages as somebody packed them; none for one with everything."""
    if len(sent) > MAX_PACKAGES or sum(len(each.contents) for each in sent) > MAX_CONTENTS:
        raise InvalidArgument(
            "TOO_MANY_ROWS", f"at most {MAX_PACKAGES} packages with {MAX_CONTENTS} rows of contents in all"
        )
    return tuple(_package(each, number) for number, each in enumerate(sent, start=1))


def tracking_numbers(request: pb.ShipShipmentRequest) -> tuple[str, ...]:
    """The carrier's numbers, one a package; none keeps those that the packages have."""
    if len(request.tracking_numbers) > MAX_PACKAGES:
        raise InvalidArgument("TOO_MANY_ROWS", f"at most {MAX_PACKAGES} tracking numbers")
    return tuple(carriers_number(text(each, "tracking_numbers")) for each in request.tracking_numbers)


def package_messages(of: Sequence[Package]) -> list[pb.Package]:
    """Packages as they stand."""
    return [
        pb.Package(
            number=each.number,
            weight_grams=each.weight_grams,
            length_mm=each.length_mm,
            width_mm=each.width_mm,
            height_mm=each.height_mm,
            contents=[
                types.LineQuantity(line_id=content.line_id, sku=content.sku, quantity=content.quantity)
                for content in each.contents
            ],
            sscc=each.sscc,
            tracking_number=each.tracking_number,
            delivered_at_micros=optional_micros(each.delivered_at),
            exception_at_micros=optional_micros(each.exception_at),
            problem=each.problem,
        )
        for each in of
    ]


def package_details(shipment: Shipment) -> list[facts_pb2.ShipmentPackage]:
    """Packages as other services read them, once they have left."""
    if shipment.state not in LEFT:
        return []
    return [
        facts_pb2.ShipmentPackage(
            sscc=each.sscc,
            tracking_number=each.tracking_number,
            weight_grams=each.weight_grams,
            delivered_at_micros=optional_micros(each.delivered_at),
            exception_at_micros=optional_micros(each.exception_at),
            problem=each.problem,
        )
        for each in shipment.packages
    ]


def _package(sent: pb.Package, number: int) -> Package:
    what = f"of package {number}"
    given = optional_text(sent.tracking_number, f"tracking_number {what}")
    return Package(
        number=number,
        contents=tuple(
            Content(
                text(line.line_id, "line_id"),
                optional_text(line.sku, "sku"),
                positive(line.quantity, f"quantity of line {line.line_id} {what}"),
            )
            for line in sent.contents
        ),
        weight_grams=non_negative(sent.weight_grams, f"weight_grams {what}"),
        length_mm=non_negative(sent.length_mm, f"length_mm {what}"),
        width_mm=non_negative(sent.width_mm, f"width_mm {what}"),
        height_mm=non_negative(sent.height_mm, f"height_mm {what}"),
        tracking_number=carriers_number(given) if given.strip() else "",
    )

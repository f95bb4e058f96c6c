"""Naming packages inside the caller's transaction: the company's codes when they are packed, the carrier's numbers when they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from services.fulfillment.domain.packages import Package, tracked
from services.fulfillment.domain.shipment import Shipment
from services.fulfillment.domain.sscc import DEMONSTRATION_PREFIX, sscc
from services.fulfillment.store import packages
from services.fulfillment.store.counters import next_value
from services.fulfillment.tracking import tracking_number


@dataclass(frozen=True, slots=True)
class PackingRules:
    """Whose codes packages get, none without a GS1 company prefix; and whether a tracking number is made up where nobody gives one."""

    company_prefix: str = DEMONSTRATION_PREFIX
    invents_numbers: bool = True


def label(session: Session, rules: PackingRules, shipment: Shipment) -> Shipment:
    """The shipment with a code on each package; refused TRACKING_NUMBER_TAKEN where a number given now is another package's."""
    _check_free(session, shipment, shipment.packages)
    if not rules.company_prefix or not shipment.packages:
        return shipment
    first = next_value(session, "sscc", len(shipment.packages))
    coded = [
        replace(each, sscc=sscc(rules.company_prefix, first + place)) for place, each in enumerate(shipment.packages)
    ]
    return replace(shipment, packages=tuple(coded))


def track(
    session: Session, rules: PackingRules, shipment: Shipment, carrier: str, numbers: Sequence[str]
) -> tuple[Package, ...]:
    """The packages under the carrier's numbers; refused as packages.tracked() does, and TRACKING_NUMBER_TAKEN."""

    def invented() -> str:
        return tracking_number(carrier, next_value(session, "tracking"))

    named = tracked(shipment.packages, numbers, invented if rules.invents_numbers else None)
    if any(numbers):
        _check_free(session, shipment, named)
    return named


def _check_free(session: Session, shipment: Shipment, named: Sequence[Package]) -> None:
    """Refused TRACKING_NUMBER_TAKEN. Whoever gives numbers waits for the one before to commit, whose numbers are seen then."""
    if any(each.tracking_number for each in named):
        next_value(session, "carrier_numbers")
        packages.check_free(session, shipment.shipment_id, named)

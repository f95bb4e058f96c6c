"""The rate table and the zones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, text
from sqlmodel import Session

from services.fulfillment.domain.address import Address
from services.fulfillment.domain.rates import Rate, ZoneRule, zone_of
from services.fulfillment.domain.schedules import Schedules
from services.fulfillment.store import schedules
from services.fulfillment.store.counters import next_value
from services.fulfillment.store.tables import rate, zone_rule
from services.kernel.money import Money
from services.runtime.versioned import stale

_VERSION = "rate_table"
_CURRENT = text("SELECT value FROM counter WHERE name = 'rate_table'")
_EDITIONS = text("SELECT name, value FROM counter WHERE name IN ('rate_table', 'warehouse_schedules')")
_TAKE_NEXT = text(
    "UPDATE counter SET value = value + 1 WHERE name = 'rate_table' AND value = :expected RETURNING value"
)
_RATES = select(rate).order_by(rate.c.warehouse_id, rate.c.carrier)
_ZONES = select(zone_rule)


def replace_rates(
    session: Session, rates: Sequence[Rate], zones: Sequence[ZoneRule], expected: int | None = None
) -> int:
    """Put these in place of everything before; gives the new version. Refused VERSION_STALE where another one stands.

    The version is taken first, so two replacements queue.
    """
    version = _take(session, expected)
    session.execute(delete(rate))
    session.execute(delete(zone_rule))
    if rates:
        session.execute(insert(rate), [_values(each) for each in rates])
    if zones:
        session.execute(
            insert(zone_rule), [{"country": rule.country, "region": rule.region, "zone": rule.zone} for rule in zones]
        )
    return version


def _take(session: Session, expected: int | None) -> int:
    """The next version; with an expected one only when that stands, which one UPDATE decides."""
    if expected:
        taken = session.execute(_TAKE_NEXT, {"expected": expected}).scalar()
        if taken is None:
            raise stale(version_of(session) or None)
        return int(taken)
    version = next_value(session, _VERSION)
    if expected == 0 and version != 1:
        raise stale(version - 1)
    return version


def version_of(session: Session) -> int:
    """How many tables were put; 0 before the first."""
    return int(session.execute(_CURRENT).scalar_one_or_none() or 0)


def whole(session: Session) -> tuple[list[Rate], list[ZoneRule]]:
    """The table: rates by warehouse, carrier and zone, rules by country and region."""
    rates = session.execute(select(rate).order_by(rate.c.warehouse_id, rate.c.carrier, rate.c.zone))
    zones = session.execute(select(zone_rule).order_by(zone_rule.c.country, zone_rule.c.region))
    return [_rate(row) for row in rates], [ZoneRule(row.country, row.region, row.zone) for row in zones]


@dataclass(frozen=True, slots=True)
class _Edition:
    """The rate table of one version, and the schedules of another: rules by country, rates by zone."""

    version: Mapping[str, int]
    rules: Mapping[str, Sequence[ZoneRule]]
    rates: Mapping[str, Sequence[Rate]]
    schedules: Schedules


@dataclass(frozen=True, slots=True)
class Roads:
    """How goods come to an address: the rates into its zone, by warehouse and carrier, and when these warehouses work."""

    rates: Sequence[Rate]
    schedules: Schedules


class RateBook:
    """Rates and schedules as they were last read: read again as soon as their versions are others, by whichever process they were replaced."""

    def __init__(self) -> None:
        self._edition = _Edition({}, {}, {}, {})  # nobody has put any yet

    def rates_into(self, session: Session, ship_to: Address) -> Sequence[Rate]:
        """Every rate into the zone of the address, by warehouse and carrier; none when it lies in no zone."""
        return self.roads_into(session, ship_to).rates

    def roads_into(self, session: Session, ship_to: Address) -> Roads:
        """The rates into the zone of the address, with the schedules of warehouses."""
        # a replacement that commits after this line is read under the version before, and is read again next time
        version = {row.name: int(row.value) for row in session.execute(_EDITIONS)}
        edition = self._edition
        if edition.version != version:
            edition = self._edition = _read(session, version)
        zone = zone_of(ship_to, edition.rules.get(ship_to.country, ()))
        return Roads(edition.rates.get(zone, ()) if zone else (), edition.schedules)


def _read(session: Session, version: Mapping[str, int]) -> _Edition:
    rules: dict[str, list[ZoneRule]] = {}
    for row in session.execute(_ZONES):
        rules.setdefault(row.country, []).append(ZoneRule(row.country, row.region, row.zone))
    rates: dict[str, list[Rate]] = {}
    for row in session.execute(_RATES):
        rates.setdefault(row.zone, []).append(_rate(row))
    return _Edition(version, rules, rates, {one.warehouse_id: one for one in schedules.every(session)})


def _values(one: Rate) -> dict[str, object]:
    return {
        "warehouse_id": one.warehouse_id,
        "carrier": one.carrier,
        "zone": one.zone,
        "currency": one.base.currency,
        "base_minor": one.base.minor,
        "per_kg_minor": one.per_kg.minor,
        "per_unit_minor": one.per_unit.minor,
        "transit_days": one.transit_days,
    }


def _rate(row: Row[Any]) -> Rate:
    return Rate(
        row.warehouse_id,
        row.carrier,
        row.zone,
        Money(row.base_minor, row.currency),
        Money(row.per_kg_minor, row.currency),
        Money(row.per_unit_minor, row.currency),
        row.transit_days,
    )

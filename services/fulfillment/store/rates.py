"""The rate table and the zones."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from services.fulfillment.domain.rates import Rate, ZoneRule
from services.fulfillment.models import RateRow, ZoneRuleRow
from services.fulfillment.store.counters import next_value
from services.kernel.money import Money


def replace_rates(session: Session, rates: Sequence[Rate], zones: Sequence[ZoneRule]) -> None:
    """Put these in place of everything before. The version is taken first, so two replacements queue."""
    next_value(session, "rate_table")
    session.execute(delete(RateRow))
    session.execute(delete(ZoneRuleRow))
    if rates:
        session.execute(insert(RateRow), [_rate_values(rate) for rate in rates])
    if zones:
        session.execute(
            insert(ZoneRuleRow), [{"country": rule.country, "region": rule.region, "zone": rule.zone} for rule in zones]
        )


def zone_rules(session: Session, country: str) -> list[ZoneRule]:
    """The rules of a country."""
    rows = session.exec(select(ZoneRuleRow).where(col(ZoneRuleRow.country) == country))
    return [ZoneRule(row.country, row.region, row.zone) for row in rows]


def rates_to(session: Session, zone: str | None) -> list[Rate]:
    """Every rate into a zone, by warehouse and carrier; none for no zone."""
    wanted = select(RateRow).where(col(RateRow.zone) == zone)
    rows = session.exec(wanted.order_by(col(RateRow.warehouse_id), col(RateRow.carrier)))
    return [_rate(row) for row in rows]


def _rate_values(rate: Rate) -> dict[str, object]:
    return {
        "warehouse_id": rate.warehouse_id,
        "carrier": rate.carrier,
        "zone": rate.zone,
        "currency": rate.base.currency,
        "base_minor": rate.base.minor,
        "per_kg_minor": rate.per_kg.minor,
        "per_unit_minor": rate.per_unit.minor,
        "transit_days": rate.transit_days,
    }


def _rate(row: RateRow) -> Rate:
    return Rate(
        row.warehouse_id,
        row.carrier,
        row.zone,
        Money(row.base_minor, row.currency),
        Money(row.per_kg_minor, row.currency),
        Money(row.per_unit_minor, row.currency),
        row.transit_days,
    )

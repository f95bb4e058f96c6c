"""What carriers charge: zones, the rate table, and the cheapest way from each warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.fulfillment.domain.address import Address
from services.kernel.errors import Refused
from services.kernel.money import Money

ANY_REGION = "*"
GRAMS_PER_KG = 1000
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """What a carrier charges from a warehouse to a zone: a shipment, each started kilogram, each unit."""

    warehouse_id: str
    carrier: str
    zone: str
    base: Money
    per_kg: Money
    per_unit: Money
    transit_days: int


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """Which zone a region lies in; region "*" speaks for every region of the country without a rule of its own."""

    country: str
    region: str
    zone: str


@dataclass(frozen=True, slots=True)
class Load:
    """What a shipment weighs and how many units it has."""

    weight_grams: int
    unit_count: int

    @property
    def started_kg(self) -> int:
        """Kilograms as carriers count them: a started one is a whole one."""
        return -(-self.weight_grams // GRAMS_PER_KG)


@dataclass(frozen=True, slots=True)
class Quote:
    """What one carrier would take for a load from one warehouse."""

    warehouse_id: str
    carrier: str
    cost: Money
    transit_days: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment of goods that has yet to leave."""

    number: str
    warehouse_id: str
    ship_to: Address


def zone_of(address: Address, rules: Iterable[ZoneRule]) -> str | None:
    """The zone of the address: the rule of its region in any case, else the country's "*" rule, else None."""
    by_place = {(rule.country, rule.region.upper()): rule.zone for rule in rules}
    return by_place.get((address.country, address.region.upper())) or by_place.get((address.country, ANY_REGION))


def quote(rate: Rate, load: Load) -> Quote:
    """The price of a load at a rate; an absurd one is refused by Money as AMOUNT_TOO_LARGE."""
    minor = rate.base.minor + rate.per_kg.minor * load.started_kg + rate.per_unit.minor * load.unit_count
    return Quote(rate.warehouse_id, rate.carrier, Money(minor, rate.base.currency), rate.transit_days)


def cheapest(rates: Iterable[Rate], load: Load) -> Quote | None:
    """The cheapest quote; ties go to the faster carrier, then to its name. None when there is no rate."""
    return min((quote(rate, load) for rate in rates), key=_preference, default=None)


def cheapest_by_warehouse(rates: Iterable[Rate], load: Load) -> list[Quote]:
    """The cheapest quote of each warehouse, cheapest warehouse first, then by warehouse id."""
    quotes = [best for offers in by_warehouse(rates).values() if (best := cheapest(offers, load))]
    return sorted(quotes, key=lambda best: (best.cost.minor, best.warehouse_id))


def by_warehouse(rates: Iterable[Rate]) -> dict[str, list[Rate]]:
    """The rates of each warehouse, by carrier."""
    found: dict[str, list[Rate]] = {}
    for rate in sorted(rates, key=lambda one: (one.warehouse_id, one.carrier)):
        found.setdefault(rate.warehouse_id, []).append(rate)
    return found


def chosen(rates: Iterable[Rate], load: Load, carrier: str) -> Quote:
    """The quote of the carrier asked for, or the cheapest when none is asked for.

    Refuses NO_RATE_FOR_DESTINATION when nobody carries there and NO_RATE_FOR_CARRIER when the one asked for does not.
    """
    offers = list(rates)
    if not offers:
        raise Refused(
            "NO_RATE_FOR_DESTINATION",
            "no carrier has a rate from this warehouse to the address: add one to the rate table",
        )
    best = cheapest([rate for rate in offers if carrier in ("", rate.carrier)], load)
    if best is None:
        known = ", ".join(sorted({rate.carrier for rate in offers}))
        raise Refused(
            "NO_RATE_FOR_CARRIER", f"{carrier} has no rate from this warehouse to the address; these have: {known}"
        )
    return best


def check_carried(
    leaving: Iterable[Parcel],
    before: tuple[Sequence[Rate], Sequence[ZoneRule]],
    after: tuple[Sequence[Rate], Sequence[ZoneRule]],
) -> None:
    """Refuse a table under which a parcel that somebody carries today could not leave."""
    numbers: dict[tuple[str, Address], list[str]] = {}
    for parcel in leaving:
        numbers.setdefault((parcel.warehouse_id, parcel.ship_to), []).append(parcel.number)
    ways = [way for way in numbers if _is_carried(*way, *before) and not _is_carried(*way, *after)]
    lost = sorted(number for way in ways for number in numbers[way])
    if lost:
        named = ", ".join(lost[:_NAMED]) + (f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else "")
        raise Refused(
            "RATE_IN_USE",
            f"nobody would carry {named} any more: keep a rate from the warehouse to where they go, or send them first",
            shipments=str(len(lost)),
        )


def _is_carried(warehouse_id: str, ship_to: Address, rates: Iterable[Rate], rules: Sequence[ZoneRule]) -> bool:
    zone = zone_of(ship_to, [rule for rule in rules if rule.country == ship_to.country])
    return any(rate.zone == zone and rate.warehouse_id == warehouse_id for rate in rates)


def _preference(offer: Quote) -> tuple[int, int, str]:
    return offer.cost.minor, offer.transit_days, offer.carrier

"""How a sale is taxed: by where it goes, what it is, who buys it and on which day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from services.kernel.errors import InvalidArgument
from services.kernel.tax import EXEMPT, EXPORT, INTRA_COMMUNITY, REVERSE_CHARGE, UNTAXED_FREIGHT, TaxKind
from services.orders.domain.order import STANDARD_CATEGORY, Address, Line
from services.orders.domain.tax_parts import Taxation

REDUCED, SUPER_REDUCED, PARKING, ZERO, FREIGHT = "reduced", "super_reduced", "parking", "zero", "freight"
CATEGORIES = (STANDARD_CATEGORY, REDUCED, SUPER_REDUCED, PARKING, ZERO)
"""Tax categories of products that need no rate of ours to be known; what a place has no rate for is taxed as standard there."""

_INTRA_COMMUNITY = "Intra-Community supply, exempt under Article 138 of Directive 2006/112/EC"
_REVERSE_CHARGE = "Reverse charge: tax is due from the customer, Article 196 of Directive 2006/112/EC"
_EXPORT = "Export, exempt under Article 146 of Directive 2006/112/EC"
_ELSEWHERE = "Place of supply outside the EU, Article 44 of Directive 2006/112/EC"

TaxRateKey = tuple[str, str, str, str, str]
"""Country, region, postal prefix, category, first day (ISO): the order of rates in lists."""


@dataclass(frozen=True, slots=True)
class TaxRate:
    """How a category is taxed at a place from a day on, until a later rate of the same place and category.

    A blank region or postal prefix is all of the country. No `rate` is for freight alone: taxed as the goods that it carries.
    """

    country: str
    category: str
    valid_from: date
    rate: Decimal | None
    region: str = ""
    postal_prefix: str = ""
    reason: str = ""
    version: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.rate is None and self.category != FREIGHT:
            raise InvalidArgument("TAX_RATE_MISSING", "only freight is taxed as the goods are: give a rate")
        if self.rate is not None:
            TaxKind.at(self.rate)

    @property
    def key(self) -> TaxRateKey:
        """What tells it from every other."""
        return self.country, self.region, self.postal_prefix, self.category, self.valid_from.isoformat()

    def applies_to(self, place: Address, on: date) -> bool:
        """Whether it is in force at a place on a day."""
        is_there = self.country == place.country and self.region.casefold() in ("", place.region.casefold())
        return is_there and place.postal_code.startswith(self.postal_prefix) and self.valid_from <= on


@dataclass(frozen=True, slots=True)
class TaxExemption:
    """A certificate under which a customer is not taxed at a place, until a day (inclusive) or for ever; a blank region is all of it."""

    certificate: str
    country: str
    valid_from: date
    region: str = ""
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise InvalidArgument("EXEMPTION_ENDS_BEFORE_IT_BEGINS", "valid_to must not lie before valid_from")

    def covers(self, place: Address, on: date) -> bool:
        """Whether what goes to a place on a day is not taxed."""
        is_in_force = self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)
        return is_in_force and self._is_of(place)

    def why_not(self, place: Address, on: date) -> str:
        """Why it does not cover what goes to a place on a day; empty when it does."""
        if self.valid_to is not None and on > self.valid_to:
            return f"expired on {self.valid_to}"
        if on < self.valid_from:
            return f"is valid from {self.valid_from} on"
        where = f"{self.country}-{self.region}" if self.region else self.country
        return "" if self._is_of(place) else f"is for {where} alone"

    def _is_of(self, place: Address) -> bool:
        return self.country == place.country and self.region.casefold() in ("", place.region.casefold())


@dataclass(frozen=True, slots=True)
class TaxRules:
    """What decides beside the buyer. `vat` is EU country → category → rate, empty where the seller is not in the EU.

    Documents for the countries of `per_line` round the tax of each line.
    """

    seller_country: str = "US"
    rates: tuple[TaxRate, ...] = ()
    vat: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    per_line: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys: the rate of its account, for places that no rule knows; the EU country of its checked VAT number; its certificates."""

    tax_rate: Decimal
    vat_country: str = ""
    exemptions: tuple[TaxExemption, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxDetermination:
    """How what a buyer has sent to a place on a day is taxed; `exemption` is the certificate that covers it."""

    rules: TaxRules
    buyer: Buyer
    place: Address
    on: date
    exemption: str = ""

    @classmethod
    def of(cls, rules: TaxRules, buyer: Buyer, place: Address, on: date, certificate: str = "") -> TaxDetermination:
        """With the certificate that is named, else the first of the buyer's that covers it.

        InvalidArgument TAX_EXEMPTION_UNKNOWN for one that the buyer does not have, TAX_EXEMPTION_INVALID for one that does not cover it.
        """
        if certificate:
            _check_certificate(buyer, certificate, place, on)
        found = (one.certificate for one in buyer.exemptions if one.covers(place, on))
        return cls(rules, buyer, place, on, certificate or next(found, ""))

    @property
    def _supplied_at(self) -> Address:
        """Where it is supplied: where goods go; where a buyer of services is, who needs no address."""
        return self.place if self.place.country else replace(self.place, country=self._country)

    def kind(self, category: str, *, is_service: bool) -> TaxKind:
        """How goods or services of a category are taxed."""
        if self.exemption:
            return TaxKind(EXEMPT, Decimal(0), f"Exempt under certificate {self.exemption}")
        return self._abroad(is_service=is_service) or self._at_place(category)

    def kind_of(self, line: Line) -> TaxKind:
        """How a line is taxed."""
        return self.kind(line.tax_category, is_service=line.kind == "service")

    def differs(self, line: Line) -> bool:
        """Whether a line would be taxed otherwise than it is."""
        return self.kind_of(line) != line.tax

    def taxation_after(self, before: Taxation, *, has_moved: bool, is_billed: bool) -> Taxation:
        """How an order is taxed beside its lines after a change: anew only where it goes elsewhere, and nothing is invoiced."""
        return self.taxation if has_moved and not is_billed else before

    @property
    def taxation(self) -> Taxation:
        """How the order is taxed beside its lines."""
        is_per_line = self._country in self.rules.per_line
        return Taxation(self._freight(), is_per_line, self.on, self.exemption)

    @property
    def _country(self) -> str:
        return self.place.country or self.buyer.vat_country or self.rules.seller_country

    def _abroad(self, *, is_service: bool) -> TaxKind | None:
        """Not taxed by a seller in the EU: to a registered buyer in another member state, or out of the EU; None otherwise."""
        rules, country = self.rules, self._country
        if is_service and self.buyer.vat_country:
            country = (
                self.buyer.vat_country
            )  # services to a business are supplied where it is, wherever they are performed
        if rules.seller_country not in rules.vat:
            return None
        if country not in rules.vat:
            return TaxKind(EXEMPT, Decimal(0), _ELSEWHERE) if is_service else TaxKind(EXPORT, Decimal(0), _EXPORT)
        is_registered = self.buyer.vat_country not in ("", rules.seller_country)
        if is_registered and is_service:
            return TaxKind(REVERSE_CHARGE, Decimal(0), _REVERSE_CHARGE)
        if is_registered and country != rules.seller_country:
            return TaxKind(INTRA_COMMUNITY, Decimal(0), _INTRA_COMMUNITY)
        return None

    def _at_place(self, category: str) -> TaxKind:
        vat = self.rules.vat.get(self._country, {})
        for each in (category, STANDARD_CATEGORY):
            found = self._rate(each)
            if found is not None and found.rate is not None:
                return TaxKind.at(found.rate, "" if found.rate else found.reason)
            if each in vat:
                return TaxKind.at(vat[each])
            if each == ZERO:
                return TaxKind.at(Decimal(0))
        return TaxKind.at(self.buyer.tax_rate)

    def _freight(self) -> TaxKind | None:
        found = self._rate(FREIGHT)
        if found is None:
            return None if self.rules.seller_country in self.rules.vat else UNTAXED_FREIGHT
        if found.rate is None or self.exemption or self._abroad(is_service=False):
            return None
        return TaxKind.at(found.rate, "" if found.rate else found.reason)

    def _rate(self, category: str) -> TaxRate | None:
        """The rate of a category at the place: the most exact place wins, then the latest day."""
        at_place = [
            one for one in self.rules.rates if one.category == category and one.applies_to(self._supplied_at, self.on)
        ]
        return max(at_place, key=lambda one: (len(one.postal_prefix), bool(one.region), one.valid_from), default=None)


def _check_certificate(buyer: Buyer, certificate: str, place: Address, on: date) -> None:
    named = [one for one in buyer.exemptions if one.certificate == certificate]
    if not named:
        raise InvalidArgument(
            "TAX_EXEMPTION_UNKNOWN",
            f"the customer has no exemption certificate {certificate}: store it with the customer first",
        )
    reasons = [one.why_not(place, on) for one in named]
    if all(reasons):
        raise InvalidArgument(
            "TAX_EXEMPTION_INVALID", f"exemption certificate {certificate} {reasons[0]}: renew it, or order without it"
        )

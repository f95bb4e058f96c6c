"""How a sale is taxed: by place, category, day, certificate, and VAT number, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from services.kernel.errors import InvalidArgument
from services.kernel.tax import (
    EXEMPT,
    EXPORT,
    INTRA_COMMUNITY,
    REVERSE_CHARGE,
    STANDARD,
    UNTAXED_FREIGHT,
    ZERO,
    TaxKind,
)
from services.orders.domain.order import Address
from services.orders.domain.taxation import Buyer, TaxDetermination, TaxExemption, TaxRate, TaxRules
from services.runtime import vat

ON = date(2026, 12, 1)
DALLAS = Address("Dock 4", "1 Main Street", "Dallas", "TX", "75001", "US")
EL_PASO = replace(DALLAS, city="El Paso", postal_code="79901")
CHICAGO = Address("Dock 1", "2 Lake Street", "Chicago", "IL", "60601", "US")
BERLIN = Address("Rampe 1", "Hauptstr. 1", "Berlin", "", "10115", "DE")
PARIS = Address("Quai 1", "1 rue de Lyon", "Paris", "", "75012", "FR")
ZURICH = Address("Rampe 2", "Seestr. 1", "Zürich", "", "8001", "CH")
NOWHERE = Address()


def rate(
    category: str, fraction: str | None, *, region: str = "", prefix: str = "", since: str = "2026-01-01"
) -> TaxRate:
    value = None if fraction is None else Decimal(fraction)
    return TaxRate("US", category, date.fromisoformat(since), value, region=region, postal_prefix=prefix)


TEXAS = (
    rate("standard", "0.0625", region="TX"),
    rate("standard", "0.0825", region="TX", prefix="75"),
    rate("standard", "0.0850", region="TX", prefix="75", since="2027-01-01"),
    rate("food", "0", region="TX"),
    rate("freight", None, region="TX"),
)


def at(
    place: Address,
    rates: tuple[TaxRate, ...] = TEXAS,
    on: date = ON,
    *,
    vat_country: str = "",
    exemptions: tuple[TaxExemption, ...] = (),
) -> TaxDetermination:
    known = Buyer(Decimal("0.01"), vat_country, exemptions)
    return TaxDetermination.of(TaxRules("US", rates), known, place, on)


def from_germany(place: Address, vat_country: str = "") -> TaxDetermination:
    return TaxDetermination.of(TaxRules("DE", (), vat.rates()), Buyer(Decimal(0), vat_country), place, ON)


@pytest.mark.parametrize(
    ("place", "category", "on", "expected"),
    [
        (DALLAS, "standard", ON, "0.0825"),
        (EL_PASO, "standard", ON, "0.0625"),
        (DALLAS, "standard", date(2027, 1, 1), "0.0850"),
        (DALLAS, "standard", date(2026, 12, 31), "0.0825"),
        (DALLAS, "food", ON, "0"),
        (DALLAS, "clothing", ON, "0.0825"),
        (DALLAS, "zero", ON, "0"),
        (CHICAGO, "standard", ON, "0.01"),
    ],
)
def test_the_most_exact_place_and_the_latest_day_decide(place: Address, category: str, on: date, expected: str) -> None:
    kind = at(place, on=on).kind(category, is_service=False)

    assert (kind.rate, kind.code) == (Decimal(expected), STANDARD if Decimal(expected) else ZERO)


def test_freight_is_taxed_by_its_own_rule() -> None:
    assert at(DALLAS).taxation.freight is None  # as the goods
    assert at(CHICAGO).taxation.freight == UNTAXED_FREIGHT
    own = at(DALLAS, (rate("freight", "0.02"),)).taxation.freight
    assert own == TaxKind.at(Decimal("0.02"))
    assert from_germany(BERLIN).taxation.freight is None


def test_freight_of_what_is_not_taxed_is_not_taxed_either() -> None:
    rules = TaxRules("DE", (TaxRate("FR", "freight", date(2026, 1, 1), Decimal("0.2")),), vat.rates())

    registered, consumer = (TaxDetermination.of(rules, Buyer(Decimal(0), of), PARIS, ON) for of in ("FR", ""))

    assert registered.taxation.freight is None
    assert consumer.taxation.freight == TaxKind.at(Decimal("0.2"))


RESALE = TaxExemption("TX-88", "US", date(2026, 1, 1), "TX", date(2026, 12, 31))


def test_a_certificate_that_covers_the_place_on_the_day_exempts() -> None:
    covered = at(DALLAS, exemptions=(RESALE,))

    assert covered.taxation.exemption == "TX-88"
    kind = covered.kind("standard", is_service=False)
    assert (kind.code, kind.rate, kind.reason) == (EXEMPT, Decimal(0), "Exempt under certificate TX-88")
    for uncovered in (at(CHICAGO, exemptions=(RESALE,)), at(DALLAS, on=date(2027, 1, 1), exemptions=(RESALE,))):
        assert uncovered.exemption == ""


@pytest.mark.parametrize(
    ("certificate", "place", "on", "says"),
    [
        ("TX-99", DALLAS, ON, "has no exemption certificate TX-99"),
        ("TX-88", DALLAS, date(2027, 1, 1), "expired on 2026-12-31"),
        ("TX-88", DALLAS, date(2025, 12, 31), "is valid from 2026-01-01 on"),
        ("TX-88", CHICAGO, ON, "is for US-TX alone"),
    ],
)
def test_a_certificate_that_is_named_must_cover(certificate: str, place: Address, on: date, says: str) -> None:
    with pytest.raises(InvalidArgument, match=says):
        TaxDetermination.of(TaxRules(), Buyer(Decimal(0), exemptions=(RESALE,)), place, on, certificate)


@pytest.mark.parametrize(
    ("place", "vat_country", "is_service", "code", "expected"),
    [
        (BERLIN, "", False, STANDARD, "0.19"),
        (BERLIN, "DE", False, STANDARD, "0.19"),
        (PARIS, "", False, STANDARD, "0.2"),  # not registered: taxed where it goes
        (PARIS, "FR", False, INTRA_COMMUNITY, "0"),
        (PARIS, "FR", True, REVERSE_CHARGE, "0"),
        (NOWHERE, "FR", True, REVERSE_CHARGE, "0"),
        (BERLIN, "FR", False, STANDARD, "0.19"),  # the goods never leave the country
        (ZURICH, "", False, EXPORT, "0"),
        (ZURICH, "", True, EXEMPT, "0"),
        (ZURICH, "FR", True, REVERSE_CHARGE, "0"),  # supplied where the buyer is
        (NOWHERE, "", True, STANDARD, "0.19"),
    ],
)
def test_a_seller_in_the_eu(place: Address, vat_country: str, *, is_service: bool, code: str, expected: str) -> None:
    kind = from_germany(place, vat_country).kind("standard", is_service=is_service)

    assert (kind.code, kind.rate) == (code, Decimal(expected))
    assert bool(kind.reason) == (code != STANDARD)


def test_a_seller_outside_the_eu_charges_no_vat_of_it() -> None:
    assert at(PARIS, (), vat_country="FR").kind("standard", is_service=False).rate == Decimal("0.01")


def test_reduced_rates_are_those_of_the_place() -> None:
    assert from_germany(BERLIN).kind("reduced", is_service=False).rate == Decimal("0.07")
    assert from_germany(PARIS).kind("super_reduced", is_service=False).rate == Decimal("0.021")
    # Germany has no super reduced rate: taxed as standard
    assert from_germany(BERLIN).kind("super_reduced", is_service=False).rate == Decimal("0.19")


@pytest.mark.parametrize(
    ("tax_id", "country"),
    [
        ("DE136695976", "DE"),
        ("DE 136 695 976", "DE"),
        ("DE136695977", ""),
        ("EL094259216", "GR"),
        ("75-2904417", ""),
        ("US1", ""),
    ],
)
def test_a_vat_number_is_checked_by_its_digits(tax_id: str, country: str) -> None:
    assert vat.country_of(tax_id) == country


def test_only_freight_is_taxed_as_the_goods() -> None:
    with pytest.raises(InvalidArgument, match="only freight"):
        rate("standard", None)

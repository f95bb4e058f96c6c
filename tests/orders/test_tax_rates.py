"""Tax rates as they are stored: an order reads those of its place alone, and lines that are taxed in one way share it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from services.orders.domain.order import Address
from services.orders.domain.taxation import TaxRate
from services.orders.masterdata import taxes
from services.orders.store import orders, tax_rates
from tests.orders.desk import NOON, Desk

ON = date(2026, 12, 1)


def test_of_a_country_with_a_rate_for_every_postal_code_only_those_of_the_place_are_read(desk: Desk) -> None:
    elsewhere = [(region, prefix) for region, prefix in (("TX", "76"), ("TX", "750011"), ("IL", ""), ("IL", "75"))]
    at_place = [("", ""), ("", "7"), ("TX", ""), ("TX", "750"), ("TX", "75001")]
    with desk.database.transaction() as session:
        for region, prefix in (*elsewhere, *at_place):
            one = TaxRate("US", "standard", date(2026, 1, 1), Decimal("0.1"), region=region, postal_prefix=prefix)
            taxes.put_rate(session, one, "abe", NOON)
        taxes.put_rate(session, TaxRate("US", "standard", date(2027, 1, 1), Decimal("0.2")), "abe", NOON)
        taxes.put_rate(session, TaxRate("DE", "standard", date(2026, 1, 1), Decimal("0.19")), "abe", NOON)

    with desk.database.reading() as session:
        found = tax_rates.at_place(session, "US", Address(region="tx", postal_code="75001", country="US"), ON)

    assert [(one.region, one.postal_prefix) for one in found] == at_place


def test_lines_that_are_taxed_in_one_way_share_it_when_they_are_read(desk: Desk) -> None:
    order_id = desk.place(*(("PUMP", 1) for _ in range(3))).order_id

    with desk.database.reading() as session:
        kinds = [line.tax for line in orders.load(session, order_id).lines]

    assert len(kinds) == 3
    assert len({id(kind) for kind in kinds}) == 1

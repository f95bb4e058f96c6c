"""Taxes of an order that is changed: what has left keeps its own, a corrected street changes none, and all invoices sum to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from services.kernel.money import Money
from services.kernel.tax import EXEMPT, TaxKind
from services.orders.domain.amendment import Amendment, Catalog, amend, below_minimum
from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.facts import Invoice
from services.orders.domain.order import Address, Order
from services.orders.domain.projection import LineProgress, Progress
from services.orders.domain.tax_parts import BilledPart, Taxation, TaxedLine, tax_parts
from services.orders.domain.taxation import Buyer, TaxDetermination, TaxExemption, TaxRate, TaxRules
from services.orders.masterdata import customers
from tests.orders.change_desk import asked, preview
from tests.orders.desk import ACME, NOON, SUPPORT, Desk
from tests.orders.test_domain_amending import CATALOG, DALLAS, TODAY, line, order

CHICAGO = replace(DALLAS, city="Chicago", region="IL", postal_code="60601")
RULES = TaxRules("US", (TaxRate("US", "standard", date(2026, 1, 1), Decimal("0.2"), region="IL"),))


def moved(before: Order, place: Address, progress: Progress) -> Amendment:
    taxes = TaxDetermination.of(RULES, Buyer(before.tax_rate), place, TODAY)
    catalog = Catalog(CATALOG.products, CATALOG.agreements, taxes)
    return amend(before, ChangeRequest("because", ship_to=place), catalog, (), TODAY, progress)


def shipped(**units: int) -> Progress:
    """Line numbers as l1, l2 → units that have left and are invoiced at the order's rate."""
    gone = {name[1:]: LineProgress(shipped=count, invoiced=count) for name, count in units.items()}
    invoice = Invoice("inv_1", "INV-1", "shp_1", 10_725, 0, "USD", "2026-12-01", "2026-12-31", "open", 1)
    return Progress(lines=gone, invoices={"inv_1": replace(invoice, merchandise_minor=10_000, tax_minor=725)})


TWO = order(line("1", "F", 1, "100.00"), line("2", "G", 1, "100.00"), freight="0.00")


def test_a_change_that_was_agreed_before_a_line_left_does_not_tax_it_anew() -> None:
    agreed = moved(TWO, CHICAGO, Progress())

    found = [one.code for one in below_minimum(TWO, agreed.order, shipped(l1=1))]

    assert agreed.order.totals.tax == Money(4_000, "USD")
    assert "TAX_FIXED" in found


def test_what_has_left_keeps_its_tax_and_the_rest_has_that_of_where_it_goes() -> None:
    after = moved(TWO, CHICAGO, shipped(l1=1))

    assert after.obstacles == ()
    assert [one.tax.rate for one in after.order.lines] == [Decimal("0.0725"), Decimal("0.2")]
    assert after.order.totals.tax == Money(725 + 2_000, "USD")
    assert list(below_minimum(TWO, after.order, shipped(l1=1))) == []


def test_a_line_that_has_left_in_part_cannot_have_two_rates() -> None:
    ten = order(line("1", "F", 10, "100.00"), freight="0.00")

    (obstacle,) = moved(ten, CHICAGO, shipped(l1=4)).obstacles

    assert (obstacle.code, obstacle.line_id) == ("TAX_DIFFERS", "1")
    assert "cancel the rest of it, and add it as a line of its own" in obstacle.sentence


def test_a_corrected_street_changes_no_tax() -> None:
    exempt = replace(TWO, lines=tuple(replace(one, tax=TaxKind(EXEMPT, Decimal(0), "TX-1")) for one in TWO.lines))

    after = moved(exempt, replace(DALLAS, street="1 Main Street"), Progress())

    assert [one.tax.code for one in after.order.lines] == [EXEMPT, EXEMPT]
    assert after.order.taxation == exempt.taxation


def test_freight_that_goes_with_the_goods_is_left_to_goods_that_are_not_billed_and_be_they_free() -> None:
    """A free sample and 3 at 100.00 with freight 30.00; one of the three is billed with 10.00 of it, and two are cancelled."""
    sample = TaxedLine("1", 1, Money(0, "USD"), TaxKind.at(Decimal("0.07")))
    pump = TaxedLine("2", 1, Money(10_000, "USD"), TaxKind.at(Decimal("0.19")))
    billed = {"S 0.19": BilledPart(Money(10_000, "USD"), Money(0, "USD"), Money(1_000, "USD"), 1)}

    parts = tax_parts([sample, pump], Money(0, "USD"), Money(3_000, "USD"), Taxation(None), billed)

    assert [(part.key, part.freight.minor) for part in parts] == [("S 0.07", 2_000), ("S 0.19", 1_000)]


def test_a_new_line_is_taxed_as_its_order_was_whatever_became_of_the_customer(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 10))
    certificate = TaxExemption("TX-1", "US", date(2026, 1, 1))
    with desk.database.transaction() as session:
        other = replace(ACME, tax_rate=Decimal("0.2"), tax_exemptions=(certificate,))
        customers.put_customer(session, other, "root", NOON)

    after = preview(desk, order_id, asked(LineChange(sku="CENT", quantity=1)), SUPPORT).after

    assert [line.tax.rate for line in after.lines] == [ACME.tax_rate, ACME.tax_rate]

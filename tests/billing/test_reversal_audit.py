"""The audit of reversed ship confirms finds whatever breaks them."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from services.billing.store import audit_reversals
from services.runtime.audit import find
from tests.billing.desk import Desk, order_of
from tests.billing.order_desk import accept, at_order
from tests.billing.test_reversals import reverse
from tests.planting import unnoticed

INVARIANTS = audit_reversals.INVARIANTS
CREDITED, PARTS, NOT_BILLED = (
    "billing.reversed_units_are_credited",
    "billing.reversed_parts_sum",
    "billing.reversed_shipments_are_not_billed",
)
PLANTED = (
    (CREDITED, "UPDATE invoice_line SET credited_quantity = 0"),
    (CREDITED, "UPDATE invoice_line SET reversed_extended_minor = extended_minor + 1 WHERE reversed_quantity > 0"),
    (CREDITED, "UPDATE invoice_line SET reversed_extended_minor = extended_minor - 1 WHERE reversed_quantity > 0"),
    (PARTS, "UPDATE invoice SET reversed_merchandise_minor = reversed_merchandise_minor - 1 WHERE sequence = 1"),
    (PARTS, "UPDATE invoice SET reversed_discount_minor = reversed_discount_minor + 1 WHERE sequence = 1"),
    (PARTS, "UPDATE invoice SET reversed_freight_minor = reversed_freight_minor + 1 WHERE sequence = 1"),
    (PARTS, "UPDATE invoice SET reversed_tax_minor = reversed_tax_minor + 1 WHERE sequence = 1"),
    (PARTS, "UPDATE invoice SET tax_minor = tax_minor + 1 WHERE sequence = 1"),
    (PARTS, "UPDATE invoice_tax_part SET reversed_tax_minor = reversed_tax_minor + 1"),
    (NOT_BILLED, "UPDATE billable_shipment SET shipment_id = 'shp_2' WHERE shipment_id = 'shp_4'"),
    (NOT_BILLED, "UPDATE billable_shipment SET invoice_id = NULL WHERE shipment_id = 'shp_1'"),
    (NOT_BILLED, "UPDATE revenue_recognition SET shipment_id = 'shp_3' WHERE shipment_id = 'shp_5'"),
)
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_desk(desk: Desk) -> Desk:
    """One whose invoice is credited, one that waited and one of an order invoiced at order, all reversed; one of each that is not."""
    desk.invoice(order_of({"1": (5, "20.00")}, freight=800, tax_rate="0.0825"), "shp_1", {"1": 5})
    weekly = order_of({"1": (4, "20.00")}, order_id="ord_2", invoicing="weekly")
    early = at_order({"1": (4, "20.00")}, order_id="ord_3")
    accept(desk, early)
    for order, shipments in ((weekly, ("shp_2", "shp_4")), (early, ("shp_3", "shp_5"))):
        for shipment_id in shipments:
            desk.leave(order, shipment_id, {"1": 2})
    for number in (1, 2, 3):
        reverse(desk, f"shp_{number}", order_id=f"ord_{number}")
    return desk


def test_a_busy_desk_breaks_no_invariant(busy_desk: Desk) -> None:
    assert busy_desk.violations() == {}


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in INVARIANTS} == {name for name, _ in PLANTED}


@pytest.mark.on_postgres
def test_the_audit_finds_every_planted_violation(busy_desk: Desk) -> None:
    assert unnoticed(busy_desk.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    found = [find(session, invariant) for invariant in INVARIANTS]
    return {each.name for each in found if each.violations and each.offenders}

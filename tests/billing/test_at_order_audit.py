"""The audit of orders that are invoiced at order finds whatever breaks them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from services.billing.store import audit_at_order
from services.runtime.audit import find
from tests.billing.desk import CONTEXT, NOW, Desk
from tests.billing.order_desk import accept, at_order
from tests.planting import unnoticed

INVARIANTS = (*audit_at_order.INVARIANTS, audit_at_order.not_invoiced(NOW + timedelta(days=1, minutes=1)))
NOT_SHIPPED = "billing.deferred_revenue_is_what_has_not_shipped"
PLANTED = (
    (NOT_SHIPPED, "UPDATE revenue_recognition SET goods_minor = goods_minor + 1"),
    (NOT_SHIPPED, "UPDATE revenue_recognition SET freight_minor = freight_minor + 1"),
    (NOT_SHIPPED, "UPDATE credit_note SET deferred_goods_minor = deferred_goods_minor + 1"),
    (NOT_SHIPPED, "UPDATE credit_note SET deferred_freight_minor = deferred_freight_minor + 1"),
    (NOT_SHIPPED, "DELETE FROM journal_entry WHERE source_type = 'shipment'"),
    (NOT_SHIPPED, "UPDATE journal_entry SET credit = 'revenue' WHERE credit = 'deferred_revenue' AND event = 'freight'"),
    (NOT_SHIPPED, "UPDATE invoice SET is_at_order = false"),
    ("billing.what_has_shipped_is_revenue", "UPDATE revenue_recognition SET goods_minor = goods_minor - 1 WHERE order_id = 'ord_1'"),
    ("billing.what_has_shipped_is_revenue", "UPDATE order_to_invoice SET state = 'over' WHERE order_id = 'ord_3'"),
    ("billing.invoiced_before_shipped", "UPDATE revenue_recognition_line SET quantity = quantity + 9"),
    ("billing.invoiced_before_shipped", "DELETE FROM invoice_line"),
    ("billing.invoices_at_order_are_of_known_orders", "DELETE FROM order_to_invoice WHERE order_id = 'ord_3'"),
    ("billing.accepted_orders_are_invoiced", "UPDATE order_to_invoice SET state = 'due' WHERE order_id = 'ord_3'"),
)  # fmt: skip
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_desk(desk: Desk) -> Desk:
    """An order that has shipped whole, one that has in part and is credited in part, one that has not, and one that was canceled."""
    for number in (1, 2, 3, 4):
        order = at_order(
            {"1": (5, "20.00")}, order_id=f"ord_{number}", customer_id=f"cus_{number}", freight=800, tax_rate="0.0825"
        )
        accept(desk, order)
        if number < 3:
            desk.leave(order, f"shp_{number}_1", {"1": 3})
    desk.leave(desk.orders["ord_1"], "shp_1_2", {"1": 2})
    desk.credit("INV-000002", {"1": 1}, freight=100)
    desk.release("ord_4")
    return desk


def test_every_way_of_an_order_leaves_the_books_in_order(busy_desk: Desk) -> None:
    assert busy_desk.violations() == {}
    answer = busy_desk.billing.ListBillable(pb.ListBillableRequest(order_ids=["ord_1"]), CONTEXT)
    assert len(answer.invoiced_at_order) == 2


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in INVARIANTS} == {name for name, _ in PLANTED}


@pytest.mark.on_postgres
def test_the_audit_finds_every_planted_violation(busy_desk: Desk) -> None:
    assert unnoticed(busy_desk.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    found = [find(session, invariant) for invariant in INVARIANTS]
    return {each.name for each in found if each.violations and each.offenders}

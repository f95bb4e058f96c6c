"""The audit of deposit invoices finds whatever breaks them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from services.billing.store import audit_deposit_invoices
from services.runtime.audit import find
from tests.billing.desk import NOW, Desk
from tests.billing.test_deposit_invoices import make, with_deposit
from tests.planting import unnoticed

INVARIANTS = (
    *audit_deposit_invoices.INVARIANTS,
    audit_deposit_invoices.not_invoiced(NOW + timedelta(days=1, minutes=1)),
)
OWED = "billing.tax_of_deposits_is_owed_once"
PLANTED = (
    ("billing.deposit_invoice_numbers_gapless", "UPDATE deposit_invoice SET sequence = 1009 WHERE number = 'DI-1002'"),
    ("billing.deposit_invoice_numbers_gapless", "UPDATE counter SET last_number = 1009 WHERE name = 'deposit_credit_note'"),
    ("billing.deposit_invoice_parts_sum", "UPDATE deposit_invoice_part SET net_minor = net_minor + 1"),
    ("billing.deposit_invoice_parts_sum", "UPDATE deposit_invoice SET tax_minor = tax_minor - 1"),
    ("billing.deposit_invoice_parts_sum", "UPDATE deposit_invoice_part SET code = 'E'"),
    ("billing.deposit_invoice_left_is_open", "UPDATE deposit_invoice_part SET left_net_minor = left_net_minor - 1 WHERE left_net_minor > 0"),
    ("billing.deposit_invoice_left_is_open", "UPDATE deposit_invoice SET deducted_minor = deducted_minor - 1 WHERE deducted_minor > 0"),
    ("billing.deposit_invoice_deducted_is_deductions", "DELETE FROM deposit_deduction"),
    ("billing.deposit_invoice_deducted_is_deductions", "UPDATE deposit_deduction SET amount_minor = amount_minor + 1"),
    ("billing.deposit_invoice_credited_is_credit_notes", "UPDATE deposit_invoice SET corrects = 'DI-1001' WHERE kind = 'credit_note'"),
    ("billing.deposit_tax_is_charged_deducted_or_credited", "UPDATE deposit_deduction SET tax_minor = tax_minor - 1"),
    ("billing.deposit_tax_is_charged_deducted_or_credited", "UPDATE deposit_invoice SET tax_minor = tax_minor + 1 WHERE kind = 'credit_note'"),
    ("billing.deposit_invoices_are_held", "UPDATE order_deposit SET remaining_minor = remaining_minor - 1 WHERE remaining_minor > 0"),
    ("billing.deposits_within_their_invoice", "UPDATE deposit_deduction SET amount_minor = 99999999"),
    ("billing.tax_on_deposits_account_is_deposit_invoices", "DELETE FROM journal_entry WHERE source_type = 'deposit_invoice' AND event = 'tax'"),
    ("billing.tax_on_deposits_account_is_deposit_invoices", "DELETE FROM journal_entry WHERE source_type = 'deposit_invoice' AND event <> 'tax'"),
    (OWED, "DELETE FROM journal_entry WHERE source_type = 'deposit_invoice' AND event LIKE 'deducted%'"),
    (OWED, "DELETE FROM journal_entry WHERE source_type = 'deposit_invoice' AND event LIKE 'credited%'"),
    (OWED, "DELETE FROM journal_entry WHERE source_type = 'invoice' AND event = 'tax'"),
    ("billing.deposits_are_invoiced", "DELETE FROM deposit_invoice WHERE number = 'DI-1003'"),
)  # fmt: skip
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_desk(desk: Desk) -> Desk:
    """An order whose deposit is deducted, one of whose deposit a part is credited, and one whose deposit waits for its invoice."""
    for number in (1, 2, 3):
        customer_id = f"cus_{number}"
        order = with_deposit(desk, tax_rate="0.1", order_id=f"ord_{number}", customer_id=customer_id)
        paid = desk.pay(33_000, f"WIRE-{number}", customer_id=customer_id, orders={order.order_id: 33_000})
        make(desk)
        if number == 1:
            desk.invoice(order, "shp_1", {"1": 10})
        if number == 2:
            desk.refund(paid.payment_id, 11_000, order.order_id)
    return desk


def test_every_way_of_a_deposit_leaves_the_books_in_order(busy_desk: Desk) -> None:
    assert busy_desk.violations() == {}


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in INVARIANTS} == {name for name, _ in PLANTED}


@pytest.mark.on_postgres
def test_the_audit_finds_every_planted_violation(busy_desk: Desk) -> None:
    assert unnoticed(busy_desk.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    found = [find(session, invariant) for invariant in INVARIANTS]
    return {each.name for each in found if each.violations and each.offenders}

"""The audit of credit notes and write-offs finds whatever breaks them."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from services.billing.store import audit_credit_notes
from services.runtime.audit import find
from tests.billing.desk import Desk, order_of
from tests.planting import unnoticed

PLANTED = (
    ("billing.credit_note_numbers_gapless", "UPDATE credit_note SET sequence = 2000 WHERE sequence = 1001"),
    (
        "billing.credit_note_numbers_gapless",
        "UPDATE counter SET last_number = last_number + 1 WHERE name = 'credit_note'",
    ),
    ("billing.credit_note_total_adds_up", "UPDATE credit_note SET tax_minor = tax_minor + 1"),
    ("billing.credit_note_total_adds_up", "UPDATE credit_note SET open_minor = open_minor + 1"),
    ("billing.credit_note_lines_sum", "UPDATE credit_note_line SET extended_minor = extended_minor + 1"),
    ("billing.credit_note_lines_sum", "DELETE FROM credit_note_line"),
    ("billing.credit_note_tax_parts_sum", "UPDATE credit_note_tax_part SET tax_minor = tax_minor + 1"),
    ("billing.credit_note_tax_parts_sum", "UPDATE credit_note_tax_part SET allowance_minor = allowance_minor + 1"),
    ("billing.credited_is_credit_notes", "UPDATE invoice SET credited_minor = credited_minor + 1"),
    ("billing.credited_within_invoice", "UPDATE credit_note SET freight_minor = freight_minor + 1000"),
    ("billing.credited_within_invoice", "UPDATE credit_note SET tax_minor = tax_minor + 1000"),
    ("billing.credited_within_invoice", "UPDATE credit_note SET allowance_minor = allowance_minor + 9000"),
    (
        "billing.credited_within_invoice",
        "UPDATE credit_note SET tax_minor = tax_minor - 1, freight_minor = freight_minor + 1 WHERE sequence = 1003",
    ),
    ("billing.units_are_credited_once", "UPDATE invoice_line SET credited_quantity = credited_quantity + 1"),
    ("billing.units_are_credited_once", "UPDATE credit_note_line SET quantity = quantity + 1"),
    ("billing.units_are_credited_once", "UPDATE credit_note_line SET extended_minor = extended_minor + 9000"),
    ("billing.credit_note_posted_in_full", "DELETE FROM journal_entry WHERE debit = 'sales_returns'"),
    ("billing.credit_note_cash_is_of_payments", "UPDATE credit_note_cash SET amount_minor = amount_minor + 1"),
    ("billing.returns_account_is_credit_notes", "UPDATE journal_entry SET debit = 'cash' WHERE event = 'goods'"),
    ("billing.fees_account_is_documents", "UPDATE credit_note SET fee_minor = 1 WHERE sequence = 1001"),
    (
        "billing.refunded_is_left_over",
        (
            "INSERT INTO return_refund SELECT credit_note_id, payment_id, 'key/1', amount_minor + 1, "
            "'2026-03-02T09:00:00.000000+00:00' FROM credit_note_cash"
        ),
    ),
    ("billing.bad_debt_account_is_written_off", "DELETE FROM journal_entry WHERE source_type = 'write_off'"),
    ("billing.written_off_is_write_offs", "UPDATE write_off SET amount_minor = amount_minor + 1"),
    ("billing.written_off_is_write_offs", "UPDATE credit_note SET recovered_minor = recovered_minor + 1"),
)
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_desk(desk: Desk) -> Desk:
    """An invoice that is credited in part, one that is wholly, paid, and one that is given up and made good in part."""
    for number in (1, 2, 3):
        order = order_of(
            {"1": (5, "20.00")}, order_id=f"ord_{number}", customer_id=f"cus_{number}", discount=500, freight=800,
            tax_rate="0.0825",
        )  # fmt: skip
        desk.invoice(order, f"shp_{number}", {"1": 5})
    desk.credit("INV-000001", {"1": 2}, freight=100)
    desk.credit("INV-000001", allowance=300)
    desk.pay(11_084, "BANK-1", customer_id="cus_2")
    desk.credit("INV-000002", everything=True)
    desk.write_off("INV-000003")
    desk.credit("INV-000003", {"1": 1})
    return desk


def test_every_way_of_crediting_leaves_the_books_in_order(busy_desk: Desk) -> None:
    assert busy_desk.violations() == {}
    assert [invoice.status for invoice in busy_desk.listed()] == ["open", "credited", "written_off"]


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in audit_credit_notes.INVARIANTS} == {name for name, _ in PLANTED}


@pytest.mark.on_postgres
def test_the_audit_finds_every_planted_violation(busy_desk: Desk) -> None:
    assert unnoticed(busy_desk.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    found = [find(session, invariant) for invariant in audit_credit_notes.INVARIANTS]
    return {each.name for each in found if each.violations and each.offenders}

"""The audit of what is owed to cards finds whatever breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session

from services.billing.store import audit_refunds
from services.runtime.audit import find
from services.runtime.db import Database
from tests.billing.card_desk import Till, stripe_in
from tests.billing.test_owed_refunds import free, prepaid_by_card
from tests.planting import unnoticed

ANOTHER_TRY = """
UPDATE provider_operation SET kind = 'refund', subject_id = (SELECT MIN(payment_id) FROM payment),
operation_id = (SELECT 'refund/' || refund_id || '/9' FROM owed_refund WHERE state = 'open') WHERE kind = 'capture'
"""
PLANTED = (
    ("billing.refunds_account_is_what_is_owed", "DELETE FROM journal_entry WHERE credit = 'refunds_payable'"),
    ("billing.refunds_account_is_what_is_owed", "UPDATE owed_refund SET amount_minor = amount_minor + 1"),
    ("billing.refunds_are_what_payments_returned", "UPDATE payment SET returned_minor = returned_minor + 1"),
    ("billing.refunds_within_captured", "UPDATE card_authorization SET captured_minor = 1"),
    ("billing.owed_refunds_are_paid_once", "UPDATE owed_refund SET state = 'paid', settled_at = owed_at"),
    ("billing.owed_refunds_are_paid_once", "UPDATE owed_refund SET state = 'open', settled_at = NULL"),
    ("billing.owed_refunds_are_paid_once", "UPDATE owed_refund SET state = 'paid_otherwise', settled_at = owed_at"),
    ("billing.owed_refunds_are_paid_once", "UPDATE owed_refund SET payment_id = 'pay_1' WHERE state = 'open'"),
    ("billing.owed_refunds_are_paid_once", ANOTHER_TRY),
)
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def till(database: Database, tmp_path: Path) -> Iterator[Till]:
    """One refund is paid, another one is owed."""
    with stripe_in(tmp_path) as stripe:
        till = Till(database, stripe)
        prepaid_by_card(till)
        free(till, 50_000)
        till.settle()
        free(till, 25_000, "free/2")
        yield till


def test_what_is_owed_and_paid_leaves_the_books_in_order(till: Till) -> None:
    assert till.violations() == {}


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in audit_refunds.INVARIANTS} == {name for name, _ in PLANTED}


@pytest.mark.on_postgres
def test_the_audit_finds_every_planted_violation(till: Till) -> None:
    assert unnoticed(till.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    found = [find(session, invariant) for invariant in audit_refunds.INVARIANTS]
    return {each.name for each in found if each.violations and each.offenders}

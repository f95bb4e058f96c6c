"""Databases of earlier releases: orders by card count against credit as they did, and the journal keeps its entries and its accounts."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.corrections import parse_limits
from services.runtime.db import Database
from services.runtime.migrations import config_of, upgrade
from tests.billing.desk import CONTEXT, Desk, order_of


@pytest.mark.on_postgres
def test_an_order_by_card_from_before_counts_against_credit_as_it_did(database: Database, desk: Desk) -> None:
    desk.limit(100_000)
    desk.commit("ord_1", 2_000)
    desk.commit("ord_2", 999_999)
    desk.invoice(order_of({"1": (1, "5.00")}, order_id="ord_3"), "shp_1", {"1": 1})
    desk.pay(300, "BANK-1")
    entries = desk.balances()
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0004")
        for table in ("commitment", "credit_wait"):
            connection.execute(text(f"UPDATE {table} SET payment_method = 'card'"))  # two names of ours

    upgrade(database)

    assert desk.balances() == entries
    assert desk.violations() == {}
    assert desk.release("ord_1") == 2_000
    assert desk.account() == (0, 200)
    assert desk.money("ord_2")["waiting_on"] == "credit"
    assert [one.is_by_card for one in desk.payments()] == [False]


@pytest.mark.on_postgres
def test_the_journal_takes_only_accounts_it_knows_before_and_after_each_revision(
    database: Database, desk: Desk
) -> None:
    desk.limit(100_000)
    desk.pay(300, "BANK-1")
    for revision, allowed, refused in (
        ("0006", "sales_discounts", "marketplace_fees"),
        ("0008", "marketplace_fees", "card_fees"),
        ("0010", "card_fees", "petty_cash"),
        ("0018", "bad_debt", "deferred_revenue"),
        ("0019", "deferred_revenue", "tax_on_deposits"),
        ("0021", "tax_on_deposits", "fee_income"),
        ("0023", "fee_income", "refunds_payable"),
        ("0024", "refunds_payable", "petty_cash"),
    ):
        with database.alone() as connection:
            command.downgrade(config_of(database.migrations, connection), "0004")
            command.upgrade(config_of(database.migrations, connection), revision)

        assert _is_taken(database, allowed)
        assert not _is_taken(database, refused)


def _is_taken(database: Database, account: str) -> bool:
    """Whether the journal lets an entry be of the account; afterwards the entries are as they were."""
    try:
        with database.alone() as connection:
            for debit in (account, "cash"):
                connection.execute(text("UPDATE journal_entry SET debit = :debit"), {"debit": debit})
    except IntegrityError:
        return False
    return True


@pytest.mark.on_postgres
def test_a_correction_that_waits_is_kept_by_the_revision_that_lets_invoices_have_them(
    database: Database, desk: Desk
) -> None:
    desk.billing.limits = parse_limits("1.00 USD")
    payment = desk.pay(300, "BANK-1")
    request = pb.ReversePaymentRequest(request_id="1", payment_id=payment.payment_id, reason="bounced", asked_by="ann")
    waiting = desk.billing.ReversePayment(request, CONTEXT).waiting
    desk.invoice(order_of({"1": (1, "5.00")}), "shp_1", {"1": 1})
    with database.alone() as connection:
        command.downgrade(config_of(database.migrations, connection), "0015")

    upgrade(database)

    listed = desk.billing.ListPaymentCorrections(pb.ListPaymentCorrectionsRequest(), CONTEXT)
    assert list(listed.corrections) == [waiting]
    assert desk.violations() == {}

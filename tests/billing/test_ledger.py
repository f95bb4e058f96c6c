"""Stock movements, the books and the audit, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from oms.facts.v1 import facts_pb2
from services.billing.store import (
    audit,
    audit_at_order,
    audit_claw_backs,
    audit_consolidated,
    audit_credit_notes,
    audit_deposit_invoices,
    audit_exchanges,
    audit_refunds,
    audit_reversals,
)
from services.kernel.errors import InvalidArgument
from services.runtime import migrations
from services.runtime.audit import find
from services.runtime.db import Database
from tests.billing.desk import CONTEXT, SHIPPED_AT, Desk, order_of
from tests.billing.messages import movement
from tests.billing.test_payouts import paid_out, sold
from tests.facts import notified
from tests.planting import unnoticed
from tests.threads import at_once


@pytest.mark.on_postgres
def test_a_movement_told_twice_posts_once(desk: Desk) -> None:
    facts = [movement(f"fact_{number}", "stock_received", 100) for number in range(20)]

    def post(facts: Sequence[facts_pb2.Fact]) -> int:
        request = pb.PostStockMovementsRequest(facts=facts)
        return len(desk.billing.PostStockMovements(request, CONTEXT).posted_fact_ids)

    posted = at_once([partial(post, facts), partial(post, facts[::-1])] * 6, threads=8)

    assert posted == [20] * 12
    assert desk.balances() == {"inventory": 2000, "goods_received_not_invoiced": -2000}


def test_a_movement_without_value_counts_as_posted(desk: Desk) -> None:
    assert desk.move("fact_1", "stock_issued", 0) == ["fact_1"]
    assert desk.balances() == {}


def test_counts_that_differ_post_to_shrinkage(desk: Desk) -> None:
    desk.move("fact_1", "stock_received", 1000)
    desk.move("fact_2", "stock_adjusted", -300)
    desk.move("fact_3", "stock_adjusted", 100)

    balances = desk.balances()

    assert (balances["inventory"], balances["shrinkage"]) == (800, 200)
    answer = desk.billing.Audit(pb.AuditRequest(), CONTEXT)
    assert [(each.minor_units, each.currency) for each in answer.inventory_balance] == [(800, "USD")]


def test_one_bad_fact_refuses_its_batch_so_that_the_sender_finds_it(desk: Desk) -> None:
    request = pb.PostStockMovementsRequest(
        facts=[
            movement("fact_1", "stock_received", 100),
            notified("stock_reserved", {}, fact_id="fact_2", source="inventory"),
        ]
    )

    with pytest.raises(InvalidArgument, match="fact_2 is no movement of stock"):
        desk.billing.PostStockMovements(request, CONTEXT)

    assert desk.balances() == {}


@pytest.mark.on_postgres
def test_entries_are_listed_oldest_first_in_pages_and_by_filter(desk: Desk) -> None:
    order = order_of({"1": (1, "10.00")}, freight=100, tax_rate="0.1")
    desk.move("fact_1", "stock_issued", 400, order_id="ord_1")
    invoice = desk.invoice(order, "shp_1", {"1": 1})
    payment = desk.pay(1200, "BANK-1")
    desk.move("fact_2", "stock_received", 400)

    def sources(account: str) -> list[tuple[str, str]]:
        answer = desk.billing.ListEntries(pb.ListEntriesRequest(account=account), CONTEXT)
        return [(each.source_type, each.source_id) for each in answer.entries]

    def listed(**filters: Any) -> list[tuple[str, str, int]]:
        answer = desk.billing.ListEntries(pb.ListEntriesRequest(**filters), CONTEXT)
        return [(each.debit, each.credit, each.amount.minor_units) for each in answer.entries]

    of_order = [
        ("cost_of_goods_sold", "inventory", 400),
        ("accounts_receivable", "revenue", 1000),
        ("accounts_receivable", "freight_revenue", 100),
        ("accounts_receivable", "tax_payable", 100),
        ("cash", "accounts_receivable", 1200),
    ]
    assert listed(order_id="ord_1") == of_order
    assert listed(account="inventory") == [of_order[0], ("inventory", "goods_received_not_invoiced", 400)]
    assert sources("inventory") == [("stock_movement", "fact_1"), ("stock_movement", "fact_2")]
    assert sources("revenue") == [("invoice", invoice.invoice_id)]
    assert sources("cash") == [("payment", payment.payment_id)]
    page = desk.billing.ListEntries(pb.ListEntriesRequest(limit=4), CONTEXT)
    rest = desk.billing.ListEntries(pb.ListEntriesRequest(limit=4, cursor=page.next_cursor), CONTEXT)
    assert (len(page.entries), len(rest.entries), rest.next_cursor) == (4, 2, "")
    ids = [each.entry_id for each in (*page.entries, *rest.entries)]
    assert ids == sorted(set(ids))


def test_the_audit_tells_what_others_must_agree_with(desk: Desk) -> None:
    desk.limit(100_000)
    order = order_of({"1": (2, "10.00")})
    desk.commit("ord_1", 2000)
    desk.commit("ord_2", 500)
    desk.invoice(order, "shp_1", {"1": 1})
    desk.invoice(order, "shp_2", {"1": 1})

    answer = desk.billing.Audit(pb.AuditRequest(), CONTEXT)

    parts = (
        audit, audit_credit_notes, audit_at_order, audit_claw_backs, audit_consolidated, audit_deposit_invoices, audit_exchanges,
        audit_refunds, audit_reversals,
    )  # fmt: skip
    assert len(answer.invariants) == sum(len(part.INVARIANTS) for part in parts) + 6  # and what has waited for too long
    assert [each.name for each in answer.invariants if each.violations] == []
    assert list(answer.committed_order_ids) == ["ord_2"]
    assert [(each.order_id, each.total.minor_units) for each in answer.billed] == [("ord_1", 2000)]


PLANTED = (
    ("billing.entries_are_transfers", "UPDATE journal_entry SET amount_minor = 0 WHERE entry_id = 1"),
    ("billing.entries_are_transfers", "UPDATE journal_entry SET debit = credit WHERE entry_id = 1"),
    (
        "billing.receivable_account_is_open_invoices",
        "UPDATE journal_entry SET amount_minor = amount_minor + 1 WHERE event = 'revenue'",
    ),
    (
        "billing.unapplied_account_is_unapplied_payments",
        "UPDATE journal_entry SET amount_minor = 1 WHERE credit = 'unapplied_cash'",
    ),
    ("billing.cash_account_is_payments", "DELETE FROM journal_entry WHERE debit = 'cash'"),
    ("billing.credit_receivable_is_open_invoices", "UPDATE credit_account SET receivable_minor = receivable_minor + 1"),
    ("billing.credit_committed_is_commitments", "UPDATE credit_account SET committed_minor = committed_minor + 1"),
    ("billing.commitments_add_up", "UPDATE commitment SET invoiced_minor = invoiced_minor + 1"),
    ("billing.commitments_add_up", "UPDATE commitment SET released_minor = released_minor + 1"),
    ("billing.commitments_add_up", "UPDATE commitment SET is_released = (1 = 1)"),
    ("billing.invoice_numbers_gapless", "UPDATE invoice SET sequence = 0 WHERE sequence = 1"),
    ("billing.invoice_numbers_gapless", "UPDATE counter SET last_number = last_number + 1 WHERE name = 'invoice'"),
    ("billing.one_invoice_a_shipment", "UPDATE invoice SET shipment_id = 'shp_1'"),
    ("billing.one_invoice_a_shipment", "UPDATE billable_shipment SET invoice_id = NULL"),
    ("billing.invoices_name_their_shipments", "UPDATE invoice SET shipment_ids = 'shp_1\nshp_2'"),
    ("billing.parts_of_shipments_sum", "UPDATE billable_line SET billed_quantity = 1"),
    ("billing.invoices_of_parts_name_them", "UPDATE invoice SET bills_parts = (1 = 1)"),
    ("billing.drafts_hold_their_shipments", "UPDATE billable_shipment SET draft_id = 'draft_nobody'"),
    ("billing.drafts_hold_their_shipments", "UPDATE invoice_draft SET state = 'discarded'"),
    ("billing.invoices_bill_what_left", "UPDATE billable_line SET quantity = quantity + 1"),
    ("billing.invoices_bill_what_left", "DELETE FROM billable_line WHERE shipment_id = 'shp_11'"),
    ("billing.invoice_total_adds_up", "UPDATE invoice SET total_minor = total_minor + 1"),
    ("billing.invoice_lines_sum", "UPDATE invoice_line SET extended_minor = extended_minor + 1"),
    ("billing.invoice_lines_sum", "DELETE FROM invoice_line"),
    ("billing.invoice_posted_in_full", "DELETE FROM journal_entry WHERE event = 'revenue'"),
    ("billing.invoice_posted_in_full", "UPDATE journal_entry SET debit = 'cash' WHERE event = 'revenue'"),
    ("billing.invoice_paid_within_total", "UPDATE invoice SET paid_minor = -1 WHERE sequence = 1"),
    ("billing.invoice_paid_within_total", "UPDATE invoice SET paid_minor = total_minor + 1 WHERE sequence = 1"),
    ("billing.invoice_paid_is_applications", "UPDATE invoice SET paid_minor = paid_minor + 1"),
    (
        "billing.payment_is_applied_or_left",
        "UPDATE payment SET unapplied_minor = unapplied_minor - 1 WHERE unapplied_minor > 0",
    ),
    ("billing.payment_is_applied_or_left", "UPDATE order_deposit SET remaining_minor = remaining_minor - 1"),
    ("billing.payment_is_applied_or_left", "UPDATE payment SET returned_minor = 1"),
    ("billing.no_cash_beside_open_invoices", "UPDATE payment SET unapplied_minor = 1"),
    (
        "billing.deposits_account_is_held_for_orders",
        "UPDATE journal_entry SET amount_minor = 1 WHERE credit = 'customer_deposits'",
    ),
    ("billing.clearing_account_is_open_sales", "UPDATE marketplace_sale SET due_minor = due_minor + 1"),
    ("billing.clearing_account_is_open_sales", "UPDATE payout_line SET fees_minor = fees_minor + 1"),
    ("billing.payouts_add_up", "UPDATE payout SET fees_minor = fees_minor + 1"),
    ("billing.families_have_their_parents", "UPDATE credit_account SET family_id = 'cus_nobody'"),
    ("billing.families_have_their_parents", "UPDATE credit_account SET parent_id = 'cus_nobody'"),
    ("billing.credit_receivable_is_open_invoices", "DELETE FROM order_deposit"),
    ("billing.deposit_is_its_payers", "UPDATE order_deposit SET customer_id = 'cus_other'"),
    ("billing.deposit_is_its_payers", "UPDATE order_deposit SET currency = 'EUR'"),
    ("billing.no_deposit_beside_its_open_invoice", "UPDATE order_deposit SET order_id = 'ord_1'"),
    ("billing.tax_parts_are_their_invoice", "UPDATE invoice_tax_part SET tax_minor = tax_minor + 1"),
    ("billing.tax_parts_are_their_invoice", "UPDATE invoice_tax_part SET freight_minor = freight_minor + 1"),
    (
        "billing.discounts_account_is_discounts_taken",
        "UPDATE journal_entry SET amount_minor = amount_minor + 1 WHERE debit = 'sales_discounts'",
    ),
    ("billing.discount_settles_its_invoice", "UPDATE payment SET received_on = '2026-12-01'"),
    ("billing.discount_settles_its_invoice", "UPDATE invoice SET early_discount_minor = early_discount_minor + 1"),
    ("billing.discount_settles_its_invoice", "UPDATE invoice SET paid_minor = paid_minor - 1"),
    ("billing.installments_sum", "UPDATE invoice_installment SET amount_minor = amount_minor + 1"),
    ("billing.delivered_invoices_are_due", "UPDATE delivery SET delivered_on = '2026-03-09'"),
    ("billing.who_waits_is_not_committed", "UPDATE credit_wait SET order_id = 'ord_2', amount_minor = 1"),
    (
        "billing.captures_within_authorization",
        "INSERT INTO card_authorization (authorization_id, amount_minor, taken_minor, captured_minor) VALUES ('a', 2, 1, 0)",
    ),
    ("billing.captures_are_payments", "UPDATE payment SET operation_id = payment_id"),
    (
        "billing.refunded_within_captured",
        "UPDATE payment SET operation_id = payment_id, returned_minor = amount_minor + 1",
    ),
)
"""An invariant and a change that breaks it, one for each thing that it forbids."""


@pytest.fixture
def busy_desk(desk: Desk) -> Desk:
    """Invoices with all four parts, one part paid, and of every kind of terms; cash left over, a deposit, orders that wait."""
    order = order_of({"1": (2, "10.00")}, discount=200, freight=100, tax_rate="0.1")
    desk.adjust("ord_1", 2080, is_forced=True)
    desk.adjust("ord_2", 500, is_forced=True)
    desk.adjust("ord_3", 300, is_forced=True)
    desk.release("ord_3")
    desk.invoice(order, "shp_1", {"1": 1})
    desk.invoice(order, "shp_2", {"1": 1})
    desk.pay(1200, "BANK-1")
    desk.pay(600, "BANK-2", customer_id="cus_other")
    desk.pay(700, "BANK-3", orders={"ord_5": 700})
    desk.commit("ord_4", 999_999)
    for number, terms in enumerate(("2/10 net 30", "50%@10 50%@20", "delivery 0"), start=6):
        bought = order_of({"1": (1, "10.00")}, order_id=f"ord_{number}", customer_id="cus_terms", terms=terms)
        desk.invoice(bought, f"shp_{number}", {"1": 1})
    desk.pay(980, "BANK-4", customer_id="cus_terms", orders={"ord_6": 980})
    desk.invoice(sold(order_id="ord_9"), "shp_9", {"1": 10})
    paid_out(desk, 4_000, {"113-4402": (4_000, 500)})
    weekly = order_of({"1": (3, "10.00")}, order_id="ord_10", customer_id="cus_weekly", invoicing="weekly")
    for number in (10, 11, 12):
        shipped_at = SHIPPED_AT - timedelta(days=7) if number < 12 else SHIPPED_AT
        desk.leave(weekly, f"shp_{number}", {"1": 1}, shipped_at=shipped_at)
    desk.run_policies()
    desk.draft("ord_10")
    return desk


def test_a_busy_desk_breaks_no_invariant(busy_desk: Desk) -> None:
    assert busy_desk.violations() == {}


def test_every_invariant_is_planted() -> None:
    assert {each.name for each in audit.INVARIANTS} == {name for name, _ in PLANTED}


@pytest.mark.on_postgres
def test_the_audit_finds_every_planted_violation(busy_desk: Desk) -> None:
    assert unnoticed(busy_desk.database, PLANTED, _broken) == []


def _broken(session: Session) -> set[str]:
    found = [find(session, invariant) for invariant in audit.INVARIANTS]
    return {each.name for each in found if each.violations and each.offenders}


def test_the_migrated_schema_is_what_the_models_say(database: Database) -> None:
    database.check_current()

    assert migrations.differences(database) == []

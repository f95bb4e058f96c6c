"""What an order has come to, in words that two runs of the same life share: the tables of all services, the payment provider's, and the mails."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.running import RunningSystem

Rows = list[tuple[Any, ...]]
Differences = dict[str, tuple[Rows, Rows]]

_QUESTIONS: dict[str, tuple[str, str]] = {
    "order": (
        "orders",
        """SELECT o.phase, o.version, o.total_minor, p.status, p.review, p.fulfilment, p.billing, p.payment
        FROM sales_order o JOIN order_progress p USING (order_id) WHERE o.order_id = :order""",
    ),
    "orders of the customer": ("orders", "SELECT count(*) FROM sales_order WHERE customer_id = :customer"),
    "event log": ("orders", "SELECT who, what FROM order_event WHERE order_id = :order"),
    "versions": ("orders", "SELECT version, replaced_at IS NOT NULL FROM order_version WHERE order_id = :order"),
    "changes": (
        "orders",
        """SELECT from_version, to_version, state, proposed_by, consented_by, total_before_minor, total_after_minor, ended_reason
        FROM change_order WHERE order_id = :order""",
    ),
    "cancellations": (
        "orders",
        "SELECT state, requested_role, reason, settled_reason, change_id <> '' FROM cancellation WHERE order_id = :order",
    ),
    "reviews": (
        "orders",
        """SELECT r.order_version, r.state, s.position, s.state, s.reminded_at IS NOT NULL, s.escalated_at IS NOT NULL
        FROM review r JOIN review_step s USING (review_id) WHERE r.order_id = :order""",
    ),
    "decisions": (
        "orders",
        "SELECT order_version, decided_by, decision, is_void FROM review_decision WHERE order_id = :order",
    ),
    "facts": ("orders", "SELECT source, kind, state FROM fact WHERE order_id = :order"),
    "stock": ("inventory", "SELECT on_hand, allocated FROM stock WHERE sku = :sku"),
    "movements": ("inventory", "SELECT kind, quantity, value_minor, order_id <> '' FROM movement WHERE sku = :sku"),
    "layers": ("inventory", "SELECT remaining_quantity, remaining_value_minor FROM cost_layer WHERE sku = :sku"),
    "reservations": (
        "inventory",
        """SELECT r.state, a.line_id, a.held_quantity, a.shipped_quantity, a.released_quantity
        FROM reservation r JOIN allocation a USING (reservation_id) WHERE r.order_id = :order""",
    ),
    "shipments": (
        "fulfillment",
        """SELECT s.state, s.carrier, s.freight_minor, l.sku = :sku, l.quantity, l.picked_quantity
        FROM shipment s JOIN shipment_line l USING (shipment_id) WHERE s.order_id = :order""",
    ),
    "recalls": ("fulfillment", "SELECT state FROM recall WHERE order_id = :order"),
    "carrier events": (
        "fulfillment",
        "SELECT e.status FROM carrier_event e JOIN shipment s USING (tracking_number) WHERE s.order_id = :order",
    ),
    "billable": (
        "billing",
        """SELECT b.policy, b.amount_minor, d.state, i.total_minor FROM billable_shipment b
        LEFT JOIN invoice i USING (invoice_id) LEFT JOIN invoice_draft d ON d.draft_id = b.draft_id WHERE b.order_id = :order""",
    ),
    "credit": (
        "billing",
        """SELECT committed_minor, receivable_minor, remaining_minor, invoiced_minor, is_released
        FROM credit_account JOIN commitment USING (customer_id) WHERE order_id = :order""",
    ),
    "invoices": (
        "billing",
        """SELECT merchandise_minor, freight_minor, tax_minor, total_minor, paid_minor FROM invoice
        WHERE order_id = :order""",
    ),
    "payments": ("billing", "SELECT amount_minor, unapplied_minor FROM payment WHERE customer_id = :customer"),
    "ledger": (
        "billing",
        """SELECT debit, credit, amount_minor, substr(event, 1, instr(event || '/', '/')) FROM journal_entry
        WHERE order_id = :order OR source_id IN (SELECT payment_id FROM payment WHERE customer_id = :customer)""",
    ),
    "card operations": (
        "billing",
        """SELECT kind, amount_minor, state, reason, is_final, is_abandoned, token <> '' FROM provider_operation
        WHERE order_id = :order""",
    ),
    "card authorizations": (
        "billing",
        """SELECT amount_minor, taken_minor, captured_minor, fee_minor, is_open, is_disputed FROM card_authorization
        WHERE order_id = :order""",
    ),
    "intents at the provider": (
        "stripe",
        """SELECT body ->> 'status', body ->> 'amount', body ->> 'amount_capturable', body ->> 'amount_received' FROM object
        WHERE kind = 'payment_intent' AND body ->> '$.metadata.order' = :order""",
    ),
    "charges at the provider": (
        "stripe",
        """SELECT c.body ->> 'amount', c.body ->> 'amount_captured', c.body ->> 'amount_refunded', c.body ->> 'disputed'
        FROM object c JOIN object i ON i.id = c.body ->> 'payment_intent'
        WHERE c.kind = 'charge' AND i.body ->> '$.metadata.order' = :order""",
    ),
    "returns": (
        "orders",
        """SELECT r.state, r.closing, r.is_announced, r.is_closed, r.halted, r.fee_percent, l.quantity, l.received, l.inspected
        FROM sales_return r JOIN sales_return_line l USING (return_id) WHERE r.order_id = :order""",
    ),
    "inspections": (
        "orders",
        """SELECT i.position, i.credited_minor, i.fee_minor, json_array_length(i.credit_notes)
        FROM return_inspection i JOIN sales_return r USING (return_id) WHERE r.order_id = :order""",
    ),
    "replacements": (
        "orders",
        """SELECT o.subject = 'advance', o.is_documented, o.settled_at IS NOT NULL, l.line_id, l.quantity FROM replacement_order o
        JOIN replacement_line l USING (order_id) JOIN sales_return r USING (return_id) WHERE r.order_id = :order""",
    ),
    "expected returns": (
        "fulfillment",
        """SELECT e.is_open, l.quantity, l.received, l.inspected
        FROM expected_return e JOIN expected_return_line l USING (return_id) WHERE e.order_id = :order""",
    ),
    "counts": (
        "fulfillment",
        "SELECT c.quantity FROM return_receipt c JOIN expected_return e USING (return_id) WHERE e.order_id = :order",
    ),
    "inspected units": (
        "fulfillment",
        """SELECT u.grade, u.disposition, u.responsible, u.quantity
        FROM inspected_units u JOIN expected_return e USING (return_id) WHERE e.order_id = :order""",
    ),
    "returned stock": (
        "inventory",
        "SELECT disposition, quantity, value_minor FROM returned_stock WHERE order_id = :order",
    ),
    "credit notes": (
        "billing",
        "SELECT total_minor, open_minor, cash_minor, fee_minor, reason_code FROM credit_note WHERE order_id = :order",
    ),
    "returned cash": (
        "billing",
        "SELECT f.amount_minor FROM return_refund f JOIN credit_note USING (credit_note_id) WHERE order_id = :order",
    ),
    "refunds at the provider": (
        "stripe",
        """SELECT f.body ->> 'amount', f.body ->> 'status' FROM object f JOIN object c ON c.id = f.body ->> 'charge'
        JOIN object i ON i.id = c.body ->> 'payment_intent'
        WHERE f.kind = 'refund' AND i.body ->> '$.metadata.order' = :order""",
    ),
    "deliveries": ("notifications", "SELECT kind, role, state FROM deliveries WHERE order_id = :order"),
}


def summary(running: RunningSystem, order_id: str, number: str, customer_id: str, sku: str) -> dict[str, Rows]:
    """Rows by what they tell, sorted, without ids, numbers and times."""
    names = {"order": order_id, "customer": customer_id, "sku": sku}
    notified = {what: _ask(running.var, service, query, names) for what, (service, query) in _QUESTIONS.items()}
    notified["progress"] = _progress(running.var, order_id)
    notified["mails"] = [(subject, times) for subject, times in sorted(_mails(running, number).items())]
    return {what: [_plain(row, order_id, customer_id) for row in rows] for what, rows in notified.items()}


def differences(wanted: dict[str, Rows], got: dict[str, Rows]) -> Differences:
    """What was wanted and what came, where they differ."""
    return {what: (wanted[what], got[what]) for what in wanted if wanted[what] != got[what]}


def unsent(running: RunningSystem, order_id: str) -> int:
    """Outbox rows of the order that are still under way, over all services."""
    query = "SELECT 1 FROM outbox WHERE order_id = :order AND state <> 'sent'"
    services = ("orders", "inventory", "fulfillment", "billing")
    return sum(len(_ask(running.var, service, query, {"order": order_id})) for service in services)


def is_expected(running: RunningSystem, number: str) -> bool:
    """Whether the warehouse has heard of a return."""
    query = "SELECT 1 FROM expected_return WHERE number = :number"
    return bool(_ask(running.var, "fulfillment", query, {"number": number}))


def _ask(var: Path, service: str, query: str, names: dict[str, str]) -> Rows:
    connection = sqlite3.connect(f"file:{var / service}.db?mode=ro", uri=True, timeout=10)
    try:
        return sorted(connection.execute(query, names).fetchall(), key=repr)
    finally:
        connection.close()


def _mails(running: RunningSystem, number: str) -> Counter[str]:
    """How often a mailbox got each subject; a mail sent twice under one Message-ID is kept once, as mailboxes do."""
    mails = [mail for mail in running.sink.messages if number in str(mail["Subject"])]
    assert len({str(mail["Message-ID"]) for mail in mails}) == len(mails)
    return Counter(
        f"{str(mail['To']).split('-')[0]}: {re.sub(r'[^ ]*[0-9][^ ]*', '…', mail['Subject'])}" for mail in mails
    )


def _progress(var: Path, order_id: str) -> Rows:
    """How far each line has come; the sequences tell how many facts of each service were needed."""
    [(text,)] = _ask(var, "orders", "SELECT progress FROM order_progress WHERE order_id = :order", {"order": order_id})
    lines = json.loads(text)["lines"]
    return [(line_id, json.dumps(line, sort_keys=True)) for line_id, line in sorted(lines.items())]


def _plain(row: tuple[Any, ...], *ids: str) -> tuple[Any, ...]:
    """A row without the ids of this run, alone or within a name: "customer@cus-1" is the same person in every run."""
    return tuple(_without(value, ids) if isinstance(value, str) else value for value in row)


def _without(text: str, ids: tuple[str, ...]) -> str:
    for each in ids:
        text = text.replace(each, "…")
    return text

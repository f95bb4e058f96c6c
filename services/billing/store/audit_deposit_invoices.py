"""The invariants of deposit invoices: what is held, deducted and credited, and its tax, charged once."""

from datetime import UTC, datetime, timedelta

from services.billing.store.audit import BALANCE, compare
from services.kernel.ids import FIRST_DEPOSIT_INVOICE
from services.runtime.audit import Invariant

GRACE = timedelta(days=1)
_OPEN = (
    "SELECT order_id, SUM(total_minor - deducted_minor - credited_minor) AS minor FROM deposit_invoice "
    "WHERE kind = 'invoice' GROUP BY order_id"
)
_HELD = "SELECT order_id, SUM(remaining_minor) AS minor FROM order_deposit GROUP BY order_id"
_LEFT = (
    "SELECT p.deposit_invoice_id, SUM(p.left_net_minor + p.left_tax_minor) AS gross, SUM(p.left_tax_minor) AS tax "
    "FROM deposit_invoice_part AS p GROUP BY p.deposit_invoice_id"
)
_TAX_LEFT = (
    f"SELECT d.deposit_invoice_id, d.currency, l.tax AS minor FROM deposit_invoice AS d JOIN ({_LEFT}) AS l "  # noqa: S608 - constants of this module
    "ON l.deposit_invoice_id = d.deposit_invoice_id WHERE d.kind = 'invoice'"
)
_TAX_OF_ORDERS = f"""
SELECT order_id, SUM(minor) AS minor FROM (
  SELECT order_id, tax_minor AS minor FROM invoice
  UNION ALL SELECT order_id, -tax_minor AS minor FROM credit_note
  UNION ALL SELECT d.order_id, l.minor FROM deposit_invoice AS d JOIN ({_TAX_LEFT}) AS l ON l.deposit_invoice_id = d.deposit_invoice_id
) AS charged WHERE order_id IN (SELECT order_id FROM deposit_invoice) GROUP BY order_id
"""  # noqa: S608 - constants of this module
_TAX_OWED = """
SELECT order_id, SUM(CASE WHEN credit = 'tax_payable' THEN amount_minor ELSE -amount_minor END) AS minor FROM journal_entry
WHERE 'tax_payable' IN (debit, credit) AND order_id IN (SELECT order_id FROM deposit_invoice) GROUP BY order_id
"""

INVARIANTS = (
    Invariant(
        "billing.deposit_invoice_numbers_gapless",
        f"numbers of deposit invoices, and those of their credit notes, count from {FIRST_DEPOSIT_INVOICE} without a gap, as far as their counter",
        f"SELECT 'before ' || number FROM deposit_invoice AS n WHERE sequence > {FIRST_DEPOSIT_INVOICE} AND NOT EXISTS "  # noqa: S608 - a constant
        "(SELECT 1 FROM deposit_invoice AS e WHERE e.kind = n.kind AND e.sequence = n.sequence - 1) "
        "UNION ALL SELECT name || ' at ' || last_number FROM counter AS c WHERE name IN ('deposit_invoice', 'deposit_credit_note') "
        "AND last_number <> (SELECT COALESCE(MAX(sequence), 0) FROM deposit_invoice AS d WHERE 'deposit_' || d.kind = c.name)",
    ),
    Invariant(
        "billing.deposit_invoice_parts_sum",
        "the parts of a deposit invoice sum to it, with its tax, and nothing is charged on what is not taxed",
        "SELECT number FROM deposit_invoice AS d JOIN (SELECT deposit_invoice_id, SUM(net_minor + tax_minor) AS gross, "
        "SUM(tax_minor) AS tax, SUM(CASE WHEN code <> 'S' THEN tax_minor ELSE 0 END) AS untaxed FROM deposit_invoice_part "
        "GROUP BY deposit_invoice_id) AS p ON p.deposit_invoice_id = d.deposit_invoice_id "
        "WHERE p.gross <> d.total_minor OR p.tax <> d.tax_minor OR p.untaxed <> 0 ORDER BY number",
    ),
    Invariant(
        "billing.deposit_invoice_left_is_open",
        "what is left of the parts of a deposit invoice is what is neither deducted nor credited",
        f"SELECT number FROM deposit_invoice AS d JOIN ({_LEFT}) AS l ON l.deposit_invoice_id = d.deposit_invoice_id "  # noqa: S608 - constants of this module
        "WHERE l.gross <> CASE WHEN d.kind = 'invoice' THEN d.total_minor - d.deducted_minor - d.credited_minor ELSE 0 END ORDER BY number",
    ),
    Invariant(
        "billing.deposit_invoice_deducted_is_deductions",
        "what is deducted of a deposit invoice is what invoices deduct",
        compare(
            "SELECT deposit_invoice_id, deducted_minor AS minor FROM deposit_invoice",
            "SELECT deposit_invoice_id, SUM(amount_minor) AS minor FROM deposit_deduction GROUP BY deposit_invoice_id",
            ("deposit_invoice_id",),
        ),
    ),
    Invariant(
        "billing.deposit_invoice_credited_is_credit_notes",
        "what is credited of a deposit invoice is the sum of its credit notes",
        compare(
            "SELECT number, credited_minor AS minor FROM deposit_invoice WHERE kind = 'invoice'",
            "SELECT corrects AS number, SUM(total_minor) AS minor FROM deposit_invoice WHERE kind = 'credit_note' GROUP BY corrects",
            ("number",),
        ),
    ),
    Invariant(
        "billing.deposit_tax_is_charged_deducted_or_credited",
        "the tax of a deposit invoice is what invoices deduct of it, what credit notes take back and what is left of it",
        compare(
            "SELECT number, tax_minor AS minor FROM deposit_invoice WHERE kind = 'invoice'",
            "SELECT number, SUM(minor) AS minor FROM (SELECT d.number, x.tax_minor AS minor FROM deposit_deduction AS x "  # noqa: S608 - constants of this module
            "JOIN deposit_invoice AS d ON d.deposit_invoice_id = x.deposit_invoice_id UNION ALL "
            "SELECT corrects AS number, tax_minor AS minor FROM deposit_invoice WHERE kind = 'credit_note' UNION ALL "
            f"SELECT d.number, l.minor FROM deposit_invoice AS d JOIN ({_TAX_LEFT}) AS l ON l.deposit_invoice_id = d.deposit_invoice_id"
            ") AS uses GROUP BY number",
            ("number",),
        ),
    ),
    Invariant(
        "billing.deposit_invoices_are_held",
        "what of an order's deposit invoices is neither deducted nor credited is held for it",
        f"SELECT o.order_id || ': ' || o.minor FROM ({_OPEN}) AS o LEFT JOIN ({_HELD}) AS h ON h.order_id = o.order_id "  # noqa: S608 - constants of this module
        "WHERE o.minor > COALESCE(h.minor, 0) ORDER BY o.order_id",
    ),
    Invariant(
        "billing.deposits_within_their_invoice",
        "an invoice deducts no more of deposit invoices than it comes to",
        "SELECT i.number FROM deposit_deduction AS x JOIN invoice AS i ON i.invoice_id = x.invoice_id "
        "GROUP BY i.invoice_id, i.number, i.total_minor HAVING SUM(x.amount_minor) > i.total_minor ORDER BY i.number",
    ),
    Invariant(
        "billing.tax_on_deposits_account_is_deposit_invoices",
        "the balance of tax_on_deposits is the tax that is left in deposit invoices, per currency",
        compare(
            BALANCE.format(account="tax_on_deposits"),
            f"SELECT currency, SUM(minor) AS minor FROM ({_TAX_LEFT}) AS l GROUP BY currency",  # noqa: S608 - constants of this module
            ("currency",),
        ),
    ),
    Invariant(
        "billing.tax_of_deposits_is_owed_once",
        "an order with deposit invoices owes the tax of its invoices less that of credit notes, and the tax left in its deposit invoices",
        compare(_TAX_OWED, _TAX_OF_ORDERS, ("order_id",)),
    ),
)


def not_invoiced(now: datetime) -> Invariant:
    """Whether cash that came for an order with a deposit waits for its invoice that should have been made by now."""
    since = (now - GRACE).astimezone(UTC).isoformat(timespec="microseconds")
    held = (
        "SELECT d.order_id, SUM(d.remaining_minor) AS minor FROM order_deposit AS d JOIN payment AS p "  # noqa: S608  # an instant
        f"ON p.payment_id = d.payment_id WHERE p.received_at < '{since}' GROUP BY d.order_id"
    )
    return Invariant(
        "billing.deposits_are_invoiced",
        "cash that came for an order with a deposit is on deposit invoices within a day, as far as the order can still be invoiced",
        f"SELECT c.order_id FROM commitment AS c JOIN ({held}) AS h ON h.order_id = c.order_id LEFT JOIN ({_OPEN}) AS o "  # noqa: S608 - constants of this module
        "ON o.order_id = c.order_id WHERE c.payment_method = 'deposit' AND NOT c.is_released AND c.remaining_minor > COALESCE(o.minor, 0) "
        "AND h.minor > COALESCE(o.minor, 0) ORDER BY c.order_id",
    )

"""The invariants of credit notes and of what is given up."""

from services.billing.store.audit import BALANCE, compare
from services.kernel.ids import FIRST_CREDIT_NOTE
from services.runtime.audit import Invariant

_PARTS = ("freight", "tax")
_OVER = " OR ".join(f"SUM(n.{part}_minor) > i.{part}_minor" for part in (*_PARTS, "merchandise", "discount"))
_UNLIKE = " OR ".join(f"SUM(n.{part}_minor) <> i.{part}_minor" for part in _PARTS)
_NET, _BILLED_NET = (
    "SUM(n.merchandise_minor - n.discount_minor + n.allowance_minor)",
    "i.merchandise_minor - i.discount_minor",
)

INVARIANTS = (
    Invariant(
        "billing.credit_note_numbers_gapless",
        f"credit note numbers count from {FIRST_CREDIT_NOTE} without a gap, as far as the counter",
        f"SELECT 'before ' || number FROM credit_note AS n WHERE sequence > {FIRST_CREDIT_NOTE} AND NOT EXISTS "  # noqa: S608 - a constant
        "(SELECT 1 FROM credit_note AS e WHERE e.sequence = n.sequence - 1) "
        "UNION ALL SELECT 'counter at ' || last_number FROM counter WHERE name = 'credit_note' "
        "AND last_number <> (SELECT COALESCE(MAX(sequence), 0) FROM credit_note)",
    ),
    Invariant(
        "billing.credit_note_total_adds_up",
        "a credit note's total is merchandise - discount + allowance + freight + tax, and all of it went somewhere",
        "SELECT number FROM credit_note WHERE "
        "total_minor <> merchandise_minor - discount_minor + allowance_minor + freight_minor + tax_minor "
        "OR total_minor <> open_minor + recovered_minor + discount_lost_minor + cash_minor ORDER BY sequence",
    ),
    Invariant(
        "billing.credit_note_lines_sum",
        "a credit note's lines sum to its merchandise",
        "SELECT n.number FROM credit_note AS n LEFT JOIN credit_note_line AS l ON l.credit_note_id = n.credit_note_id "
        "GROUP BY n.number, n.merchandise_minor HAVING COALESCE(SUM(l.extended_minor), 0) <> n.merchandise_minor "
        "ORDER BY n.number",
    ),
    Invariant(
        "billing.credited_is_credit_notes",
        "what is credited of an invoice is the sum of its credit notes less their fees",
        compare(
            "SELECT invoice_id, credited_minor AS minor FROM invoice",
            "SELECT invoice_id, SUM(total_minor - fee_minor) AS minor FROM credit_note GROUP BY invoice_id",
            ("invoice_id",),
        ),
    ),
    Invariant(
        "billing.credited_within_invoice",
        "the credit notes of an invoice come to no more than it in any part, and to each part when all of it is credited",
        f"SELECT i.number FROM invoice AS i JOIN credit_note AS n ON n.invoice_id = i.invoice_id "  # noqa: S608 - constants of this module
        "GROUP BY i.invoice_id, i.number, i.merchandise_minor, i.discount_minor, i.freight_minor, i.tax_minor, i.total_minor "
        f"HAVING {_OVER} OR {_NET} > {_BILLED_NET} OR SUM(n.total_minor) > i.total_minor "
        f"OR (SUM(n.total_minor) = i.total_minor AND ({_UNLIKE} OR {_NET} <> {_BILLED_NET})) ORDER BY i.number",
    ),
    Invariant(
        "billing.credit_note_tax_parts_sum",
        "the tax parts of a credit note sum to it, and those of an invoice's notes to no more than its own",
        "SELECT n.number FROM credit_note AS n JOIN (SELECT credit_note_id, SUM(merchandise_minor - discount_minor + allowance_minor) AS net, "
        "SUM(freight_minor) AS freight, SUM(tax_minor) AS tax FROM credit_note_tax_part GROUP BY credit_note_id) AS p "
        "ON p.credit_note_id = n.credit_note_id WHERE p.net <> n.merchandise_minor - n.discount_minor + n.allowance_minor "
        "OR p.freight <> n.freight_minor OR p.tax <> n.tax_minor UNION ALL "
        "SELECT i.invoice_id || ' ' || i.tax_key FROM invoice_tax_part AS i JOIN (SELECT n.invoice_id, t.tax_key, SUM(t.tax_minor) AS tax "
        "FROM credit_note_tax_part AS t JOIN credit_note AS n ON n.credit_note_id = t.credit_note_id GROUP BY n.invoice_id, t.tax_key) AS c "
        "ON c.invoice_id = i.invoice_id AND c.tax_key = i.tax_key WHERE c.tax > i.tax_minor",
    ),
    Invariant(
        "billing.units_are_credited_once",
        "units of an invoice's line are credited as often as its credit notes say, and each once",
        "SELECT l.invoice_id || ' ' || l.line_id FROM invoice_line AS l LEFT JOIN ("
        "SELECT n.invoice_id, c.line_id, SUM(c.quantity) AS units, SUM(c.extended_minor) AS minor FROM credit_note_line AS c "
        "JOIN credit_note AS n ON n.credit_note_id = c.credit_note_id GROUP BY n.invoice_id, c.line_id) AS c "
        "ON c.invoice_id = l.invoice_id AND c.line_id = l.line_id WHERE l.credited_quantity <> COALESCE(c.units, 0) "
        "OR l.credited_quantity > l.quantity OR COALESCE(c.minor, 0) > l.extended_minor "
        "OR (l.credited_quantity = l.quantity AND c.minor <> l.extended_minor) ORDER BY l.invoice_id",
    ),
    Invariant(
        "billing.credit_note_posted_in_full",
        "a credit note's entries credit the receivable by exactly its total",
        compare(
            "SELECT credit_note_id, total_minor AS minor FROM credit_note",
            "SELECT source_id AS credit_note_id, SUM(amount_minor) AS minor FROM journal_entry "
            "WHERE source_type = 'credit_note' AND credit = 'accounts_receivable' GROUP BY source_id",
            ("credit_note_id",),
        ),
    ),
    Invariant(
        "billing.credit_note_cash_is_of_payments",
        "the cash that a credit note left on account, its fee kept, is of payments, and so it stands in the books",
        compare(
            "SELECT credit_note_id, CASE WHEN fee_minor < cash_minor THEN cash_minor - fee_minor ELSE 0 END AS minor FROM credit_note",
            "SELECT credit_note_id, SUM(amount_minor) AS minor FROM credit_note_cash GROUP BY credit_note_id",
            ("credit_note_id",),
        ),
    ),
    Invariant(
        "billing.returns_account_is_credit_notes",
        "the balance of sales_returns is what credit notes took off revenue, but not off deferred revenue or fees, per currency",
        compare(
            BALANCE.format(account="sales_returns"),
            "SELECT currency, SUM(merchandise_minor - discount_minor + allowance_minor - deferred_goods_minor) AS minor "
            "FROM credit_note AS n WHERE NOT EXISTS (SELECT 1 FROM invoice AS i WHERE i.invoice_id = n.invoice_id AND i.fee_id <> '') "
            "GROUP BY currency",
            ("currency",),
        ),
    ),
    Invariant(
        "billing.fees_account_is_documents",
        "the balance of fee_income is what invoices of fees charge, less what is credited of them, and what credit notes of returns keep, per currency",
        compare(
            BALANCE.format(account="fee_income"),
            "SELECT currency, SUM(minor) AS minor FROM (SELECT currency, tax_minor - total_minor AS minor FROM invoice WHERE fee_id <> '' "
            "UNION ALL SELECT currency, -fee_minor FROM credit_note UNION ALL "
            "SELECT n.currency, n.merchandise_minor - n.discount_minor + n.allowance_minor FROM credit_note AS n "
            "JOIN invoice AS i ON i.invoice_id = n.invoice_id WHERE i.fee_id <> '') AS fees GROUP BY currency",
            ("currency",),
        ),
    ),
    Invariant(
        "billing.refunded_is_left_over",
        "what went back of a return's cash is what its credit note left of that payment, less what is held for a replacement",
        "SELECT r.credit_note_id || ' ' || r.payment_id FROM return_refund AS r JOIN credit_note_cash AS c "
        "ON c.credit_note_id = r.credit_note_id AND c.payment_id = r.payment_id LEFT JOIN return_cash_held AS h "
        "ON h.credit_note_id = r.credit_note_id AND h.payment_id = r.payment_id "
        "WHERE r.amount_minor <> c.amount_minor - COALESCE(h.amount_minor, 0)",
    ),
    Invariant(
        "billing.bad_debt_account_is_written_off",
        "the balance of bad_debt is what is given up of invoices, per currency",
        compare(
            BALANCE.format(account="bad_debt"),
            "SELECT currency, SUM(written_off_minor) AS minor FROM invoice GROUP BY currency",
            ("currency",),
        ),
    ),
    Invariant(
        "billing.written_off_is_write_offs",
        "what is given up of an invoice is the sum of its write-offs less what credit notes made good",
        compare(
            "SELECT invoice_id, written_off_minor AS minor FROM invoice",
            "SELECT invoice_id, SUM(minor) AS minor FROM (SELECT invoice_id, amount_minor AS minor FROM write_off "
            "UNION ALL SELECT invoice_id, -recovered_minor AS minor FROM credit_note) AS moves GROUP BY invoice_id",
            ("invoice_id",),
        ),
    ),
)

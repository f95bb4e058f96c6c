"""The invariants of discounts that are taken back."""

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "billing.claw_back_is_of_a_kept_discount",
        "an order loses no more of a discount than its invoices give on what is kept, none without a minimum, and its notes' parts say as much",
        "SELECT n.order_id FROM (SELECT order_id, SUM(claw_back_minor) AS minor, SUM(discount_minor) AS credited "
        "FROM credit_note GROUP BY order_id) AS n JOIN (SELECT order_id, SUM(discount_minor) AS discount, "
        "MAX(discount_minimum_minor) AS minimum FROM invoice GROUP BY order_id) AS i ON i.order_id = n.order_id "
        "WHERE n.minor < 0 OR n.minor > i.discount - n.credited OR (n.minor > 0 AND i.minimum = 0) UNION ALL "
        "SELECT invoice_id FROM credit_note GROUP BY invoice_id HAVING SUM(claw_back_minor) < 0 UNION ALL "
        "SELECT n.number FROM credit_note AS n JOIN (SELECT credit_note_id, SUM(claw_back_minor) AS minor FROM credit_note_tax_part "
        "GROUP BY credit_note_id) AS p ON p.credit_note_id = n.credit_note_id WHERE p.minor <> n.claw_back_minor",
    ),
)

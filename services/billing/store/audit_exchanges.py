"""The invariants of exchanges."""

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "billing.exchanges_bill_what_did_not_come",
        "what left in place of returned goods without documents is invoiced as far as those did not come, and no further",
        "SELECT x.order_id || ' line ' || x.line_id || ': ' || COALESCE(i.units, 0) FROM ("
        "SELECT order_id, line_id, SUM(quantity) AS units FROM exchanged_line GROUP BY order_id, line_id) AS x "
        "LEFT JOIN exchange_charge AS c ON c.order_id = x.order_id AND c.line_id = x.line_id "
        "LEFT JOIN (SELECT b.order_id, l.line_id, SUM(l.quantity - l.reversed_quantity) AS units FROM invoice AS b "
        "JOIN invoice_line AS l ON l.invoice_id = b.invoice_id WHERE b.fee_id = '' GROUP BY b.order_id, l.line_id) AS i "
        "ON i.order_id = x.order_id AND i.line_id = x.line_id WHERE COALESCE(i.units, 0) <> "
        "CASE WHEN COALESCE(c.quantity, 0) < x.units THEN COALESCE(c.quantity, 0) ELSE x.units END",
    ),
    Invariant(
        "billing.returned_cash_is_used_once",
        "what a return's credit note left of a payment is held for what replaces the goods, or goes back, and no more than it",
        "SELECT c.credit_note_id || ' ' || c.payment_id FROM credit_note_cash AS c "
        "JOIN return_cash_held AS h ON h.credit_note_id = c.credit_note_id AND h.payment_id = c.payment_id "
        "LEFT JOIN return_refund AS r ON r.credit_note_id = c.credit_note_id AND r.payment_id = c.payment_id "
        "WHERE h.amount_minor + COALESCE(r.amount_minor, 0) > c.amount_minor",
    ),
)

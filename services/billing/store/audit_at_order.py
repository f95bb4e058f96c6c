"""The invariants of orders that are invoiced at order: what they came to is deferred until it ships, and no longer."""

from datetime import UTC, datetime, timedelta

from services.billing.store.audit import compare
from services.runtime.audit import Invariant

GRACE = timedelta(days=1)
"""How long an accepted order may wait for its invoice, which is made in seconds."""

_DEFERRED = """
SELECT order_id, SUM(minor) AS minor FROM (
  SELECT order_id, merchandise_minor - discount_minor + freight_minor AS minor FROM invoice WHERE is_at_order
  UNION ALL SELECT order_id, -deferred_goods_minor - deferred_freight_minor AS minor FROM credit_note
  UNION ALL SELECT order_id, -goods_minor - freight_minor AS minor FROM revenue_recognition
) AS moves GROUP BY order_id
"""
_POSTED = """
SELECT order_id, SUM(CASE WHEN credit = 'deferred_revenue' THEN amount_minor ELSE -amount_minor END) AS minor
FROM journal_entry WHERE 'deferred_revenue' IN (debit, credit) GROUP BY order_id
"""
_INVOICED_UNITS = """
SELECT i.order_id, l.line_id, l.quantity AS units FROM invoice_line AS l
JOIN invoice AS i ON i.invoice_id = l.invoice_id WHERE i.is_at_order
"""
_SHIPPED_UNITS = """
SELECT r.order_id, l.line_id, l.quantity AS units FROM revenue_recognition_line AS l
JOIN revenue_recognition AS r ON r.shipment_id = l.shipment_id
"""
_UNSHIPPED = f"""
SELECT order_id, line_id, SUM(units) AS units FROM (
  {_INVOICED_UNITS} UNION ALL SELECT order_id, line_id, -units FROM ({_SHIPPED_UNITS}) AS shipped
) AS both_sides GROUP BY order_id, line_id
"""  # noqa: S608 - constants of this module

INVARIANTS = (
    Invariant(
        "billing.deferred_revenue_is_what_has_not_shipped",
        "an order's deferred revenue is what was invoiced at order, less what has shipped of it and what was credited before",
        compare(_POSTED, _DEFERRED, ("order_id",)),
    ),
    Invariant(
        "billing.what_has_shipped_is_revenue",
        "an order of which all that was invoiced has shipped, or that ended before it shipped, has no deferred revenue",
        f"SELECT d.order_id || ': ' || d.minor FROM ({_DEFERRED}) AS d JOIN order_to_invoice AS o ON o.order_id = d.order_id "  # noqa: S608 - constants of this module
        f"WHERE d.minor <> 0 AND (NOT EXISTS (SELECT 1 FROM ({_UNSHIPPED}) AS u WHERE u.order_id = d.order_id AND u.units > 0) "
        "OR (o.state = 'over' AND NOT EXISTS (SELECT 1 FROM revenue_recognition AS r WHERE r.order_id = d.order_id))) "
        "ORDER BY d.order_id",
    ),
    Invariant(
        "billing.invoiced_before_shipped",
        "what has shipped of an order that is invoiced at order is invoiced",
        f"SELECT order_id || ' ' || line_id || ': ' || units FROM ({_UNSHIPPED}) AS u WHERE units < 0 ORDER BY order_id, line_id",  # noqa: S608 - constants of this module
    ),
    Invariant(
        "billing.invoices_at_order_are_of_known_orders",
        "an invoice that was made before anything had shipped is of an order that is invoiced so",
        "SELECT number FROM invoice AS i WHERE is_at_order AND NOT EXISTS "
        "(SELECT 1 FROM order_to_invoice AS o WHERE o.order_id = i.order_id) ORDER BY sequence",
    ),
)


def not_invoiced(now: datetime) -> Invariant:
    """Whether an accepted order waits for an invoice that should have been made by now."""
    since = (now - GRACE).astimezone(UTC).isoformat(timespec="microseconds")
    return Invariant(
        "billing.accepted_orders_are_invoiced",
        "an order that is invoiced at order is invoiced within a day, but where it waits for room under a limit",
        "SELECT order_number FROM order_to_invoice AS o WHERE state = 'due' AND recorded_at < "  # noqa: S608  # an instant
        f"'{since}' AND NOT EXISTS (SELECT 1 FROM credit_wait AS w WHERE w.order_id = o.order_id AND w.is_in_part) ORDER BY order_id",
    )

"""The invariants of shipments that have left: each is on one invoice, and what is due is invoiced."""

from datetime import datetime, timedelta

from services.kernel.clock import business_day
from services.runtime.audit import Invariant

GRACE = timedelta(days=2)
"""How long after the day that its invoice is to bear a shipment may wait: the day after is the first on which one of a period is made."""

INVARIANTS = (
    Invariant(
        "billing.one_invoice_a_shipment",
        "a shipment has one invoice, for ever; one that was made at order, or charges a fee, has none",
        "SELECT i.shipment_id FROM invoice AS i LEFT JOIN billable_shipment AS b ON b.shipment_id = i.shipment_id "
        "WHERE (i.is_at_order AND b.shipment_id IS NOT NULL) "
        "OR (NOT i.is_at_order AND i.fee_id = '' AND NOT i.bills_parts AND (b.invoice_id IS NULL OR b.invoice_id <> i.invoice_id)) ORDER BY i.shipment_id",
    ),
    Invariant(
        "billing.invoices_name_their_shipments",
        "an invoice names as many shipments as there are on it",
        "SELECT i.number FROM invoice AS i LEFT JOIN billable_shipment AS b ON b.invoice_id = i.invoice_id "
        "WHERE NOT i.bills_parts GROUP BY i.invoice_id, i.number, i.is_at_order, i.fee_id, i.shipment_ids HAVING COUNT(b.shipment_id) "
        "<> (CASE WHEN i.is_at_order OR i.fee_id <> '' THEN 0 ELSE 1 END) + LENGTH(i.shipment_ids) - LENGTH(REPLACE(i.shipment_ids, '\n', '')) ORDER BY i.number",
    ),
    Invariant(
        "billing.invoices_bill_what_left",
        "an invoice of shipments that have waited bills the units that left with them",
        """
        SELECT invoice_id || ' ' || line_id || ': ' || SUM(a) || ' and ' || SUM(b) FROM (
          SELECT b.invoice_id, l.line_id, l.quantity - l.billed_quantity AS a, 0 AS b FROM billable_line AS l
          JOIN billable_shipment AS b ON b.shipment_id = l.shipment_id WHERE b.invoice_id IS NOT NULL
          UNION ALL SELECT invoice_id, line_id, quantity AS a, 0 AS b FROM billable_part
          UNION ALL SELECT i.invoice_id, i.line_id, 0 AS a, i.quantity AS b FROM invoice_line AS i WHERE EXISTS (
            SELECT 1 FROM billable_shipment AS s JOIN billable_line AS w ON w.shipment_id = s.shipment_id
            WHERE s.invoice_id = i.invoice_id)
          OR EXISTS (SELECT 1 FROM billable_part AS p WHERE p.invoice_id = i.invoice_id)
        ) AS both_sides GROUP BY invoice_id, line_id HAVING SUM(a) <> SUM(b) ORDER BY invoice_id, line_id
        """,
    ),
    Invariant(
        "billing.parts_of_shipments_sum",
        "what invoices of parts bill of a shipment's line is what is counted as billed of it",
        "SELECT l.shipment_id || ' ' || l.line_id FROM billable_line AS l LEFT JOIN billable_part AS p "
        "ON p.shipment_id = l.shipment_id AND p.line_id = l.line_id GROUP BY l.shipment_id, l.line_id, l.billed_quantity "
        "HAVING COALESCE(SUM(p.quantity), 0) <> l.billed_quantity ORDER BY l.shipment_id, l.line_id",
    ),
    Invariant(
        "billing.invoices_of_parts_name_them",
        "an invoice bills parts of shipments when it says so, and names as many as it bills",
        "SELECT i.number FROM invoice AS i LEFT JOIN billable_part AS p ON p.invoice_id = i.invoice_id "
        "GROUP BY i.invoice_id, i.number, i.bills_parts, i.shipment_ids HAVING COUNT(DISTINCT p.shipment_id) <> "
        "(CASE WHEN i.bills_parts THEN 1 + LENGTH(i.shipment_ids) - LENGTH(REPLACE(i.shipment_ids, '\n', '')) ELSE 0 END) ORDER BY i.number",
    ),
    Invariant(
        "billing.drafts_hold_their_shipments",
        "a shipment is held by a draft that is open, or on the invoice that its draft has become",
        "SELECT b.shipment_id FROM billable_shipment AS b LEFT JOIN invoice_draft AS d ON d.draft_id = b.draft_id "
        "WHERE b.draft_id <> '' AND (d.draft_id IS NULL OR d.state = 'discarded' "
        "OR COALESCE(d.invoice_id, '') <> COALESCE(b.invoice_id, '')) ORDER BY b.shipment_id",
    ),
    Invariant(
        "billing.delivered_invoices_are_due",
        "an invoice that is due on delivery has its due date once its goods have arrived",
        "SELECT i.number FROM invoice AS i JOIN billable_shipment AS b ON b.invoice_id = i.invoice_id "
        "LEFT JOIN delivery AS d ON d.shipment_id = b.shipment_id WHERE i.due_on = '9999-12-31' AND NOT i.bills_parts "
        "GROUP BY i.invoice_id, i.number HAVING SUM(CASE WHEN COALESCE(d.delivered_on, '') = '' THEN 1 ELSE 0 END) = 0 "
        "UNION ALL SELECT i.number FROM invoice AS i JOIN billable_part AS p ON p.invoice_id = i.invoice_id "
        "LEFT JOIN delivery AS d ON d.shipment_id = p.shipment_id WHERE i.due_on = '9999-12-31' "
        "GROUP BY i.invoice_id, i.number HAVING SUM(CASE WHEN COALESCE(d.delivered_on, '') = '' THEN 1 ELSE 0 END) = 0 ORDER BY 1",
    ),
)


def not_invoiced(now: datetime, time_zone: str) -> Invariant:
    """Whether a shipment waits for an invoice that should have been made by now."""
    before = (business_day(now, time_zone) - GRACE).isoformat()
    return Invariant(
        "billing.due_shipments_are_invoiced",
        "a shipment is invoiced within a day of the time that its customer's policy names",
        "SELECT shipment_id || ' of ' || order_number || ': invoice of ' || invoice_on FROM billable_shipment "  # noqa: S608  # a day
        f"WHERE invoice_id IS NULL AND invoice_on <> '' AND invoice_on < '{before}' ORDER BY position",
    )

"""The invariants of ship confirms that were reversed: what they had billed is credited, and billed by nothing that is left of them."""

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "billing.reversed_units_are_credited",
        "what had not left and counts as not billed is credited, and is no more than was billed",
        "SELECT i.number || ' ' || l.line_id FROM invoice_line AS l JOIN invoice AS i ON i.invoice_id = l.invoice_id "
        "WHERE l.reversed_quantity > l.credited_quantity OR l.reversed_extended_minor > l.extended_minor "
        "OR (l.reversed_quantity = l.quantity AND l.reversed_extended_minor <> l.extended_minor) ORDER BY i.sequence, l.line_id",
    ),
    Invariant(
        "billing.reversed_parts_sum",
        "what counts as not billed of an invoice is what its lines and tax parts say, and all of each once all lines are",
        "SELECT i.number FROM invoice AS i LEFT JOIN (SELECT invoice_id, SUM(reversed_extended_minor) AS minor, "
        "SUM(quantity - reversed_quantity) AS units FROM invoice_line GROUP BY invoice_id) AS l ON l.invoice_id = i.invoice_id "
        "LEFT JOIN (SELECT invoice_id, SUM(reversed_merchandise_minor) AS goods, SUM(reversed_discount_minor) AS discount, "
        "SUM(reversed_freight_minor) AS freight, SUM(reversed_tax_minor) AS tax FROM invoice_tax_part GROUP BY invoice_id) AS p "
        "ON p.invoice_id = i.invoice_id WHERE i.reversed_merchandise_minor <> l.minor OR i.reversed_merchandise_minor <> p.goods "
        "OR i.reversed_discount_minor <> p.discount OR i.reversed_freight_minor <> p.freight OR i.reversed_tax_minor <> p.tax "
        "OR (l.units = 0 AND (i.reversed_merchandise_minor <> i.merchandise_minor OR i.reversed_discount_minor <> i.discount_minor "
        "OR i.reversed_freight_minor <> i.freight_minor OR i.reversed_tax_minor <> i.tax_minor)) ORDER BY i.sequence",
    ),
    Invariant(
        "billing.reversed_shipments_are_not_billed",
        "a shipment that never left waits for no invoice, has made no revenue, and is on an invoice that credits it or on none",
        "SELECT r.shipment_id FROM shipment_reversal AS r LEFT JOIN billable_shipment AS b ON b.shipment_id = r.shipment_id "
        "WHERE (b.shipment_id IS NOT NULL AND (b.invoice_id IS NULL OR r.invoice_id IS NULL OR b.invoice_id <> r.invoice_id)) "
        "OR EXISTS (SELECT 1 FROM revenue_recognition AS s WHERE s.shipment_id = r.shipment_id) ORDER BY r.shipment_id",
    ),
)

"""The invariants of consolidated invoices: their shares are of one customer, day, terms and number, one an order, without a gap."""

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "billing.shares_are_of_one_invoice",
        "the shares of a consolidated invoice have one number, customer, currency, day and terms, and each an order of its own",
        "SELECT MIN(number) FROM invoice WHERE consolidated_id <> '' GROUP BY consolidated_id "
        "HAVING COUNT(DISTINCT number) > 1 OR COUNT(DISTINCT sequence) > 1 OR COUNT(DISTINCT customer_id) > 1 "
        "OR COUNT(DISTINCT currency) > 1 OR COUNT(DISTINCT invoiced_on) > 1 OR COUNT(DISTINCT terms) > 1 "
        "OR COUNT(DISTINCT order_id) < COUNT(*) ORDER BY MIN(sequence)",
    ),
    Invariant(
        "billing.shares_count_from_one",
        "a consolidated invoice has two shares or more, numbered from one without a gap; no other invoice has a share",
        "SELECT MIN(number) FROM invoice GROUP BY sequence HAVING (MAX(consolidated_id) = '' AND (COUNT(*) > 1 OR MAX(share) > 0)) "
        "OR (MAX(consolidated_id) <> '' AND (COUNT(*) < 2 OR MIN(share) <> 1 OR MAX(share) <> COUNT(*) "
        "OR MIN(consolidated_id) <> MAX(consolidated_id))) ORDER BY MIN(sequence)",
    ),
    Invariant(
        "billing.shares_are_on_terms",
        "what is prepaid, by card, with a deposit or at order has an invoice of its own",
        "SELECT number FROM invoice WHERE share > 0 AND (payment_method <> 'terms' OR is_at_order OR fee_id <> '' "
        "OR settled_elsewhere_minor <> 0) ORDER BY sequence",
    ),
)

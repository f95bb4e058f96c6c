"""The invariants of supply that is announced."""

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "inventory.expected_receipts_add_up",
        "of an expected receipt no fewer units have come than none, and no more are to come than were announced",
        """
        SELECT expected_receipt_id || ' of ' || reference AS offender FROM expected_receipt
        WHERE remaining_quantity < 0 OR cancelled_quantity < 0 OR remaining_quantity + cancelled_quantity > quantity
        """,
    ),
    Invariant(
        "inventory.supply_changes_are_kept",
        "what is to come of an expected receipt, and when, is what its last change says",
        """
        SELECT e.expected_receipt_id || ' of ' || e.reference AS offender
        FROM expected_receipt e JOIN supply_change c ON c.expected_receipt_id = e.expected_receipt_id
        WHERE c.change_id = (SELECT MAX(n.change_id) FROM supply_change n WHERE n.expected_receipt_id = e.expected_receipt_id)
          AND (c.remaining_quantity <> e.remaining_quantity OR c.expected_on <> e.expected_on)
        """,
    ),
)

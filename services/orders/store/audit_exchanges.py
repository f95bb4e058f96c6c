"""The invariants of exchanges."""

from __future__ import annotations

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "orders.replacements_follow_the_count",
        "As many units replace a line of a return that has ended as were inspected of it earn, unless they were sent in advance.",
        "SELECT r.number || ' line ' || l.line_id || ': ' || COALESCE(t.units, 0) AS offender FROM sales_return r "
        "JOIN sales_return_line l ON l.return_id = r.return_id LEFT JOIN (SELECT o.return_id, x.line_id, SUM(x.quantity) AS units "
        "FROM replacement_order o JOIN replacement_line x ON x.order_id = o.order_id GROUP BY o.return_id, x.line_id) t "
        "ON t.return_id = l.return_id AND t.line_id = l.line_id WHERE r.ended_at IS NOT NULL AND NOT r.is_advance "
        "AND COALESCE(t.units, 0) <> l.replace_quantity * l.inspected / l.quantity",
    ),
    Invariant(
        "orders.advance_is_settled",
        "Of a return that has ended it is known what is charged of the goods that were sent in advance without documents.",
        "SELECT r.number AS offender FROM sales_return r JOIN replacement_order o ON o.return_id = r.return_id "
        "WHERE r.ended_at IS NOT NULL AND o.subject = 'advance' AND NOT o.is_documented AND o.settled_at IS NULL",
    ),
)

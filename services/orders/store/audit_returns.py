"""The invariants of returns."""

from __future__ import annotations

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "orders.returns_within_order",
        "No more of a line comes back, or is on its way, than the order has of it.",
        "SELECT o.number || ' line ' || l.line_id || ': ' || t.units || ' of ' || l.quantity AS offender FROM ("
        "SELECT r.order_id, rl.line_id, SUM(CASE WHEN r.state IN ('requested', 'authorized') AND NOT r.is_closed "
        "THEN rl.quantity ELSE rl.received END) AS units FROM sales_return r "
        "JOIN sales_return_line rl ON rl.return_id = r.return_id GROUP BY r.order_id, rl.line_id) t "
        "JOIN order_line l ON l.order_id = t.order_id AND l.line_id = t.line_id "
        "JOIN sales_order o ON o.order_id = t.order_id WHERE t.units > l.quantity",
    ),
    Invariant(
        "orders.return_ends_credited",
        "A return is closed when all that came is inspected and credited, and one that ended otherwise has taken nothing.",
        "SELECT r.number || ' is ' || r.state AS offender FROM sales_return r WHERE r.ended_at IS NOT NULL AND ("
        "EXISTS (SELECT 1 FROM sales_return_line l WHERE l.return_id = r.return_id "
        "AND (l.inspected <> l.received OR (r.state <> 'closed' AND l.received > 0))) "
        "OR EXISTS (SELECT 1 FROM return_inspection i WHERE i.return_id = r.return_id AND i.credited_at IS NULL))",
    ),
)

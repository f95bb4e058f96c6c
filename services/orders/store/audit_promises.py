"""The invariants of the ledger of promises."""

from __future__ import annotations

from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "orders.promises_are_within_the_order",
        "No more units of a line are promised or delivered by promise than the line has.",
        "SELECT o.number || ': ' || SUM(p.quantity) || ' promised of line ' || l.line_id || ', ' || l.quantity || ' ordered' "
        "AS offender FROM promise p JOIN sales_order o ON o.order_id = p.order_id "
        "JOIN order_line l ON l.order_id = p.order_id AND l.line_id = p.line_id "
        "WHERE p.outcome IN ('open', 'kept', 'broken') GROUP BY o.number, l.line_id, l.quantity "
        "HAVING SUM(p.quantity) > l.quantity",
    ),
    Invariant(
        "orders.open_promises_are_of_open_orders",
        "A promise is open only of an order that was accepted and has not ended.",
        "SELECT o.number || ': ' || p.promise_id AS offender FROM promise p JOIN sales_order o ON o.order_id = p.order_id "
        "WHERE p.outcome = 'open' AND (o.accepted_at IS NULL OR o.ended_at IS NOT NULL)",
    ),
    Invariant(
        "orders.kept_promises_came_in_time",
        "A promise is kept when its units came by their day, else it is broken.",
        "SELECT promise_id || ' is ' || outcome || ' by ' || ended_on AS offender FROM promise "
        "WHERE outcome IN ('kept', 'broken') AND (outcome = 'kept') <> "
        "(ended_on <= CASE WHEN promised_on = '' THEN first_on ELSE promised_on END)",
    ),
)

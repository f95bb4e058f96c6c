"""The invariants of orders, each as a query that finds who breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import select
from sqlmodel import Session, col

from services.orders.domain.exceptions import CARRIER_EXCEPTION, DEPOSIT_LEFT, OPEN, ExceptionFilter, ListedException
from services.orders.domain.holds import Hold
from services.orders.domain.order import Order
from services.orders.domain.status import derive, keep_since
from services.orders.domain.waiting import Asked
from services.orders.models import OrderRow
from services.orders.store import (
    audit_exchanges,
    audit_parcels,
    audit_promises,
    audit_returns,
    changes,
    counts,
    exceptions,
    holds,
    orders,
    progress,
    reviews,
)
from services.orders.store.progress import Kept
from services.runtime.audit import Finding, Invariant, find_all, finding_of
from services.runtime.roles import ANSWERS_OWN

_BATCH = 200
_BOUND = " AND ".join(f"d.role <> '{role}'" for role in ANSWERS_OWN)
"""A decision of a role that may not answer for its own orders."""


INVARIANTS = (
    Invariant(
        "orders.one_request_one_order",
        "A client request makes one order.",
        "SELECT MIN(number) || ' and ' || MAX(number) || ' answer one request' AS offender FROM sales_order "
        "GROUP BY request_scope, request_key HAVING COUNT(*) > 1",
    ),
    Invariant(
        "orders.event_log_without_gaps",
        "The event log of an order counts 1, 2, 3 and misses nothing.",
        "SELECT o.number || ' has counted ' || o.event_count || ' events and keeps ' || COUNT(e.sequence) AS offender "
        "FROM sales_order o LEFT JOIN order_event e ON e.order_id = o.order_id "
        "GROUP BY o.order_id, o.number, o.event_count "
        "HAVING COUNT(e.sequence) <> o.event_count OR COALESCE(MIN(e.sequence), 0) <> 1 "
        "OR COALESCE(MAX(e.sequence), 0) <> o.event_count",
    ),
    Invariant(
        "orders.total_adds_up",
        "total = lines - discount + freight + tax.",
        "SELECT o.number || ' is ' || o.total_minor AS offender FROM sales_order o "
        "LEFT JOIN (SELECT order_id, SUM(extended_minor) AS extended FROM order_line GROUP BY order_id) l "
        "ON l.order_id = o.order_id WHERE o.total_minor <> COALESCE(l.extended, 0) - o.discount_minor + o.freight_minor "
        "+ o.tax_minor OR o.merchandise_minor <> COALESCE(l.extended, 0)",
    ),
    Invariant(
        "orders.accepted_orders_have_their_tax",
        "An order is accepted only once its tax is known.",
        "SELECT number || ' is ' || phase || ' without its tax' AS offender FROM sales_order "
        "WHERE phase IN ('accepted', 'closed') AND taxation LIKE '%\"source\": \"pending\"%'",
    ),
    Invariant(
        "orders.every_order_has_lines",
        "An order has at least one line and its lines count 1, 2, 3.",
        "SELECT o.number AS offender FROM sales_order o LEFT JOIN order_line l ON l.order_id = o.order_id "
        "GROUP BY o.order_id, o.number HAVING COUNT(l.position) = 0 OR MAX(l.position) <> COUNT(l.position)",
    ),
    Invariant(
        "orders.line_ids_once",
        "A line id names one line of its order.",
        "SELECT o.number || ' has line ' || l.line_id || ' twice' AS offender FROM sales_order o "
        "JOIN order_line l ON l.order_id = o.order_id GROUP BY o.order_id, o.number, l.line_id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "orders.versions_without_gaps",
        "An order at version n keeps the n - 1 versions before it.",
        "SELECT o.number || ' is at version ' || o.version || ' and keeps ' || COUNT(v.version) AS offender "
        "FROM sales_order o LEFT JOIN order_version v ON v.order_id = o.order_id "
        "GROUP BY o.order_id, o.number, o.version "
        "HAVING COUNT(v.version) <> o.version - 1 OR COALESCE(MAX(v.version), 0) <> o.version - 1",
    ),
    Invariant(
        "orders.one_change_at_a_time",
        "An order has at most one change on its way, and that one starts from its current version.",
        "SELECT o.number || ' has ' || COUNT(*) || ' changes on their way' AS offender FROM sales_order o "
        "JOIN change_order c ON c.order_id = o.order_id AND c.ended_at IS NULL "
        "GROUP BY o.order_id, o.number, o.version HAVING COUNT(*) > 1 OR MIN(c.from_version) <> o.version",
    ),
    Invariant(
        "orders.applied_change_keeps_its_version",
        "A change that was applied keeps the version that it replaced, and no other change keeps one.",
        "SELECT o.number || ': change ' || c.change_id || ' is ' || c.state AS offender FROM change_order c "
        "JOIN sales_order o ON o.order_id = c.order_id LEFT JOIN order_version v "
        "ON v.order_id = c.order_id AND v.change_id = c.change_id AND v.version = c.from_version "
        "WHERE (c.state = 'applied') <> (v.version IS NOT NULL)",
    ),
    Invariant(
        "orders.phase_is_legal",
        "An order is cleared before it is accepted or closed, in review only with an open hold, review or change, and ended "
        "when it ended.",
        "SELECT o.number || ' is ' || o.phase AS offender FROM sales_order o "
        "WHERE (o.phase IN ('accepted', 'closed') AND o.cleared_at IS NULL) "
        "OR (o.phase IN ('received', 'in_review', 'rejected') AND o.cleared_at IS NOT NULL) "
        "OR (o.accepted_at IS NOT NULL AND o.cleared_at IS NULL) "
        "OR ((o.ended_at IS NOT NULL) <> (o.phase IN ('rejected', 'cancelled', 'closed', 'expired', 'failed'))) "
        "OR (o.phase = 'in_review' AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.order_id = o.order_id "
        "AND h.released_at IS NULL) AND NOT EXISTS (SELECT 1 FROM review r WHERE r.order_id = o.order_id "
        "AND r.state IN ('open', 'changes_requested')) AND NOT EXISTS (SELECT 1 FROM change_order c "
        "WHERE c.order_id = o.order_id AND c.ended_at IS NULL))",
    ),
    Invariant(
        "orders.review_short_of_people_is_open",
        "People are missed for a review that is open, and for no other.",
        "SELECT o.number || ' has exception ' || e.exception_id AS offender FROM business_exception e "
        "JOIN sales_order o ON o.order_id = e.order_id WHERE e.kind = 'review_short_of_people' AND e.resolved_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM review r WHERE r.review_id = e.subject_id AND r.state = 'open')",
    ),
    Invariant(
        "orders.ended_order_has_no_open_hold",
        "An order that has ended has no open hold, review, change or request to cancel.",
        "SELECT o.number || ' is ' || o.phase || ' with something open' AS offender FROM sales_order o "
        "WHERE o.phase IN ('rejected', 'cancelled', 'closed', 'expired', 'failed') AND (EXISTS (SELECT 1 FROM hold h WHERE h.order_id = o.order_id "
        "AND h.released_at IS NULL) OR EXISTS (SELECT 1 FROM cancellation c WHERE c.order_id = o.order_id "
        "AND c.state = 'requested') OR EXISTS (SELECT 1 FROM review r WHERE r.order_id = o.order_id "
        "AND r.state IN ('open', 'changes_requested')) OR EXISTS (SELECT 1 FROM change_order g "
        "WHERE g.order_id = o.order_id AND g.ended_at IS NULL))",
    ),
    Invariant(
        "orders.undeliverable_address_is_held",
        "An undeliverable address is an open exception as long as its hold is open.",
        "SELECT o.number || ' has exception ' || x.exception_id || ' and no hold' AS offender FROM business_exception x "
        "JOIN sales_order o ON o.order_id = x.order_id LEFT JOIN hold h ON h.hold_id = x.subject_id "
        "WHERE x.kind = 'undeliverable_address' AND x.resolved_at IS NULL AND (h.hold_id IS NULL OR h.released_at IS NOT NULL)",
    ),
    Invariant(
        "orders.received_mail_once",
        "An order asks for its first mail once and for its acceptance mail at most once.",
        "SELECT o.number || ' asked for ' || m.subject_id || ' ' || m.asked || ' times' AS offender FROM sales_order o "
        "JOIN (SELECT order_id, subject_id, COUNT(*) AS asked FROM outbox WHERE kind = 'notify' "
        "AND subject_id IN ('order_received', 'order_accepted', 'order_rejected', 'order_cancelled', 'backorder_created') "
        "GROUP BY order_id, subject_id) m ON m.order_id = o.order_id WHERE m.asked > 1",
    ),
    Invariant(
        "orders.approval_bound_to_a_version",
        "A decision is about the version that its step is about, and none that counts stands on a version to come.",
        "SELECT o.number || ': ' || d.decided_by || ' decided version ' || d.order_version AS offender FROM review_decision d "
        "JOIN review_step s ON s.step_id = d.step_id JOIN review r ON r.review_id = s.review_id "
        "JOIN sales_order o ON o.order_id = d.order_id WHERE NOT d.is_void AND (d.order_version <> s.order_version "
        "OR s.order_version <> r.order_version OR d.order_id <> s.order_id OR s.order_id <> r.order_id "
        "OR (d.order_version > o.version AND r.change_id = ''))",
    ),
    Invariant(
        "orders.no_approval_by_a_party",
        "Nobody approves an order that they entered, by their own right or by another's, nor for who entered it.",
        "SELECT o.number || ': approved by ' || d.decided_by AS offender FROM review_decision d "  # noqa: S608  # only our constants
        "JOIN sales_order o ON o.order_id = d.order_id WHERE d.decision = 'approve' AND NOT d.is_void "
        f"AND {_BOUND} AND (o.placed_by IN (d.decided_by, d.authority) OR o.on_behalf_of IN (d.decided_by, d.authority))",
    ),
    Invariant(
        "orders.no_approval_by_the_editor",
        "Nobody approves a version that they have proposed themselves.",
        "SELECT o.number || ': approved by ' || d.decided_by AS offender FROM review_decision d "  # noqa: S608  # only our constants
        "JOIN sales_order o ON o.order_id = d.order_id JOIN change_order c ON c.order_id = d.order_id "
        "AND c.to_version = d.order_version AND c.state = 'applied' "
        f"WHERE d.decision = 'approve' AND NOT d.is_void AND {_BOUND} AND c.proposed_by IN (d.decided_by, d.authority)",
    ),
    Invariant(
        "orders.distinct_people_approve",
        "Where authority is asked for, nobody and no right approves twice in one review.",
        "SELECT o.number || ': ' || x.who || ' approved ' || x.times || ' times' AS offender FROM ("
        "SELECT review_id, order_id, who, COUNT(*) AS times FROM ("
        "SELECT review_id, order_id, step_id, decided_by AS who FROM review_decision "
        "WHERE decision = 'approve' AND is_approval AND NOT is_void UNION "
        "SELECT review_id, order_id, step_id, authority AS who FROM review_decision "
        "WHERE decision = 'approve' AND is_approval AND NOT is_void) t GROUP BY review_id, order_id, who) x "
        "JOIN sales_order o ON o.order_id = x.order_id WHERE x.times > 1",
    ),
    Invariant(
        "orders.approved_review_has_its_approvals",
        "A review is approved by the approvals that its steps need, and by nothing else.",
        "SELECT o.number || ': ' || s.step_id || ' is approved by ' || COUNT(d.decision_id) || ' of ' || s.needed AS offender "
        "FROM review r JOIN review_step s ON s.review_id = r.review_id JOIN sales_order o ON o.order_id = r.order_id "
        "LEFT JOIN review_decision d ON d.step_id = s.step_id AND d.decision = 'approve' AND NOT d.is_void "
        "WHERE s.state = 'approved' OR (r.state = 'approved' AND s.state IN ('open', 'waiting')) "
        "GROUP BY o.number, s.step_id, s.needed, s.state HAVING COUNT(d.decision_id) < s.needed OR s.state <> 'approved'",
    ),
    Invariant(
        "orders.accepted_order_has_no_standing_review",
        "What is under way to its warehouses is asked about changes only.",
        "SELECT o.number AS offender FROM sales_order o JOIN review r ON r.order_id = o.order_id "
        "WHERE o.phase = 'accepted' AND r.change_id = '' AND r.state IN ('open', 'changes_requested')",
    ),
    Invariant(
        "orders.every_order_has_a_projection",
        "An order has one projection row.",
        "SELECT o.number AS offender FROM sales_order o LEFT JOIN order_progress p ON p.order_id = o.order_id "
        "WHERE p.order_id IS NULL",
    ),
)


def findings(session: Session) -> list[Finding]:
    """Every invariant of orders; late facts are shown with no violation, because they break nothing."""
    return [
        *find_all(session, INVARIANTS),
        *find_all(
            session,
            (
                *audit_returns.INVARIANTS,
                *audit_parcels.INVARIANTS,
                *audit_exchanges.INVARIANTS,
                *audit_promises.INVARIANTS,
            ),
        ),
        _cache_equals_derivation(session),
        _carrier_exceptions(session),
        _deposits_left(session),
        _late_facts(session),
    ]


def _cache_equals_derivation(session: Session) -> Finding:
    """The one rule that SQL cannot say: the words come from the facts by the domain, so the domain says them again."""
    rule = "The cached status words of an order are those that its facts derive to."
    return finding_of("orders.cache_equals_derivation", rule, list(_stale(session)))


def _stale(session: Session) -> Iterator[str]:
    last = ""
    while True:
        query = select(col(OrderRow.order_id)).where(col(OrderRow.order_id) > last)
        order_ids = list(session.scalars(query.order_by(col(OrderRow.order_id)).limit(_BATCH)))
        if not order_ids:
            return
        last = order_ids[-1]
        kept, held = progress.load_many(session, order_ids), holds.of_orders(session, order_ids)
        reviewed, changing = reviews.of_orders(session, order_ids), changes.pending_of(session, order_ids)
        for order in orders.load_many(session, order_ids):
            asked = Asked(reviewed.get(order.order_id, ()), changing.get(order.order_id))
            if order.order_id in kept and not _is_derived(
                order, kept[order.order_id], held.get(order.order_id, ()), asked
            ):
                yield f"{order.number} is shown as {kept[order.order_id].standing.status}"


def _is_derived(order: Order, kept: Kept, held: tuple[Hold, ...], asked: Asked) -> bool:
    derived = derive(order, kept.progress, held, kept.changed_at, asked)
    return keep_since(derived, kept.standing.waiting_for) == kept.standing and kept.is_asked == asked.is_anything


def _carrier_exceptions(session: Session) -> Finding:
    """A rule about the shipments of the projection, which no SQL of both databases reads."""
    rule = "An open carrier exception is of a shipment that is on its way still, or was said never to have left."
    return _finding_of_open(session, CARRIER_EXCEPTION, "orders.carrier_exception_is_on_its_way", rule, _is_on_its_way)


def _is_on_its_way(each: ListedException, kept: Kept) -> bool:
    shipment = kept.progress.shipments.get(each.found.subject_id)
    if shipment is None or shipment.state == "delivered":
        return False
    return shipment.state != "cancelled" or bool(shipment.exception_at)


def _deposits_left(session: Session) -> Finding:
    rule = "A deposit left is an open exception as long as cash is held for its order."
    return _finding_of_open(session, DEPOSIT_LEFT, "orders.deposit_left_is_held", rule, _holds_cash)


def _holds_cash(_each: ListedException, kept: Kept) -> bool:
    return kept.progress.held_minor > 0


def _finding_of_open(
    session: Session, kind: str, name: str, rule: str, has_cause: Callable[[ListedException, Kept], bool]
) -> Finding:
    """Open exceptions of a kind whose cause the projection does not have."""
    wanted, last, offenders = ExceptionFilter(OPEN, kind=kind), "", []
    while found := exceptions.listed(session, wanted, after=last, limit=_BATCH):
        last = found[-1].found.exception_id
        kept = progress.load_many(session, list({each.found.order_id for each in found}))
        for each in found:
            order = kept.get(each.found.order_id)
            if order is None or not has_cause(each, order):
                offenders.append(f"{each.order_number} has exception {each.found.exception_id}")
    return finding_of(name, rule, offenders)


def _late_facts(session: Session) -> Finding:
    count = counts.late_facts(session)
    notes = (f"for information: {count} facts came after their order had ended",) if count else ()
    return Finding("orders.late_facts", "Facts that come too late are kept, never dropped.", 0, notes)

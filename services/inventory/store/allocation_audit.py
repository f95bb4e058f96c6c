"""The invariants of queues and of what waiting orders hold."""

from services.runtime.audit import Invariant

ALWAYS = (
    Invariant(
        "inventory.gathering_waits",
        "only an active order that ships complete, of which nothing has shipped, keeps what it holds until the rest is there",
        """
        SELECT 'order ' || r.order_id || ' keeps its stock together and is ' || r.state AS offender
        FROM reservation r WHERE r.gathers_since IS NOT NULL AND (r.state <> 'active' OR NOT r.is_gathering OR NOT r.is_order_complete
           OR EXISTS (SELECT 1 FROM allocation a WHERE a.reservation_id = r.reservation_id AND a.shipped_quantity > 0))
        """,
    ),
)

IN_TIME = (
    Invariant(
        "inventory.queues_are_ranked",
        "every waiting backorder has its place under the allocation policy in force within the grace of a batch",
        """
        SELECT b.backorder_id || ' of order ' || b.order_id || ' is ranked by version ' || b.ranked_version AS offender
        FROM backorder b JOIN allocation_policy p ON p.put_at < :overdue AND b.ranked_version < p.version
        WHERE b.waiting_quantity > 0
        """,
    ),
)

"""After somebody has decided: its workflow is refreshed at once, or by the relay later."""

from __future__ import annotations

from anyio import from_thread

from gateway.http.plumbing.deps import Deps
from services.orders.order import lookup, outbox
from services.runtime.grpc_client import Unreachable
from workflows.messages import Acknowledged, ClearanceRefresh


def hand_over(deps: Deps, order_id: str, update: str, subject_id: str, intent_id: str) -> Acknowledged | None:
    """Let the order's workflow see what was just committed; None when it did not answer, and the relay tries later.

    `update` is decide, consent or amend; `intent_id` is what outbox.refresh() gave in the transaction. To be called from a
    threaded handler, outside any transaction.
    """
    with deps.database.reading() as session:
        number = lookup.number_of(session, order_id)
        act = outbox.act_behind(session, intent_id)
    try:
        acknowledged = from_thread.run(
            deps.workflows.refresh,
            number,
            update,
            ClearanceRefresh(subject_id, act.who, act.what),
            intent_id,
            deps.settings.refresh_timeout,
        )
    except Unreachable:
        return None
    if acknowledged is not None:
        with deps.database.transaction() as session:
            outbox.mark_done(session, intent_id)
    return acknowledged

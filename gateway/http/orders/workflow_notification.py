"""After somebody has decided: the workflow looks at once, or the relay lets it look later."""

from __future__ import annotations

from anyio import from_thread

from gateway.http.plumbing.deps import Deps
from services.orders.order import lookup, outbox
from services.runtime.grpc_client import Unreachable
from workflows.messages import Look, Seen


def hand_over(deps: Deps, order_id: str, update: str, subject_id: str, intent_id: str) -> Seen | None:
    """Let the order's workflow see what was just committed; None when it did not answer, and the relay tries later.

    `update` is decide, consent or amend; `intent_id` is what outbox.look() gave in the transaction. To be called from a
    threaded handler, outside any transaction.
    """
    with deps.database.reading() as session:
        number = lookup.number_of(session, order_id)
    try:
        seen = from_thread.run(
            deps.workflows.look, number, update, Look(subject_id), intent_id, deps.settings.look_timeout
        )
    except Unreachable:
        return None
    if seen is not None:
        with deps.database.transaction() as session:
            outbox.mark_done(session, intent_id)
    return seen

"""Letting go what is authorized for an order and will not be captured, inside the caller's transaction.

From then on nobody captures from it; the provider is told until it has answered, and nobody waits for that.
"""

from datetime import datetime

from sqlmodel import Session

from services.billing.domain.cards import ASKED, VOID, Authorization, Operation, operation_id
from services.billing.store import authorizations, credit, invoices, operations


def let_go_if_over(session: Session, order_id: str, now: datetime) -> None:
    """Let go every authorization of an order of which nothing is left to be billed, and nothing billed is left to be captured.

    A fee keeps a hold while its capture has no answer, and none once that has failed.
    """
    known = operations.of_order(session, order_id)
    if not known or not _is_over(session, order_id, known):
        return
    operations.abandon(session, order_id)
    for authorization in authorizations.of_order(session, order_id):
        let_go(session, authorization, known[0].customer_id, now)


def let_go(session: Session, authorization: Authorization, customer_id: str, now: datetime) -> None:
    """Let one authorization go, unless a capture that takes from it has no answer yet, or it is gone."""
    if not authorizations.close_unless_taken(session, authorization.authorization_id):
        return
    operations.add(
        session,
        Operation(
            operation_id(VOID, authorization.authorization_id, 0),
            VOID,
            authorization.order_id,
            customer_id,
            authorization.free,
            ASKED,
            now,
            authorization.authorization_id,
        ),
    )


def _is_over(session: Session, order_id: str, known: list[Operation]) -> bool:
    held = credit.commitment(session, order_id)
    if held is not None and held.remaining.minor:
        return False
    captures = {one.subject_id: one for one in known if one.is_card_capture}
    if any(one.is_asked for one in captures.values()):
        return False
    found = invoices.open_of_orders(session, [order_id])
    return all(one.invoice_id in captures for one in found if not one.fee_id)

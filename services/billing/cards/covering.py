"""What the servicer has done with cards: an order's authorization before it is committed, another card, and captures."""

from dataclasses import replace
from datetime import datetime

from google.protobuf.message import Message
from sqlmodel import Session

from services.billing.cards import planning
from services.billing.cards.desk import CardDesk
from services.billing.domain.cards import UNAVAILABLE
from services.billing.domain.credit import CARD, CreditRequest, Decision
from services.billing.domain.invoices import Invoice
from services.billing.store import credit, exchanges, invoices, waits
from services.kernel.errors import Conflict, NotFound, Refused
from services.runtime import idempotency

NOT_TAKEN = "no card is taken here: billing has no payment provider"


def check_taken(desk: CardDesk) -> None:
    """Refused CARDS_NOT_TAKEN where there is no provider: nobody could say whether the card is good."""
    if not desk.is_open:
        raise Refused("CARDS_NOT_TAKEN", f"{NOT_TAKEN}; pay the order another way")


def cover(desk: CardDesk, request_id: str, request: Message, asked: CreditRequest, token: str) -> None:
    """Authorize an order by card before it is committed, unless the request has its answer.

    Conflict PROVIDER_AWAY while nobody knows whether it is authorized: the same request goes on from there.
    """
    if asked.payment_method != CARD or not desk.is_open:
        return
    with desk.database.reading() as session:
        if request_id and idempotency.earlier(session, desk.database.metadata, request_id, request) is not None:
            return
    if not desk.cover(asked, token):
        raise Conflict("PROVIDER_AWAY", "the payment provider has not answered yet: send the same request again")


def said(desk: CardDesk, decision: Decision) -> Decision:
    """The decision; of an order that waits for a card, whether there is anybody to authorize one."""
    is_stuck = bool(decision.card) and not decision.is_granted and not desk.is_open
    return replace(decision, card=UNAVAILABLE) if is_stuck else decision


def give(session: Session, order_id: str, token: str, now: datetime) -> str:
    """The operation that authorizes another card for an order; empty when nothing of it is left to authorize."""
    held, waiting = credit.commitment(session, order_id), waits.of_order(session, order_id)
    if held is not None:
        credit.take_or_open(session, held.customer_id, held.amount.currency)
    elif waiting is not None:
        credit.take_or_open(session, waiting.request.customer_id, waiting.request.amount.currency)
    operation = planning.give(session, order_id, token, now)
    return operation.operation_id if operation else ""


def capture(session: Session, order_id: str, shipment_id: str, token: str, now: datetime) -> list[str]:
    """The operations that capture what a shipment's invoice has open, or all invoices of the order.

    None for a shipment in place of returned goods of which nothing is charged.
    """
    if shipment_id:
        wanted = _of_shipment(session, order_id, shipment_id)
    else:
        wanted = invoices.open_of_orders(session, [order_id])
    if not wanted:
        return []
    credit.take_or_open(session, wanted[0].customer_id, wanted[0].total.currency)
    fresh = invoices.by_ids(session, [one.invoice_id for one in wanted])
    begun = [planning.capture(session, fresh[one.invoice_id], token, now) for one in wanted]
    return [operation.operation_id for operation in begun if operation]


def _of_shipment(session: Session, order_id: str, shipment_id: str) -> list[Invoice]:
    invoice = invoices.of_shipment(session, shipment_id)
    if invoice is None and exchanges.is_known(session, shipment_id):
        return []
    if invoice is None or invoice.order_id != order_id:
        raise NotFound("INVOICE_NOT_FOUND", f"shipment {shipment_id} of the order has no invoice: issue it first")
    return [invoice]

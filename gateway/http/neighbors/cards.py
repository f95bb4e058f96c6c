"""Cards of orders: another one given, and captures asked for again. A card is a token of the provider; its number never comes here."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import Once, OnceWithKey
from gateway.http.plumbing.inputs import Input, example
from gateway.http.plumbing.parameters import OrderReference
from oms.billing.v1 import billing_pb2 as pb
from services.orders.access.matrix import Caller
from services.orders.domain.access import EVERYTHING
from services.orders.order import cards, lookup
from services.orders.order.aggregate import Actor

router = APIRouter(tags=["payments"])

CardToken = Annotated[str, StringConstraints(pattern=r"^pm_[A-Za-z0-9_]{1,200}$", max_length=203)]


class CardInput(Input):
    """A card, as the payment provider's own form on your page gave it."""

    token: CardToken = Field(description="The provider's token of the card; no answer gives it back.")

    model_config = example(token="pm_card_visa")  # noqa: S106  # a token that everybody knows


class CardStanding(BaseModel):
    """What became of a card."""

    order_id: str
    card: Literal["authorized", "declined", "asked", "nothing"] = Field(
        description="asked: the provider has not answered yet, and the order goes on by itself when it does. "
        "nothing: nothing is left to authorize, or nobody has asked for the order's money yet."
    )
    decline_reason: str | None = Field(description="The provider's word, such as insufficient_funds.")


class Captures(BaseModel):
    """What became of captures."""

    order_id: str
    state: Literal["captured", "asked", "failed", "nothing"]
    reason: str | None = Field(description="Why one failed.")


@router.post("/v1/orders/{order_id}/card", response_model=CardStanding)
def give_card(deps: DepsOf, who: CallerOf, order_id: OrderReference, body: CardInput, once: OnceWithKey) -> Response:
    """Pay an order by another card: what is left of it is authorized, and a hold on its payment goes by itself.

    A card that is declined takes the place of none.
    """
    return once.answer(body, lambda _: give(deps, who, order_id, body, once), 200)


def give(deps: Deps, who: Caller, order_id: str, body: CardInput, once: Once) -> CardStanding:
    """Note a card for an order, have it authorized, and record what became of it; a repeat goes on from where it was.

    Raises what services.orders.order.cards.give() does.
    """
    actor = Actor(who.principal.sub, who.role)

    def given(session: Session) -> tuple[str, ...]:
        order = cards.give(session, order_id, who.scope, once.request_id, body.token, actor, deps.clock())
        return (order.order_id,)

    (found_id,) = once.perform(body, given)
    done = _authorize(deps, found_id, once.request_id, body.token)
    shape = {"order_id": found_id, "card": done.card, "decline_reason": done.decline_reason or None}
    return CardStanding.model_validate(shape)


def _authorize(deps: Deps, order_id: str, request_id: str, token: str) -> pb.AuthorizeCardResponse:
    """Have a card that was given authorized, once, and record what became of it."""
    wanted = pb.AuthorizeCardRequest(request_id=request_id, order_id=order_id, card_token=token)
    done = deps.billing.AuthorizeCard(wanted)
    with deps.database.transaction() as session:
        cards.record(session, order_id, request_id, done.card, deps.clock())
    return done


@router.post("/v1/orders/{order_id}/captures", response_model=Captures)
def capture_order(deps: DepsOf, order_id: OrderReference, once: OnceWithKey) -> Response:
    """Capture again what the order's invoices have open and what failed before."""

    def act(request_id: str) -> Captures:
        with deps.database.reading() as session:
            order = lookup.load_order(session, lookup.find_id(session, order_id), EVERYTHING)
            given = cards.given(session, order.order_id)
        for one in given:
            _authorize(deps, order.order_id, one.request_id, one.token)
        with deps.database.reading() as session:
            token = cards.token_of(session, order.order_id)
        wanted = pb.CaptureInvoiceRequest(request_id=request_id, order_id=order.order_id, card_token=token)
        done = deps.billing.CaptureInvoice(wanted)
        shape = {"order_id": order.order_id, "state": done.state, "reason": done.reason or None}
        return Captures.model_validate(shape)

    return once.answer(None, act, 200)

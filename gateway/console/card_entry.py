"""Another card for an order that waits for one: entered at the payment provider, and used here as a program's token is."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from gateway.console import checkouts
from gateway.console.notices import leave
from gateway.console.orders import NumberOf
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.neighbors import cards
from gateway.http.plumbing.idempotency import Once
from gateway.http.plumbing.inputs import IDENTITY
from services.orders.domain.order import Order
from services.orders.order import lookup

router = APIRouter()

CheckoutOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]
Returned = Literal["", "yes"]
_NOTICES = {
    "authorized": "card_accepted",
    "declined": "card_declined",
    "asked": "card_asked",
    "nothing": "card_kept",
}


@router.post("/my/orders/{number}/card")
def enter_card(form: FormOf, number: NumberOf) -> Response:
    """Begin a page on which a card is entered for the order."""
    order = _order(form.visitor, number)
    return checkouts.begin(form.visitor, _page(order), order_id=order.order_id)


@router.get("/my/orders/{number}/card/{checkout_id}")
def entered_card(who: VisitorOf, number: NumberOf, checkout_id: CheckoutOf, returned: Returned = "") -> Response:
    """The link to the provider's page; once a card was entered there, the order is paid with it, however often somebody comes."""
    order = _order(who, number)
    home = f"/my/orders/{order.number}"
    if order.has_ended:
        return leave(RedirectResponse(home, 303), who.deps.console, "card_unused", order.number)
    page = checkouts.read(who, checkout_id, order.order_id)
    if not page.token:
        heading = f"Enter a card for {order.number}"
        return render(
            "checkout.html", who, page=page, is_returned=bool(returned), heading=heading, home=home, begin=_page(order)
        )  # fmt: skip
    once = Once(who.deps, "card entry", f"checkout/{checkout_id}", is_keyed=True)
    standing = cards.give(who.deps, who.caller, order.order_id, cards.CardInput(token=page.token), once)
    return leave(RedirectResponse(home, 303), who.deps.console, _NOTICES[standing.card], order.number)


def _order(who: Visitor, number: str) -> Order:
    with who.deps.database.reading() as session:
        return lookup.load_order(session, lookup.find_id(session, number, who.caller.scope), who.caller.scope)


def _page(order: Order) -> str:
    return f"/my/orders/{order.number}/card"

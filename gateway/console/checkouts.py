"""Pages of the payment provider on which customers enter cards: begun, linked to, and read when their person comes back.

A browser that is redirected there after a form would be stopped by our own Content-Security-Policy, so a page of ours links to it. That
somebody comes back says nothing: what became of the page is read at the provider.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi.responses import RedirectResponse

from gateway.console.accounting.values import money
from gateway.console.visitor import Visitor
from oms.billing.v1 import billing_pb2 as pb
from services.kernel.ids import new_id
from services.kernel.money import Money

RETURNED = "returned=yes"


@dataclass(frozen=True, slots=True)
class CheckoutShown:
    """A page at the provider: asked, open, complete or expired; `token` is the card that was entered, `is_away` who does not say so."""

    checkout_id: str
    state: str
    url: str
    amount: Money
    token: str = ""
    is_away: bool = False


def takes_cards(who: Visitor) -> bool:
    """Whether there is a provider at which cards are entered."""
    return bool(who.deps.settings.stripe_webhook_secret)


def begin(who: Visitor, home: str, *, order_id: str = "", invoice_id: str = "") -> RedirectResponse:
    """Have a page shown that leads back below `home`, and lead to the page of ours that links to it."""
    back = f"{who.deps.console.public_url}{home}/{{checkout_id}}?{RETURNED}"
    wanted = pb.OpenCheckoutRequest(request_id=new_id("req"), order_id=order_id, invoice_id=invoice_id, return_url=back)
    begun = who.deps.billing.OpenCheckout(wanted).checkout
    return RedirectResponse(f"{home}/{begun.checkout_id}", 303)


def read(who: Visitor, checkout_id: str, subject_id: str) -> CheckoutShown:
    """What became of a page of an order or an invoice; NotFound for any other."""
    found = who.deps.billing.ReadCheckout(pb.ReadCheckoutRequest(checkout_id=checkout_id, subject_id=subject_id))
    known = found.checkout
    return CheckoutShown(
        known.checkout_id,
        known.state,
        known.url,
        money(known.amount, known.amount.currency),
        found.card_token,
        found.is_away or known.state == "asked",
    )

"""A desk with a payment provider: Stripe's stand-in on a free port, and one clock for both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from oms.billing.v1 import billing_pb2 as pb
from services.billing.cards.asker import Asker
from services.billing.cards.desk import CardDesk
from services.billing.cards.patience import Patience
from services.billing.cards.stripe_provider import StripeProvider
from services.billing.fake_stripe.server import FakeStripe
from services.billing.servicer import BillingServicer
from services.billing.store import operations
from services.runtime.db import Database
from tests.billing.desk import CONTEXT, NOW, Desk, order_of
from tests.billing.messages import usd

BUSY_S = 30.0
"""How long the answer of a provider that is there is waited for: a busy machine may need longer than a caller of billing waits."""
VISA = "pm_card_visa"
POOR = "pm_card_visa_chargeDeclinedInsufficientFunds"
GOOD_CARD, DECLINED_CARD, LATER_DECLINED_CARD = "4242 4242 4242 4242", "4000000000000002", "4000000000000341"
ORDER = order_of({"1": (10, "100.00")}, payment_method="card")
"""1,000.00 in all."""


class Till(Desk):
    """Somebody who asks billing about cards; `stripe` is the provider, `asker` what asks it in the background, run by hand."""

    def __init__(self, database: Database, stripe: FakeStripe) -> None:
        super().__init__(database)
        self.stripe = stripe
        stripe.clock = self.clock
        self.provider = StripeProvider("sk_test_1", stripe.url)
        self.cards = CardDesk(database, self.provider, self.clock, Patience(BUSY_S))
        self.asker = Asker(self.cards)
        self.billing = BillingServicer(database, self.clock, self.cards)

    def clock(self) -> datetime:
        return self.now

    def later(self, span: timedelta) -> None:
        """Let time pass, and what is due be asked until nothing moves."""
        self.now += span
        while self.asker.ask_once():
            pass

    def settle(self) -> None:
        """Everything that the provider owes an answer to gets one."""
        for _ in range(8):
            self.later(timedelta(minutes=2))

    def commit_card(
        self, minor: int = 100_000, token: str = VISA, order_id: str = "ord_1", request_id: str = ""
    ) -> pb.CommitCreditResponse:
        request = pb.CommitCreditRequest(
            request_id=request_id or self._id(),
            order_id=order_id,
            customer_id="cus_acme",
            amount=usd(minor),
            payment_method="card",
            card_token=token,
        )
        return self.billing.CommitCredit(request, CONTEXT)

    def adjust_card(self, minor: int, token: str = VISA, *, is_forced: bool = False) -> pb.AdjustCreditResponse:
        request = pb.AdjustCreditRequest(
            request_id=self._id(),
            order_id="ord_1",
            customer_id="cus_acme",
            amount=usd(minor),
            payment_method="card",
            card_token=token,
            is_forced=is_forced,
        )
        return self.billing.AdjustCredit(request, CONTEXT)

    def give_card(self, token: str, request_id: str = "") -> pb.AuthorizeCardResponse:
        request = pb.AuthorizeCardRequest(request_id=request_id or self._id(), order_id="ord_1", card_token=token)
        return self.billing.AuthorizeCard(request, CONTEXT)

    def capture(self, shipment_id: str, token: str = VISA, request_id: str = "") -> pb.CaptureInvoiceResponse:
        request = pb.CaptureInvoiceRequest(
            request_id=request_id or f"order/ord_1/capture/{shipment_id}",
            order_id="ord_1",
            shipment_id=shipment_id,
            card_token=token,
        )
        return self.billing.CaptureInvoice(request, CONTEXT)

    def ship(self, shipment_id: str, quantity: int) -> pb.Invoice:
        return self.invoice(ORDER, shipment_id, {"1": quantity})

    def open_page(self, *, order_id: str = "", invoice_id: str = "", request_id: str = "") -> pb.Checkout:
        """A page for an order that waits for a card, or for an invoice; "/back/{checkout_id}" is where it leads back to."""
        request = pb.OpenCheckoutRequest(
            request_id=request_id or self._id(),
            order_id=order_id,
            invoice_id=invoice_id,
            return_url="http://shop.example/back/{checkout_id}",
        )
        return self.billing.OpenCheckout(request, CONTEXT).checkout

    def read_page(self, page: pb.Checkout) -> pb.ReadCheckoutResponse:
        subject = page.invoice_id or page.order_id
        return self.billing.ReadCheckout(
            pb.ReadCheckoutRequest(checkout_id=page.checkout_id, subject_id=subject), CONTEXT
        )

    def enter(self, page: pb.Checkout, number: str = GOOD_CARD) -> httpx.Response:
        """Somebody sends the form of the provider's page."""
        return httpx.post(page.url, data={"number": number}, follow_redirects=False, trust_env=False)

    def hear(self, event: dict[str, Any]) -> bool:
        """An event of the provider comes; whether it is new."""
        subject = event["data"]["object"]
        is_itself = subject["object"] in ("payment_intent", "checkout.session")
        provider_id = subject["id"] if is_itself else subject["payment_intent"]
        request = pb.RecordProviderEventRequest(event_id=event["id"], kind=event["type"], provider_id=provider_id)
        return self.billing.RecordProviderEvent(request, CONTEXT).is_new

    def card(self) -> dict[str, int | str]:
        """What the order's money says of its card."""
        found = self.billing.GetOrderMoney(pb.GetOrderMoneyRequest(order_id="ord_1", currency="USD"), CONTEXT)
        amounts = ("authorized", "captured", "refunded")
        return {**{name: getattr(found, name).minor_units for name in amounts}, "card": found.card}

    def without_an_answer(self) -> list[str]:
        """Ids of operations that nobody knows the answer of."""
        with self.database.reading() as session:
            return list(operations.due(session, self.now + timedelta(days=1), 100))

    def at_stripe(self) -> dict[str, int]:
        """What the provider has: open authorizations, captured, refunded, in minor units."""
        intents = self.stripe.state.all("payment_intent")
        charges = self.stripe.state.all("charge")
        return {
            "authorized": sum(one["amount_capturable"] for one in intents),
            "captured": sum(one["amount_captured"] for one in charges),
            "refunded": sum(one["amount_refunded"] for one in charges),
        }


@contextmanager
def stripe_in(folder: Path) -> Iterator[FakeStripe]:
    """The stand-in, for the time of the block."""
    fake = FakeStripe(folder / "stripe.db", key="sk_test_1", webhook_secret="whsec_test", clock=lambda: NOW)
    fake.start()
    try:
        yield fake
    finally:
        fake.stop()

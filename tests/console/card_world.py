"""A console over orders, billing and the payment provider's stand-in, with an order of Acme that waits for a card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from oms.billing.v1 import billing_pb2 as pb
from services.billing.cards.asker import Asker
from services.billing.cards.desk import CardDesk
from services.billing.cards.patience import Patience
from services.billing.cards.stripe_provider import StripeProvider
from services.billing.fake_stripe.server import FakeStripe
from services.billing.servicer import BillingServicer
from services.runtime.db import Database
from tests.billing.card_desk import BUSY_S, GOOD_CARD, POOR
from tests.billing.desk import order_of
from tests.billing.messages import usd
from tests.console.money_world import Local
from tests.console.test_accounting import plain
from tests.console.world import Browser, ConsoleWorld, build

KEY = "sk_test_console"


@dataclass
class CardWorld:
    """The console, billing, the provider, what asks it by hand, and the order: its number and id."""

    console: ConsoleWorld
    billing: BillingServicer
    stripe: FakeStripe
    asker: Asker
    number: str
    order_id: str

    @property
    def page(self) -> str:
        """The order's page."""
        return f"/my/orders/{self.number}"

    def card(self) -> str:
        """How billing says that the order's card stands."""
        wanted = pb.GetOrderMoneyRequest(order_id=self.order_id, currency="USD")
        return str(self.billing.GetOrderMoney(wanted, cast(Any, None)).card)

    def address(self) -> str:
        """Where the provider's newest page is."""
        return str(self.stripe.state.all("checkout.session")[0]["url"])

    def enter(self, number: str = GOOD_CARD) -> str:
        """Enter a card on the provider's newest page; where that leads to."""
        sent = httpx.post(self.address(), data={"number": number}, follow_redirects=False, trust_env=False)
        return str(sent.headers.get("location", "")).removeprefix("http://console.example")

    def invoice(self, units: int, customer_id: str = "cus_acme") -> pb.Invoice:
        """An invoice over 100.00 a unit, on terms."""
        order = order_of({"1": (10, "100.00")}, order_id=f"ord_of_{customer_id}", customer_id=customer_id)
        request = pb.IssueInvoiceRequest(
            request_id=f"{customer_id}/{units}", order=order, shipment_id=f"shp_{customer_id}_{units}"
        )
        request.lines.add(line_id="1", sku="SKU-1", quantity=units)
        request.shipped_at_micros = 1_770_000_000_000_000
        return self.billing.IssueInvoice(request, cast(Any, None)).invoice

    def payments(self) -> list[int]:
        """What was paid, in cents, the oldest first."""
        found = self.billing.ListPayments(pb.ListPaymentsRequest(), cast(Any, None)).payments
        return [one.amount.minor_units for one in found]


@contextmanager
def card_world(orders: Database, cash: Database, folder: Path, **console: Any) -> Iterator[CardWorld]:
    """Everything for the time of the block."""
    stripe = FakeStripe(folder / "stripe.db", key=KEY)
    stripe.start()
    desk = CardDesk(cash, StripeProvider(KEY, stripe.url), patience=Patience(BUSY_S))
    billing = BillingServicer(cash, desk=desk)
    try:
        world = build(orders, folder / "keys", with_billing=Local(billing), takes_cards=True, **console)
        order = world.desk.place(("PUMP", 1), payment_method="card")
        made = CardWorld(world, billing, stripe, Asker(desk), order.number, order.order_id)
        waits = pb.CommitCreditRequest(
            request_id="commit", order_id=order.order_id, customer_id="cus_acme", amount=usd(10_000), payment_method="card", card_token=POOR
        )  # fmt: skip
        billing.CommitCredit(waits, cast(Any, None))
        yield made
    finally:
        stripe.stop()


async def notice(customer: Browser, path: str) -> str:
    """What the page behind an address says was done."""
    answer = await customer.get(path)
    assert answer.status_code == 303, plain(answer.text)
    shown = (await customer.get(answer.headers["Location"])).text
    return plain(re.findall(r'role="status"[^>]*>(.*?)</', shown, re.DOTALL)[0])

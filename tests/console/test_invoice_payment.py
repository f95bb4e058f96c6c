"""An open invoice paid by card, by the customer whom it was sent to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from oms.billing.v1 import billing_pb2 as pb
from tests.billing.card_desk import DECLINED_CARD
from tests.billing.messages import usd
from tests.console.card_world import CardWorld, notice
from tests.console.money_world import Local
from tests.console.test_accounting import plain
from tests.console.world import BASE, Browser, build


async def begun(customer: Browser, invoice: pb.Invoice) -> str:
    """Our page that links to the provider's, opened by the button beside the invoice."""
    sent = await customer.send("/my", f"/my/invoices/{invoice.number}/payment")
    assert sent.status_code == 303, sent.text
    return str(sent.headers["Location"])


def wired(cards: CardWorld, invoice: pb.Invoice, minor: int) -> None:
    """The invoice is paid otherwise."""
    request = pb.RecordPaymentRequest(
        request_id="wire", customer_id="cus_acme", amount=usd(minor), reference="WIRE-1",
        applications=[pb.PaymentApplication(invoice_id=invoice.invoice_id, amount=usd(minor))],
    )  # fmt: skip
    cards.billing.RecordPayment(request, cast(Any, None))


async def test_an_open_invoice_is_paid_by_card_for_exactly_what_is_open(cards: CardWorld) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    wired(cards, invoice, 10_000)
    page = await begun(customer, invoice)
    shown = plain((await customer.get(page)).text)
    back = cards.enter()
    said = await notice(customer, back)
    after = plain((await customer.get("/my")).text)

    assert "You pay 300.00 USD on the page of our payment provider" in shown
    assert back == f"{page}?returned=yes"
    assert said == f"Invoice {invoice.number} is paid by card. Thank you."
    assert "Pay by card" not in after
    assert sorted(cards.payments()) == [10_000, 30_000]


async def test_who_comes_back_twice_or_after_the_asker_has_paid_once(cards: CardWorld) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    await begun(customer, invoice)
    back = cards.enter()
    cards.asker.ask_once()

    said = [await notice(customer, back) for _ in range(2)]

    assert said == [f"Invoice {invoice.number} is paid by card. Thank you."] * 2
    assert cards.payments() == [40_000]


async def test_who_comes_back_without_paying_is_told_so(cards: CardWorld) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    page = await begun(customer, invoice)
    cards.enter(DECLINED_CARD)

    back = await customer.get(f"{page}?returned=yes")

    assert back.status_code == 200
    assert "Nothing has been paid." in back.text
    assert cards.address() in back.text
    assert cards.payments() == []


async def test_a_provider_that_is_away_is_said_to_be_and_the_payment_is_recorded_later(cards: CardWorld) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    await begun(customer, invoice)
    back = cards.enter()
    cards.stripe.switches.turn("away", 1)

    silent = await customer.get(back)
    paid_before = cards.payments()
    cards.asker._desk.clock = lambda: datetime.now(UTC) + timedelta(minutes=1)
    cards.asker.ask_once()

    assert silent.status_code == 200
    assert "a payment is recorded by itself once it answers. You need not pay again" in plain(silent.text)
    assert (paid_before, cards.payments()) == ([], [40_000])


async def test_a_page_that_was_made_up_or_is_anothers_is_a_sentence(cards: CardWorld) -> None:
    mine, other = cards.invoice(4), cards.invoice(6)
    bolts = cards.invoice(3, "cus_bolt")
    customer, stranger = cards.console.browser("customer"), cards.console.browser("customer", company="cus_bolt")
    page = await begun(customer, mine)
    cards.enter()

    asked = [
        await customer.get(f"/my/invoices/{mine.number}/payment/chk_forged?returned=yes"),
        await customer.get(page.replace(mine.number, other.number)),
        await stranger.get(page),
        await stranger.get(page.replace(mine.number, bolts.number)),
        await customer.client.post(f"{BASE}/my/invoices/{bolts.number}/payment", data={"csrf": customer.csrf}),
    ]

    assert [one.status_code for one in asked] == [404] * 5
    assert "There is no such payment page here: start again." in plain(asked[0].text)
    assert f"You have no invoice {bolts.number}: look it up in your balance." in plain(asked[4].text)
    assert cards.payments() == []


async def test_an_invoice_that_was_paid_otherwise_meanwhile_is_refused_with_a_sentence(cards: CardWorld) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    cards.invoice(1)
    await customer.get("/my")
    wired(cards, invoice, 40_000)

    late = await customer.client.post(
        f"{BASE}/my/invoices/{invoice.number}/payment", data={"csrf": customer.csrf}, headers={"Referer": f"{BASE}/my"}
    )

    assert late.status_code == 409
    assert f"{invoice.number} has nothing open: there is nothing to pay." in plain(late.text)


async def test_an_invoice_that_was_paid_otherwise_meanwhile_has_no_link_to_the_provider(cards: CardWorld) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    page, address = await begun(customer, invoice), cards.address()
    wired(cards, invoice, 40_000)
    cards.stripe.switches.turn("away", 1)
    silent = await customer.get(page)
    said = await notice(customer, page)
    balance = (await customer.get("/my")).text

    assert silent.status_code == 200
    assert said == f"Invoice {invoice.number} has nothing open any more. Your card is not charged for it."
    assert address not in silent.text + balance
    assert "Pay by card" not in balance
    assert cards.stripe.state.all("checkout.session")[0]["status"] == "expired"


async def test_an_invoice_that_was_paid_in_part_meanwhile_has_no_link_to_a_page_for_all_of_it(
    cards: CardWorld,
) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    page, address = await begun(customer, invoice), cards.address()
    wired(cards, invoice, 10_000)
    shown = await customer.get(page)

    assert "The provider’s page has ended, and nothing was paid on it. Start again." in shown.text
    assert address not in shown.text
    assert await begun(customer, invoice) != page


async def test_a_page_that_the_provider_refuses_is_a_sentence(cards: CardWorld) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    await customer.get("/my")
    cards.stripe.switches.turn("refuse", 1)

    refused = await customer.client.post(
        f"{BASE}/my/invoices/{invoice.number}/payment", data={"csrf": customer.csrf}, headers={"Referer": f"{BASE}/my"}
    )

    assert refused.status_code == 409
    words = "The payment provider does not show this page: start again, or pay another way."
    assert words in plain(refused.text)


async def test_what_is_paid_for_an_invoice_that_was_paid_otherwise_is_left_over_where_accounting_sees_it(
    cards: CardWorld,
) -> None:
    invoice, customer = cards.invoice(4), cards.console.browser("customer")
    await begun(customer, invoice)
    wired(cards, invoice, 40_000)
    said = await notice(customer, cards.enter())

    [payment] = [one for one in _payments(cards) if one.is_by_card]
    shown = plain((await cards.console.browser("accounting").get(f"/accounting/payments/{payment.payment_id}")).text)

    assert said == f"Invoice {invoice.number} is paid by card. Thank you."
    assert payment.unapplied.minor_units == 40_000
    assert "Refund" in shown


def _payments(cards: CardWorld) -> list[pb.Payment]:
    return list(cards.billing.ListPayments(pb.ListPaymentsRequest(), cast(Any, None)).payments)


async def test_nothing_is_offered_where_no_card_is_taken(cards: CardWorld, tmp_path: Path) -> None:
    cards.invoice(4)
    nowhere = build(cards.console.database, tmp_path / "keys", with_billing=Local(cards.billing)).browser("customer")

    pages = [(await one.get("/my")).text for one in (cards.console.browser("customer"), nowhere)]

    assert ["Pay by card…" in page for page in pages] == [True, False]

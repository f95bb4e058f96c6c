"""Another card for an order, entered by its customer at the payment provider."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.orders.lifecycle import cancel
from services.orders.order.cards import token_of
from tests.billing.card_desk import LATER_DECLINED_CARD
from tests.console.card_world import CardWorld, notice
from tests.console.money_world import Local
from tests.console.test_accounting import plain
from tests.console.world import BASE, Browser, build
from tests.orders.desk import BUYER


async def begun(cards: CardWorld, customer: Browser) -> str:
    """Our page that links to the provider's, opened by the button of the order's page."""
    sent = await customer.send(cards.page, f"{cards.page}/card")
    assert sent.status_code == 303, sent.text
    return str(sent.headers["Location"])


def kept(cards: CardWorld) -> str:
    with cards.console.database.reading() as session:
        return token_of(session, cards.order_id)


async def test_a_card_that_is_entered_at_the_provider_pays_the_order(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    before = plain((await customer.get(cards.page)).text)
    page = await begun(cards, customer)
    shown = await customer.get(page)
    back = cards.enter()
    said = await notice(customer, back)
    after = plain((await customer.get(cards.page)).text)

    assert "Waiting on your card: it was declined (insufficient funds)" in before
    assert f'href="{cards.address()}"' not in shown.text  # it has ended since
    assert re.search(r'href="http://127\.0\.0\.1:\d+/c/pay/cs_test_\w+" rel="noreferrer"', shown.text)
    assert back == f"{page}?returned=yes"
    assert said == f"Your card is accepted. {cards.number} goes on."
    assert cards.card() == "authorized"
    assert "Waiting on your card" not in after


async def test_who_comes_back_without_a_card_is_told_so_and_may_go_there_again(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    page = await begun(cards, customer)

    back = await customer.get(f"{page}?returned=yes")

    assert back.status_code == 200
    assert "No card has been entered." in back.text
    assert f'href="{cards.address()}"' in back.text
    assert await begun(cards, customer) == page
    assert (cards.card(), kept(cards)) == ("declined", "")


async def test_who_comes_back_twice_gives_the_card_once(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    await begun(cards, customer)
    back = cards.enter()

    said = [await notice(customer, back) for _ in range(2)]

    assert said == [f"Your card is accepted. {cards.number} goes on."] * 2
    made = [one for one in cards.stripe.state.all("payment_intent") if one["status"] == "requires_capture"]
    assert len(made) == 1


async def test_a_card_that_the_bank_declines_later_is_said_to_be_and_another_one_may_be_entered(
    cards: CardWorld,
) -> None:
    customer = cards.console.browser("customer")
    first = await begun(cards, customer)
    said = await notice(customer, cards.enter(LATER_DECLINED_CARD))
    second = await begun(cards, customer)

    assert said == f"Your card was declined. Enter another one for {cards.number}."
    assert second != first
    assert kept(cards) == ""


async def test_whoever_closes_the_page_after_entering_a_card_goes_on_from_there(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    page = await begun(cards, customer)
    cards.enter()

    again = await begun(cards, customer)

    assert again == page
    assert await notice(customer, again) == f"Your card is accepted. {cards.number} goes on."


@pytest.mark.parametrize("forged", ["chk_forged", "cs_test_1", "chk_019d"])
async def test_a_page_that_was_made_up_is_a_sentence(cards: CardWorld, forged: str) -> None:
    customer = cards.console.browser("customer")
    await begun(cards, customer)
    cards.enter()

    answer = await customer.get(f"{cards.page}/card/{forged}?returned=yes")

    assert answer.status_code == 404
    assert "There is no such payment page here: start again." in plain(answer.text)
    assert (cards.card(), kept(cards)) == ("declined", "")


async def test_another_orders_page_gives_no_card_and_another_companys_order_is_not_found(cards: CardWorld) -> None:
    customer, stranger = cards.console.browser("customer"), cards.console.browser("customer", company="cus_bolt")
    other = cards.console.desk.place(("PUMP", 1), payment_method="card").number
    page = await begun(cards, customer)
    cards.enter()

    swapped = await customer.get(page.replace(cards.number, other))
    foreign = await stranger.get(page)

    assert (swapped.status_code, foreign.status_code) == (404, 404)
    assert (cards.card(), kept(cards)) == ("declined", "")


async def test_a_card_for_an_order_that_was_canceled_meanwhile_is_not_charged(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    await begun(cards, customer)
    back = cards.enter()
    desk = cards.console.desk
    with desk.database.transaction() as session:
        cancel.request(session, cards.order_id, BUYER, "ordered twice", desk.now)
    desk.record(cards.order_id, "cancelled")

    said = await notice(customer, back)

    assert said == f"{cards.number} needs no card any more. Your card is not charged for it."
    assert (cards.card(), kept(cards)) == ("declined", "")


async def test_a_provider_that_is_away_is_said_to_be_and_nothing_is_lost(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    cards.stripe.switches.turn("away", 1)
    page = await begun(cards, customer)
    unknown = await customer.get(page)
    again = await begun(cards, customer)
    back = cards.enter()
    cards.stripe.switches.turn("away", 1)
    silent = await customer.get(back)

    assert again == page
    assert [one.status_code for one in (unknown, silent)] == [200, 200]
    assert "The payment provider does not answer right now. Try again in a moment." in unknown.text
    assert "What you have entered there is not lost" in silent.text
    assert await notice(customer, back) == f"Your card is accepted. {cards.number} goes on."


async def test_a_page_that_has_ended_is_said_to_have(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    page = await begun(cards, customer)
    cards.stripe.clock = lambda: datetime.now(UTC) + timedelta(hours=2)

    ended = await customer.get(page)

    assert ended.status_code == 200
    assert "The provider’s page has ended, and no card was entered on it. Start again." in ended.text


async def test_nothing_is_offered_for_an_order_that_waits_for_no_card_or_where_no_card_is_taken(
    cards: CardWorld, numbers: dict[str, str], tmp_path: Path
) -> None:
    nowhere = build(cards.console.database, tmp_path / "keys", with_billing=Local(cards.billing)).browser("customer")

    pages = [
        (await cards.console.browser("customer").get(cards.page)).text,
        (await cards.console.browser("customer").get(f"/my/orders/{numbers['delivered']}")).text,
        (await nowhere.get(cards.page)).text,
    ]

    assert ["Enter another card…" in page for page in pages] == [True, False, False]


async def test_a_button_that_comes_too_late_is_refused_with_a_sentence(cards: CardWorld) -> None:
    customer = cards.console.browser("customer")
    page = await begun(cards, customer)
    cards.enter()
    await notice(customer, page)

    late = await customer.client.post(
        f"{cards.page}/card", data={"csrf": customer.csrf}, headers={"Referer": f"{BASE}{cards.page}"}
    )

    assert late.status_code == 409
    assert "The order does not wait for a card: there is nothing to enter." in plain(late.text)

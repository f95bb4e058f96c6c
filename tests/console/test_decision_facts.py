"""The pages that decide show availability, credit and prices to who may see them, and decide without a neighbor that is away."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest

from gateway.http.orders.decision_facts import DEADLINE_S
from services.orders.domain.masterdata import PriceAgreement
from services.orders.domain.people import Person
from services.orders.masterdata import people, prices
from services.orders.store import holds, orders, reviews
from tests.console.world import ConsoleWorld, with_figures
from tests.orders.desk import caller, usd


@pytest.fixture
def figures(world: ConsoleWorld) -> ConsoleWorld:
    return with_figures(world)


def step_page(world: ConsoleWorld, number: str) -> str:
    with world.database.reading() as session:
        return f"/reviews/{reviews.of_order(session, orders.find_id(session, number))[-1].steps[0].step_id}"


def hold_page(world: ConsoleWorld, number: str) -> str:
    with world.database.reading() as session:
        [hold] = [
            each for each in holds.of_order(session, orders.find_id(session, number)) if each.hold_type == "credit"
        ]
    return f"/orders/{number}/holds/{hold.hold_id}"


def words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


async def test_a_review_shows_what_is_there_what_is_short_and_what_comes(
    figures: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = words((await figures.browser("approver", sub="max").get(step_page(figures, numbers["reviewed"]))).text)

    # 300 to ship, nothing allocated, 120 free: 180 short
    assert "PUMP 300 – 120 120 180 40 on Dec 8, 2026 (PO-4711) · other orders wait for 25" in page


async def test_a_credit_holds_release_shows_limit_exposure_overdue_and_this_orders_share(
    figures: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = words((await figures.browser("accounting").get(hold_page(figures, numbers["held"]))).text)

    # 200 pumps at 129 with 7.25 % are 27,670.50: 30,000 + 27,670.50 = 57,670.50, of which they are 48.0 %
    for shown in (
        "Credit limit 50,000.00",
        "Accepted orders, not invoiced 18,000.00",
        "Open invoices less cash 12,000.00",
        "Overdue 4,000.00 Overdue since Sep 2, 2026",
        "Exposure 30,000.00",
        "This order, not invoiced 27,670.50 Exposure afterwards 57,670.50 This order's share of it 48.0%",
        "Available afterwards -7,670.50",
    ):
        assert shown in page, shown
    assert "List price" not in page


async def test_an_order_that_counts_already_is_not_added_again(figures: ConsoleWorld, numbers: dict[str, str]) -> None:
    with figures.database.reading() as session:
        order_id = orders.find_id(session, numbers["reviewed"])
    figures.billing.commitments[order_id] = 41_505_75
    figures.billing.standing["cus_acme"] = (41_505_75, 0)

    page = words((await figures.browser("approver", sub="max").get(step_page(figures, numbers["reviewed"]))).text)

    assert "In the exposure already 41,505.75 Exposure afterwards 41,505.75 This order's share of it 100.0%" in page


SEEN = ("Available", "Credit limit", "Overdue", "Margin", "List price")


@pytest.mark.parametrize(
    ("role", "sub", "seen"),
    [
        ("approver", "max", {"Available", "Credit limit", "Overdue", "Margin"}),
        ("accounting", "", {"Available", "Credit limit", "Overdue", "Margin"}),
        ("auditor", "", {"Available", "Credit limit", "Overdue", "Margin"}),
        ("sales_rep", "", {"Available", "Credit limit", "Margin"}),
        ("support", "", {"Available", "Credit limit"}),
        ("warehouse", "", {"Available"}),
        ("manufacturing", "", {"Available"}),
    ],
)
async def test_nobody_sees_figures_that_their_role_does_not_see_elsewhere(
    figures: ConsoleWorld, numbers: dict[str, str], role: str, sub: str, seen: set[str]
) -> None:
    page = (await figures.browser(role, sub=sub).get(step_page(figures, numbers["reviewed"]))).text

    shown = words(page)
    assert {word for word in SEEN if f"{word} " in shown} == seen
    assert ("50,000.00" in shown) == ("Credit limit" in seen)


@pytest.mark.parametrize("away", ["inventory", "billing"])
async def test_a_neighbor_that_is_away_is_named_and_the_page_still_decides(
    figures: ConsoleWorld, numbers: dict[str, str], away: str
) -> None:
    getattr(figures, away).is_away = True
    max_, page = figures.browser("approver", sub="max"), step_page(figures, numbers["reviewed"])

    shown = words((await max_.get(page)).text)
    done = await max_.send(page, page, decision="approve", version="1", note="")

    assert f"{away.capitalize()} does not answer" in shown
    assert ("Credit limit" in shown, "To ship" in shown) == (away != "billing", away != "inventory")
    assert done.status_code == 303
    assert getattr(figures, away).deadlines[-1] == DEADLINE_S


async def test_a_step_that_is_decided_asks_no_neighbor(figures: ConsoleWorld, numbers: dict[str, str]) -> None:
    max_, page = figures.browser("approver", sub="max"), step_page(figures, numbers["reviewed"])
    await max_.send(page, page, decision="reject", version="1", note="too many")
    figures.inventory.deadlines.clear()

    shown = await max_.get(page)

    assert (shown.status_code, figures.inventory.deadlines) == (200, [])


@pytest.mark.parametrize("where", ["review", "hold"])
async def test_the_page_says_in_one_line_which_captured_price_stands(
    figures: ConsoleWorld, numbers: dict[str, str], where: str
) -> None:
    agreement = PriceAgreement("cus_acme", "PUMP", usd("121.00"), date(2026, 1, 1))
    with figures.database.transaction() as session:
        prices.put_agreement(session, agreement, "root", figures.desk.now)
        people.put_person(session, Person("abe", "Abe", "abe@x.example", ("accounting",)), "root", figures.desk.now)
    path = step_page(figures, numbers["reviewed"]) if where == "review" else hold_page(figures, numbers["held"])
    who = figures.browser("approver", sub="max") if where == "review" else figures.browser("accounting", sub="abe")

    page = words((await who.get(path)).text)

    assert "Prices have changed. Captured price 129.00 stands; today's agreement says 121.00 (PUMP)." in page


async def test_a_price_hold_shows_price_against_list_and_agreement_and_the_margin(
    figures: ConsoleWorld, numbers: dict[str, str]
) -> None:
    order_id = figures.desk.place(("PUMP", 8, "100.00")).order_id
    figures.desk.validate(order_id)
    found = figures.desk.read(order_id)
    [hold] = found.holds

    page = words((await figures.browser("sales_rep").get(f"/orders/{found.order.number}/holds/{hold.hold_id}")).text)

    assert "PUMP 100.00 129.00 – 129.00 -22.5% 20.0%" in page
    assert "Credit limit" not in page


async def test_who_entered_the_order_reads_on_a_holds_page_why_they_may_not_release_it(world: ConsoleWorld) -> None:
    order_id = world.desk.place(("PUMP", 400), by=caller("max", "support")).order_id
    world.desk.validate(order_id)
    found = world.desk.read(order_id)
    [hold] = [each for each in found.holds if each.owner_role == "approver"]

    page = words(
        (await world.browser("approver", sub="max").get(f"/orders/{found.order.number}/holds/{hold.hold_id}")).text
    )

    assert "You may not: Max entered the order; somebody else releases this hold." in page
    assert "Release the hold" not in page

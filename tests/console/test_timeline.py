"""An order's timeline: people and milestones are always visible and say what counts, the checks of machines are folded."""

from __future__ import annotations

import re

from tests.console.world import ConsoleWorld


async def test_checks_of_machines_are_folded_and_milestones_are_not(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    page = (await world.browser("support").get(f"/orders/{numbers['shipping']}")).text

    timeline = page.partition('<ol class="timeline">')[2].partition("</section>")[0]
    open_lines = re.sub(r"<details.*?</details>", "", timeline, flags=re.DOTALL)
    folded = "".join(re.findall(r"<details.*?</details>", timeline, flags=re.DOTALL))
    assert 'href="#doc-SH-8">SH-8</a>' in open_lines
    assert 'id="doc-SH-8"' in page
    assert "checked the order" in folded
    assert "picked" in folded
    assert "picked" not in open_lines


async def test_milestones_say_number_quantity_warehouse_carrier_and_amount(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    world.warehouse("W1", "Dallas")
    support = world.browser("support")

    lines = [words(line) for name in ("shipping", "backordered", "delivered")
             for line in (await support.get(f"/orders/{numbers[name]}")).text.split('<li class="entry">')]  # fmt: skip

    for milestone in (
        "Shipped SH-8: 6 × PUMP, from Dallas, by roadrunner, tracking RR123",
        "Invoiced INV-8: 830.13 USD",
        "Backordered 5 × PUMP, 12 × CENT, expected Dec 3, 2026",
        "Delivered SH-1: 2 × PUMP",
        "Paid INV-1: 276.71 USD",
    ):
        assert any(milestone in line for line in lines), milestone


async def test_the_timeline_says_in_words_why_an_order_was_held_rejected_or_sent_to_review(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    support = world.browser("support")

    held, rejected, reviewed = [
        words((await support.get(f"/orders/{numbers[name]}")).text.partition('id="timeline"')[2].partition("<aside")[0])
        for name in ("held", "rejected", "reviewed")
    ]

    assert "put the order on hold: The order goes beyond the customer's credit limit." in held.replace("&#39;", "'")
    assert "sent the order to review" in reviewed
    assert "requested approval: The order is over 25,000. The order is over 5,000." in reviewed
    for timeline in (held, rejected, reviewed):
        assert not re.search(r"\b[A-Z]+_[A-Z0-9_]+\b", timeline)


async def test_a_shipment_names_its_warehouse_and_its_code_while_inventory_is_away(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    path = f"/orders/{numbers['shipping']}"
    world.warehouse("W1", "Dallas")
    support, customer = world.browser("support"), world.browser("customer")

    ours, theirs = (await support.get(path)).text, (await customer.get(f"/my{path}")).text
    world.inventory.is_away = True
    without = await support.get(path)

    assert ("From Dallas · roadrunner" in ours, "From Dallas · roadrunner" in theirs) == (True, True)
    assert (without.status_code, "From W1 · roadrunner" in without.text) == (200, True)


def words(markup: str) -> str:
    """What a person reads of it, in one line."""
    return " ".join(re.sub(r"<[^>]+>", "", markup).split())

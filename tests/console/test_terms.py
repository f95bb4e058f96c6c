"""What a page says of payment terms: in words, with what settles an invoice early and what was given for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.orders.masterdata import customers
from tests.console.world import ConsoleWorld
from tests.orders.desk import NOON, invoice, paid


def placed_on(world: ConsoleWorld, terms: str, net_days: int, **members: Any) -> tuple[str, str]:
    """Id and number of an invoiced order of 100.00 placed under these terms; `members` are those of its invoice."""
    desk = world.desk
    with desk.database.transaction() as session:
        acme = customers.find_customer(session, "cus_acme")
        assert acme is not None
        customers.put_customer(session, replace(acme, terms=terms, net_days=net_days), "root", NOON)
    order_id = desk.accepted(("PUMP", 1))
    issued = {"lines": {"1": {"invoiced": 1}}, "invoice": invoice("INV-7", 10_000) | members}
    desk.notify(desk.fact(order_id, "billing", "invoice_issued", 1, issued))
    return order_id, desk.read(order_id).order.number


async def page_of(world: ConsoleWorld, number: str) -> str:
    return " ".join((await world.browser("accounting").get(f"/orders/{number}")).text.split())


@pytest.mark.parametrize("reader", ["accounting", "customer"])
async def test_an_invoice_says_what_settles_it_by_when(world: ConsoleWorld, reader: str) -> None:
    _, number = placed_on(world, "2/10 net 30", 30, early_discount_minor=200, discount_until="2026-12-03")

    path = f"/orders/{number}" if reader == "accounting" else f"/my/orders/{number}"
    page = " ".join((await world.browser(reader).get(path)).text.split())

    assert "due Dec 23, 2026 · 98.00 if received by Dec 3, 2026" in page
    if reader == "accounting":
        assert "<dt>Terms</dt><dd>2 % within 10 days, net 30 days</dd>" in page


async def test_a_discount_that_was_taken_is_shown_and_no_longer_due(world: ConsoleWorld) -> None:
    order_id, number = placed_on(world, "2/10 net 30", 30)
    desk = world.desk
    settled = invoice("INV-7", 10_000, 9_800) | {"open_minor": 0, "status": "paid", "discount_taken_minor": 200}
    desk.notify(desk.fact(order_id, "billing", "payment_received", 2, paid(9_800, [settled])))

    page = await page_of(world, number)

    assert "early payment discount 2.00" in page
    assert "<dt>Early payment discount</dt>" in page
    due = page.partition("<dt>Due</dt><dd>")[2].partition("</dd>")[0]
    assert "0.00" in due


async def test_an_invoice_that_is_due_on_delivery_says_so_until_it_has_its_day(world: ConsoleWorld) -> None:
    order_id, number = placed_on(world, "delivery 10", 10, due_on="")
    before = await page_of(world, number)
    desk = world.desk
    dated = {"invoice": invoice("INV-7", 10_000) | {"due_on": "2026-12-15"}}
    desk.notify(desk.fact(order_id, "billing", "due_date_set", 2, dated))

    after = await page_of(world, number)

    assert "dated Nov 23, 2026 · 10 days after delivery" in before
    assert "dated Nov 23, 2026 · due Dec 15, 2026" in after


async def test_installments_are_listed_with_what_is_open_of_each(world: ConsoleWorld) -> None:
    parts = [
        {"due_on": "2026-12-03", "amount_minor": 3_000, "open_minor": 0},
        {"due_on": "2026-12-23", "amount_minor": 3_000, "open_minor": 1_000},
        {"due_on": "2027-01-22", "amount_minor": 4_000, "open_minor": 4_000},
    ]
    _, number = placed_on(world, "30%@10 30%@30 40%@60", 60, installments=parts)

    page = await page_of(world, number)

    assert "<li>30.00 due Dec 3, 2026 · paid</li>" in page
    assert "<li>30.00 due Dec 23, 2026 · 10.00 open</li>" in page
    assert "<li>40.00 due Jan 22, 2027</li>" in page
    assert "<dt>Terms</dt><dd>30 % after 10 days, 30 % after 30 days, 40 % after 60 days</dd>" in page

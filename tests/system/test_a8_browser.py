"""A8 as people live it: the customer asks in /my, support authorizes, the warehouse counts and inspects, accounting sees the credit note."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.console import chrome
from tests.system.boardroom import Boardroom
from tests.system.desks import Desks
from tests.system.harness import System
from tests.system.test_a8_return import USUAL, _sold
from tests.system.trade import PATIENCE_S, Trade, eventually, ok

PEOPLE = {"support": "support", "floor": "warehouse", "ledger": "accounting"}
BY_HAND = {**USUAL, "fee_percent": "15", "automatic_up_to": "0.00"}
"""Every return waits for support."""


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_S * 1000)
    with chrome.chromium() as started:
        yield started


def _staffed(trade: Trade, customer_id: str) -> Boardroom:
    room = Boardroom(trade)
    room.hire("buyer", roles=["customer"], positions=[], company=customer_id)
    for who, role in PEOPLE.items():
        room.hire(who, roles=[role], positions=[])
    admin = trade.system.api("admin")
    ok(admin.patch("/v1/policies", json={"returns": BY_HAND}))
    trade.afterwards.callback(lambda: ok(admin.patch("/v1/policies", json={"returns": USUAL})))
    return room


def _until_heard(trade: Trade, rma: str, received: int, inspected: int) -> None:
    """Wait until orders has heard what the warehouse did: its pages show that."""

    def claim() -> None:
        [line] = ok(trade.system.api("auditor").get(f"/v1/returns/{rma}"))["lines"]
        assert (line["received"], line["inspected"]) == (received, inspected)

    eventually(claim)


def _credited(trade: Trade, rma: str) -> list[str]:
    """The numbers of the credit notes, once both inspections are credited."""

    def claim() -> list[str]:
        found: dict[str, Any] = ok(trade.system.api("auditor").get(f"/v1/returns/{rma}"))
        notes = [number for one in found["inspections"] for number in one["credit_notes"]]
        assert len(notes) == 2, found
        return notes

    return eventually(claim)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("moving", ["sqlite"], indirect=True)  # the pages know no database
def test_a8_people_take_goods_back_in_their_browsers(browser: Browser, trade: Trade, tmp_path: Path) -> None:
    order, sku, warehouse = _sold(trade)
    trade.pay(order["customer_id"], "880.00")
    trade.when_idle(order["order_id"])
    desks = Desks(browser, _staffed(trade, order["customer_id"]), has_script=True)

    # the customer asks for four to go back
    with desks.of("buyer") as page:
        page.goto(f"/my/orders/{order['number']}")
        page.get_by_role("button", name="Return goods…").or_(page.get_by_role("link", name="Return goods…")).click()
        page.get_by_label("Units of line 1 to return").fill("4")
        page.get_by_label("Why").select_option("changed_mind")
        desks.inspect(page)
        page.get_by_role("button", name="Request the return").click()
        expect(page.locator("main")).to_contain_text("We look at it first")
        desks.inspect(page)
    [rma] = trade.order(order["order_id"])["returns"]

    # support finds it in the list and authorizes it
    with desks.of("support") as page:
        page.goto("/returns")
        desks.inspect(page)
        page.locator("main").get_by_role("link", name=rma, exact=True).click()
        page.get_by_label("Note").fill("as agreed on the phone")
        desks.inspect(page)
        page.get_by_role("button", name="Authorize").click()
        expect(page.locator("main")).to_contain_text("Its goods are expected")
    trade.when_idle(order["order_id"])

    # the warehouse counts three, and finds two as new and one damaged on its way
    with desks.of("floor") as page:
        page.goto(f"/returns/{rma}")
        page.get_by_label("Warehouse").select_option(warehouse)
        page.get_by_label(sku).fill("3")
        desks.inspect(page)
        page.get_by_role("button", name="Count").click()
        expect(page.locator("main")).to_contain_text("Inspect them next")
        inspected = 0
        for units, grade, disposition, who in ((2, "A", "restock", "customer"), (1, "D", "scrap", "carrier")):
            _until_heard(trade, rma, 3, inspected)
            page.goto(f"/returns/{rma}")
            desks.inspect(page)
            page.locator("#there").select_option(warehouse)
            page.locator("#found-1").fill(str(units))
            page.locator("#grade").select_option(grade)
            page.locator("#disposition").select_option(disposition)
            page.locator("#responsible").select_option(who)
            page.get_by_role("button", name="Record inspection").click()
            expect(page.locator("main")).to_contain_text(f"The inspection of {rma} is recorded")
            inspected += units
    notes = _credited(trade, rma)

    # accounting sees both credit notes and the fee, and gives the cash back once
    with desks.of("ledger") as page:
        page.goto(f"/returns/{rma}")
        for number in notes:
            expect(page.locator("main")).to_contain_text(number)
        for amount in ("264.00", "24.00", "240.00"):
            expect(page.get_by_role("region", name="What it comes to")).to_contain_text(amount)
        desks.inspect(page)
        page.get_by_role("button", name="Refund what was paid").click()
        expect(page.locator("main")).to_contain_text(f"What was paid for {rma} goes back")
        page.get_by_role("button", name="Refund what was paid").click()
        expect(page.locator("main")).to_contain_text(f"Nothing of {rma} is left to be refunded")
        page.screenshot(path=tmp_path / "return.png", full_page=True)

    # and the customer sees what was credited
    with desks.of("buyer") as page:
        page.goto(f"/my/orders/{order['number']}")
        expect(page.locator("#returns")).to_contain_text("240.00 USD credited after a restocking fee of 24.00")
        desks.inspect(page)

    assert trade.stock(sku) == {warehouse: (12, 0)}
    assert [text for text in desks.said if "Failed to load resource" not in text] == []
    assert desks.found == []
    trade.until_audit_is_clean()

"""Accounting sees what is owed back to cards, has it tried again, and records that it was paid another way."""

from __future__ import annotations

import pytest

from services.kernel.ids import new_id
from tests.console.money_world import hidden_in
from tests.console.world import BASE, ConsoleWorld


async def test_what_the_provider_refused_is_on_the_first_page_and_is_tried_again(world: ConsoleWorld) -> None:
    browser = world.browser("accounting")

    home = (await browser.get("/accounting")).text
    page = (await browser.get("/accounting/refunds")).text
    done = await browser.send("/accounting/refunds", "/accounting/refunds/rfd_1/retry", key="one")
    after = (await browser.get("/accounting/refunds")).text

    assert "Refunds to cards that are not paid" in home
    assert "750.00" in page
    assert "refused 5 times: <bdi>insufficient_funds</bdi>" in page
    assert done.status_code == 303
    assert "The payment provider is asked again" in after


async def test_a_refund_is_recorded_as_paid_another_way_once(world: ConsoleWorld) -> None:
    browser, act = world.browser("accounting"), "/accounting/refunds/rfd_1/payment"

    empty = await browser.send("/accounting/refunds", act, reference="", key="one")
    done = await browser.send("/accounting/refunds", act, reference="WIRE-9", key="two")
    twice = await browser.send("/accounting/refunds", act, reference="WIRE-9", key="three")
    page = (await browser.get("/accounting/refunds?state=paid_otherwise")).text

    assert "reference of the payment" in empty.text
    assert (done.status_code, twice.status_code) == (303, 409)
    assert "paid under <bdi>WIRE-9</bdi>" in page
    assert (await browser.get("/accounting/refunds")).text.count("Retry") == 0


async def test_who_only_reads_has_no_button(world: ConsoleWorld) -> None:
    page = (await world.browser("auditor").get("/accounting/refunds")).text

    assert "750.00" in page
    assert "Retry" not in page


@pytest.mark.parametrize(("act", "typed"), [("retry", {}), ("payment", {"reference": "WIRE-9"})])
async def test_its_buttons_send_what_the_page_hides_and_do_once_what_they_say(
    world: ConsoleWorld, act: str, typed: dict[str, str]
) -> None:
    owed = world.billing.owed
    owed.refund_id = new_id("rfd")  # as long as those of billing
    browser, path = world.browser("accounting"), f"/accounting/refunds/{owed.refund_id}/{act}"
    form = {**hidden_in((await browser.get("/accounting/refunds")).text, path), **typed}
    came_from = {"Referer": f"{BASE}/accounting/refunds"}

    twice = [await browser.client.post(path, data=form, headers=came_from) for _ in range(2)]

    assert [one.status_code for one in twice] == [303, 303]

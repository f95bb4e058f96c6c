"""What canceling costs is read on the cancel page before its button is there, and staff waive it there."""

from __future__ import annotations

import yaml

from services.orders.domain.masterdata import Product
from services.orders.masterdata import catalog
from services.orders.policies import engine
from services.orders.policies import versions as policy_versions
from tests.console.test_cancelled_lines import rows
from tests.console.world import ConsoleWorld
from tests.orders.desk import usd


def _rigs(world: ConsoleWorld) -> str:
    """The number of an accepted order of 10 that are built to order at 100.00; 10 % are charged before production."""
    document = yaml.safe_load(engine.BUILT_IN.read_text("utf-8"))
    document["cancellation_fees"] = {"not_started": 10}
    with world.database.transaction() as session:
        policy_versions.put_policy(session, document, "root", world.desk.now)
        catalog.put_product(session, Product("RIG", "Rig", "build_to_order", usd("100.00")), "root", world.desk.now)
    return world.desk.read(world.desk.accepted(("RIG", 10))).order.number


async def test_a_fee_is_shown_before_it_is_charged_and_waived_with_a_reason(world: ConsoleWorld) -> None:
    number = _rigs(world)
    page, ours = f"/orders/{number}/cancel", world.browser("support")

    shown = (await ours.get(f"{page}?units-1=4")).text
    waived = (await ours.get(f"{page}?units-1=4&waive_fee=our+delay")).text
    theirs = (await world.browser("customer").get(f"/my{page}?units-1=4")).text
    done = await ours.send(page, page, reason="plans", version="1", waive_fee="our delay", **{"units-1": "4"})

    assert rows(shown)["Cancellation fee"] == ("–", "40.00 USD")
    assert "10 % of 4 units of line 1 (production has not started) is a fee of 40.00 USD" in shown
    assert rows(waived)["Cancellation fee"] == ("–", "waived")
    assert "The fee is waived: our delay." in waived
    assert '<input type="hidden" name="waive_fee" value="our delay">' in waived
    assert rows(theirs)["Cancellation fee"] == ("–", "40.00 USD")
    assert "Waive the fee" not in theirs
    assert done.status_code == 303


async def test_a_customer_reads_that_a_fee_is_waived_and_staff_read_why(world: ConsoleWorld) -> None:
    number = _rigs(world)
    page, ours = f"/orders/{number}/cancel", world.browser("support")
    await ours.send(page, page, reason="plans", version="1", waive_fee="our delay", **{"units-1": "4"})

    async def waived(role: str) -> str:
        asked = {"Authorization": f"Bearer {world.token(role)}"}
        order = (await world.browser().get(f"/v1/orders/{number}", **asked)).json()
        fee = order["cancellations"][0]["consequences"]["fee"]
        assert fee["due"] == {"amount": "0.00", "currency": "USD"}
        return str(fee["waived_reason"])

    assert (await waived("support"), await waived("customer")) == ("our delay", "waived")

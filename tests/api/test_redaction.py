"""What a customer reads of an order that we check: that it is checked. Staff read all of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World
from tests.orders.desk import Desk, shipment
from tests.orders.test_intercepted import on_its_way, returns_of, stopped

HOLD = {"severity": "HOLD", "message": "The margin is thin.", "when": "true"}
RULES: list[dict[str, Any]] = [
    {**HOLD, "code": "MARGIN_FLOOR", "hold_type": "margin", "owner_role": "approver"},
    {**HOLD, "code": "CREDIT_LIMIT", "hold_type": "credit", "owner_role": "accounting"},
    {"code": "WATCHED", "when": "true", "severity": "WARN", "message": "A slow payer."},
]
REVIEWS = [
    {
        "code": "OVER_1",
        "when": "order.cumulative > 1.0",
        "message": "Risky.",
        "tiers": [{"level": 1, "role": "approver", "position": "finance_director"}],
    }
]
UP_TO, UNTIL = "98765.00", "2027-03-31"
# none may stand in an id by chance: these are hexadecimal
INTERNAL = (
    "margin", "credit", "approver", "accounting", "approval", "finance", "over_1", "watched", "slow payer", "risky", "max", "zoltan",
    "policy_version", "hold_released", "order_held", UP_TO, UNTIL,
)  # fmt: skip


async def _held(world: World, **changes: Any) -> dict[str, Any]:
    """The receipt of an order with two holds and a review of ours, of which one hold is released."""
    policy = {"rules": RULES, "reviews": REVIEWS, "deadlines": {"calendar": "always"}}
    assert (await world.send("POST", "/v1/policies", "admin", json=policy)).status_code == 201
    world.validates()
    receipt: dict[str, Any] = (await world.place(**changes)).json()
    path = f"/v1/orders/{receipt['order_id']}"
    holds = (await world.send("GET", path, "support")).json()["holds"]
    credit = next(one for one in holds if one["owner_role"] == "accounting")
    allowed = {"note": "a slow payer, but good", "up_to": {"amount": UP_TO, "currency": "USD"}, "until": UNTIL}
    released = await world.send(
        "POST", f"{path}/holds/{credit['hold_id']}/release", "accounting", claims={"sub": "zoltan"}, json=allowed
    )
    assert released.status_code == 200
    return receipt


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/{}", "/v1/orders/{}/history", "/v1/orders/{}/stream"])
async def test_no_answer_to_a_customer_says_what_we_check_and_who_does(world: World, path: str) -> None:
    receipt = await _held(world)
    where = path.format(receipt["order_id"])

    to_customer = await world.send("GET", where, "customer")
    to_staff = await world.send("GET", where, "support")

    assert to_customer.status_code == 200
    assert [word for word in INTERNAL if word in to_customer.text.lower()] == []
    assert "margin" in to_staff.text


async def test_a_customer_reads_plain_words_where_staff_reads_holds(world: World) -> None:
    receipt = await _held(world)
    path = f"/v1/orders/{receipt['order_id']}"

    shown = (await world.send("GET", path, "customer")).json()
    rows = (await world.send("GET", f"{path}/history", "customer")).json()["rows"]

    assert shown["axes"]["holds"] == ["being checked"]
    assert (shown["waiting_for"]["who"], shown["waiting_for"]["what"]) == ("us", "being checked")
    assert {(one["code"], one["hold_type"], one["owner_role"]) for one in shown["holds"]} == {
        ("being checked", "being checked", "us")
    }
    assert {(one["up_to"], one["until"]) for one in shown["holds"]} == {(None, None)}
    assert [(row["who"], row["what"]) for row in rows] == [
        ("ann", "order_placed"),
        ("us", "checked"),
        ("us", "checked"),
        ("us", "checked"),
        ("us", "checked"),
    ]
    assert rows[-1]["after"] == {"phase": "in_review", "status": "on_hold", "holds": ["being checked"]}


async def test_a_receipt_names_to_a_customer_only_the_rules_that_reject_the_order(world: World) -> None:
    held = await _held(world)
    world.validates(is_granted=False)
    again = (await world.place()).json()
    lines = [{"sku": "NO-SUCH", "quantity": 1}]
    assert (
        await world.send("POST", "/v1/policies", "admin", json={"rules": [*RULES, _unknown_sku()]})
    ).status_code == 201
    rejected = (await world.place(key="k2", lines=lines)).json()
    for_staff = (await world.place("sales_rep", key="k3", lines=lines)).json()

    assert (held["status"], held["reasons"], again["reasons"]) == ("on_hold", [], [])
    assert (rejected["status"], rejected["reasons"]) == ("rejected", ["NOT_OURS"])
    assert set(for_staff["reasons"]) == {"NOT_OURS", "MARGIN_FLOOR", "CREDIT_LIMIT", "WATCHED"}


async def test_a_channel_is_a_machine_of_ours_and_reads_the_codes_of_what_it_placed(world: World) -> None:
    policy = {"rules": RULES}
    assert (await world.send("POST", "/v1/policies", "admin", json=policy)).status_code == 201
    world.validates()

    receipt = (await world.place("channel")).json()
    order = (await world.send("GET", f"/v1/orders/{receipt['order_id']}", "channel")).json()

    assert set(receipt["reasons"]) == {"MARGIN_FLOOR", "CREDIT_LIMIT", "WATCHED"}
    assert {one["code"] for one in order["holds"]} == {"MARGIN_FLOOR", "CREDIT_LIMIT"}


def _unknown_sku() -> dict[str, Any]:
    return {
        "code": "NOT_OURS",
        "scope": "line",
        "when": "!product.is_known",
        "severity": "BLOCK",
        "message": "We do not sell this.",
    }


@pytest.mark.parametrize("query", ["hold=credit", "needs=approver", "needs=warehouse"])
async def test_a_customer_cannot_ask_the_list_which_hold_an_order_has(world: World, query: str) -> None:
    await _held(world)

    asked = await world.send("GET", f"/v1/orders?{query}", "customer")
    plain = await world.send("GET", "/v1/orders?hold=any", "customer")

    assert (asked.status_code, asked.json()["code"]) == (403, "FILTER_NOT_PERMITTED")
    assert len(plain.json()["rows"]) == 1


async def test_a_note_that_we_made_is_not_shown_to_the_customer_and_its_own_is(world: World) -> None:
    world.validates()
    ours = (await world.place("sales_rep", key="a", note="pays late", on_behalf_of="Ann")).json()["order_id"]
    its = (await world.place("customer", key="b", note="gate 4")).json()["order_id"]

    notes = [(await world.send("GET", f"/v1/orders/{one}", "customer")).json()["note"] for one in (ours, its)]

    assert notes == ["", "gate 4"]
    assert (await world.send("GET", f"/v1/orders/{ours}", "support")).json()["note"] == "pays late"


async def test_who_sees_no_money_does_not_read_up_to_which_amount_a_hold_was_released(world: World) -> None:
    path = f"/v1/orders/{(await _held(world))['order_id']}"
    holds = (await world.send("GET", path, "support")).json()["holds"]
    released = next(one for one in holds if one["released_at"])

    shown = (await world.send("GET", f"{path}/holds/{released['hold_id']}", "warehouse")).json()["hold"]

    assert (released["up_to"], released["until"]) == (UP_TO, UNTIL)
    assert (shown["up_to"], shown["until"]) == (None, UNTIL)


async def test_what_a_marketplace_keeps_of_a_sale_is_told_to_it_and_to_staff_and_not_to_customers(world: World) -> None:
    world.validates()
    paid = {"method": "settled_elsewhere", "reference": "113-4402", "fees": "16.25"}
    receipt = (await world.place("channel", channel="amazon", channel_ref="113-4402", payment=paid)).json()

    async def fees(role: str) -> Any:
        return (await world.send("GET", f"/v1/orders/{receipt['order_id']}", role)).json()["settlement"]["fees"]

    kept = {"amount": "16.25", "currency": "USD"}
    assert [await fees(role) for role in ("channel", "support", "customer")] == [kept, kept, None]


async def test_why_a_parcel_was_stopped_is_read_by_staff_and_not_by_its_customer(world: World) -> None:
    desk = Desk(world.database)
    order_id = on_its_way(desk)
    detail = stopped(shipment("SH-1", "shipped", {"1": 4}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_intercepted", 2, detail))
    [found] = returns_of(desk, order_id)

    path = f"/v1/returns/{found.number}"
    read = [(await world.send("GET", path, role)).json()["reason"] for role in ("support", "customer")]

    assert read == [detail["reason"], ""]

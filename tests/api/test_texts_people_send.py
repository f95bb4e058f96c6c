"""Texts as people really send them: made plain instead of refused, and where one is refused the field is named."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.text import ascii_mailbox
from tests.api.conftest import ORDER, World

PLAIN = "ring twice at the gate"
TYPED = {
    "lines": "ring twice\nat the gate",
    "lines of Windows": "ring twice\r\nat the gate\r\n",
    "a paragraph": "ring twice\n\n  at the gate",
    "a tab": "ring twice\tat the gate",
    "a line separator": "ring twice\u2028at the gate",
    "direction marks": "\u200ering twice at the gate\u200f",
    "an embedding": "ring \u202atwice\u202c at the gate",
    "isolates": "ring \u2067twice\u2069 at the gate",
    "a zero-width space": "ring tw\u200bice at the gate",
    "a byte order mark": "\ufeffring twice at the gate",
    "blanks around": "  ring twice at the gate ",
}
typed = pytest.mark.parametrize("text", TYPED.values(), ids=TYPED.keys())


@typed
async def test_a_note_is_made_plain(world: World, text: str) -> None:
    placed = await world.place(note=text)

    order = (await world.send("GET", f"/v1/orders/{placed.json()['number']}", "support")).json()
    assert (placed.status_code, order["note"]) == (201, PLAIN)


@typed
async def test_an_address_is_made_plain(world: World, text: str) -> None:
    placed = await world.place(ship_to={**ORDER["ship_to"], "street": text})

    order = (await world.send("GET", f"/v1/orders/{placed.json()['number']}", "support")).json()
    assert (placed.status_code, order["ship_to"]["street"]) == (201, PLAIN)


@typed
async def test_a_name_in_master_data_is_made_plain(world: World, text: str) -> None:
    stored = await world.send("POST", "/v1/people", "admin", json={"sub": "eve", "name": text, "roles": ["support"]})

    assert (stored.status_code, stored.json()["name"]) == (200, PLAIN)


@typed
async def test_a_reason_is_made_plain(world: World, text: str) -> None:
    number = (await world.place()).json()["number"]

    asked = await world.send("POST", f"/v1/orders/{number}/cancellation", "support", key="c", json={"reason": text})

    log = (await world.send("GET", f"/v1/orders/{number}/history", "support")).json()["rows"]
    assert (asked.status_code, log[-1]["why"]) == (200, PLAIN)


async def test_a_predicate_of_a_policy_may_have_lines(world: World) -> None:
    rule = {
        "code": "BIG",
        "when": "order.total > 1.0\n&& order.total > 2.0",
        "severity": "WARN",
        "message": "Big\nit is.",
    }

    stored = await world.send("POST", "/v1/policies", "admin", json={"rules": [rule]})

    assert (stored.status_code, stored.json()["rules"][0]["message"]) == (201, "Big it is.")


async def test_a_search_takes_what_was_pasted(world: World) -> None:
    await world.place(po_number="PO-7781")

    found = await world.send("GET", "/v1/orders", "support", params={"q": "\u200epo\u20117781\u200b"})

    assert (found.status_code, len(found.json()["rows"])) == (200, 1)


@pytest.mark.parametrize(
    "address",
    [
        "o'brien@acme.example",
        "sales+us@acme.example",
        "a!#$%&'*/=?^_`{|}~-b@acme.example",
        "anna@b\u00fccher.example",
        "\u7528\u6237@\u4f8b\u5b50.\u6d4b\u8bd5",
        "ann@xn--bcher-kva.example",
        "\u200eann@acme.example\u200b",
        "",
    ],
)
async def test_an_address_that_people_have_is_taken(world: World, address: str) -> None:
    body = {"sub": "eve", "name": "Eve", "roles": ["support"], "email": address}

    stored = await world.send("POST", "/v1/people", "admin", json=body)

    assert (stored.status_code, stored.json().get("email")) == (200, address.strip("\u200e\u200b"))


def test_a_domain_of_any_script_is_written_for_every_mail_server() -> None:
    assert ascii_mailbox("anna@b\u00fccher.example") == "anna@xn--bcher-kva.example"
    assert ascii_mailbox("ann@acme.example") == "ann@acme.example"


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/v1/people", {"email": "nobody"}, ["/email"]),
        ("/v1/people", {"email": "a b@acme.example"}, ["/email"]),
        ("/v1/people", {"email": "a@acme"}, ["/email"]),
        ("/v1/people", {"email": f"a@{'x' * 63}\u00fc.example"}, ["/email"]),
        ("/v1/people", {"email": 5}, ["/email"]),
        ("/v1/people", {"name": "Eve\u0000"}, ["/name"]),
        ("/v1/people", {"name": "\u200b"}, ["/name"]),
        ("/v1/people", {"limits": [{"amount": "many", "currency": "USD"}]}, ["/limits/0/amount"]),
        ("/v1/people", {"limits": [{"amount": "1.00", "currency": "U\u0007D"}]}, ["/limits/0/currency"]),
        (
            "/v1/customers",
            {"customer_id": "c", "name": "C", "currency": "USD", "credit_limit": "1", "contact_email": "x"},
            ["/contact_email"],
        ),
    ],
)
async def test_what_is_refused_names_the_field_and_nothing_else(
    world: World, path: str, body: dict[str, Any], pointers: list[str]
) -> None:
    person = {"sub": "eve", "name": "Eve", "roles": ["support"]} if path == "/v1/people" else {}

    refused = await world.send("POST", path, "admin", json={**person, **body})

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == pointers
    assert pointers[0] in refused.json()["detail"]


async def test_an_order_of_a_customer_without_any_address_is_an_exception_until_it_has_one(world: World) -> None:
    customer = {"customer_id": "cus_mute", "name": "Mute", "currency": "USD", "credit_limit": "1.00"}
    assert (await world.send("POST", "/v1/customers", "admin", json=customer)).is_success
    order_id = (await world.place("channel", customer_id="cus_mute")).json()["order_id"]

    async def found() -> list[tuple[str, str, str, bool]]:
        answer = await world.send("GET", f"/v1/exceptions?order_id={order_id}", "support")
        return [
            (row["kind"], row["subject_id"], row["owner_role"], row["resolved_at"] is not None)
            for row in answer.json()["rows"]
        ]

    assert await found() == [("unreachable_customer", order_id, "support", False)]
    await world.send("POST", "/v1/customers", "admin", json={**customer, "contact_email": "m@mute.example"})
    assert await found() == [("unreachable_customer", order_id, "support", True)]


async def test_a_customer_who_only_has_an_address_for_invoices_is_told_there(world: World) -> None:
    customer = {
        "customer_id": "cus_mute",
        "name": "Mute",
        "currency": "USD",
        "credit_limit": "1.00",
        "accounting_email": "ap@mute.example",
    }
    await world.send("POST", "/v1/customers", "admin", json=customer)
    order_id = (await world.place("channel", customer_id="cus_mute")).json()["order_id"]

    listed = (await world.send("GET", f"/v1/exceptions?order_id={order_id}", "support")).json()["rows"]

    assert listed == []

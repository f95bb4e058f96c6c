"""`oms invoices due`, `create` and `drafts`: what waits, and what accounting makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms
from tests.cli.test_invoices import invoice, usd


def waiting(**members: Any) -> dict[str, Any]:
    names = {"shipment_id": "shp_1", "order_number": "SO-1001", "customer_id": "cus_acme", "policy": "weekly"}
    days = {"shipped_on": "2026-03-02", "invoice_on": "2026-03-08", "waiting_on": "period", "draft_id": None}
    return {**names, **days, "amount": usd("66.66"), **members}


def draft(**members: Any) -> dict[str, Any]:
    names = {"draft_id": "draft_1", "order_number": "SO-1001", "customer_id": "cus_acme", "state": "draft"}
    people = {"made_by": "ann", "approved_by": None, "invoice_id": None, "needs_second_person": False}
    return {**names, **people, "amount": usd("66.66"), **members}


def test_what_waits_is_listed_with_its_policy_and_amount(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/billable", waiting(), waiting(shipment_id="shp_2", policy="manual", waiting_on="accounting"))

    answer = command("invoices", "due", "--policy", "weekly")

    assert answer.code == 0
    assert "shp_1" in answer.out
    assert "66.66" in answer.out
    assert api.asked[-1].query["policy"] == "weekly"


def test_nothing_that_waits_is_said_so(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/billable")

    assert "nothing is waiting to be invoiced" in command("invoices", "due").out


def test_an_order_is_invoiced_by_hand(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/invoices", invoice(shipment_ids=["shp_1", "shp_2"]), 201)

    answer = command("invoices", "create", "SO-1001", "--shipment", "shp_1", "--shipment", "shp_2")

    assert answer.code == 0
    assert "INV-000001 posted: 1,000.00 USD for 2 shipments of SO-1001" in answer.out


def test_units_of_an_order_are_invoiced_by_hand(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/invoices", invoice(shipment_ids=["shp_1"]), 201)

    answer = command("invoices", "create", "SO-1001", "--line", "lin_1=4", "--line", "lin_2=1")
    unreadable = command("invoices", "create", "SO-1001", "--line", "lin_1")

    assert "INV-000001 posted: 1,000.00 USD for units of 1 shipment of SO-1001" in answer.out
    assert api.asked[-1].body == {
        "order_id": "SO-1001",
        "shipments": [],
        "lines": [{"line_id": "lin_1", "quantity": 4}, {"line_id": "lin_2", "quantity": 1}],
    }
    assert "'lin_1' names no units of a line" in unreadable.err


def test_a_preview_posts_nothing(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/invoices/preview", {"invoice": invoice(number=""), "shipments": [], "needs_second_person": True})

    answer = command("invoices", "create", "SO-1001", "--preview")

    assert answer.code == 0
    assert "SO-1001 · cus_acme · due Apr 1, 2026" in answer.out
    assert "over the limit: make a draft" in answer.out


def test_what_is_invoiced_already_says_on_which_invoice(command: Oms, api: FakeApi) -> None:
    said = "shipment shp_1 is on invoice INV-000001 already: leave it out"
    api.on("POST /v1/invoices", {"code": "ALREADY_INVOICED", "detail": said}, 409)

    answer = command("invoices", "create", "SO-1001", "--shipment", "shp_1")

    assert answer.code != 0
    assert said in answer.err


@pytest.mark.parametrize(
    ("verb", "path", "body", "said"),
    [
        ("approve", "approval", draft(state="approved"), "draft_1 approved: 66.66 USD, to be posted"),
        ("post", "posting", draft(state="posted", invoice=invoice()), "INV-000001 posted: 1,000.00 USD"),
        ("discard", "discarding", draft(state="discarded"), "draft_1 discarded: its shipments wait again"),
    ],
)
def test_a_draft_moves(command: Oms, api: FakeApi, verb: str, path: str, body: dict[str, Any], said: str) -> None:
    api.on(f"POST /v1/invoice-drafts/draft_1/{path}", body)

    answer = command("invoices", "drafts", verb, "draft_1")

    assert answer.code == 0
    assert said in answer.out


def test_a_draft_is_made_and_listed(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/invoice-drafts", draft(needs_second_person=True), 201)
    api.page("GET /v1/invoice-drafts", draft())

    made, listed = command("invoices", "drafts", "make", "SO-1001"), command("invoices", "drafts", "list")

    assert "draft_1 made: 66.66 USD, to be approved, by somebody else" in made.out
    assert "draft_1" in listed.out

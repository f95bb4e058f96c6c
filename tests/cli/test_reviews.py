from __future__ import annotations

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

USD = {"amount": "26400.00", "currency": "USD"}
ROW = {
    "step_id": "step_1", "order_id": "ord_1", "number": "SO-1001", "version": 3, "customer_name": "ACME", "total": USD,
    "asks": "manager approval", "who": ["Max"], "age_hours": 5, "due": "2026-12-02T09:00:00.000Z", "why_not": "",
}  # fmt: skip
STEP = {
    "waiting": ROW,
    "step": {"asks": "manager approval", "reasons": ["Over 25,000."]},
    "review": {"steps": [
        {"level": 1, "asks": "manager approval", "state": "approved", "decisions": [
            {"decided_by": "dan", "acting_for": "max", "decision": "approve", "note": "fine"},
        ]},
        {"level": 2, "asks": "finance director approval", "state": "open", "decisions": []},
    ]},
}  # fmt: skip


def test_what_waits_is_listed_with_why_it_is_not_mine(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews", {**ROW, "why_not": "this step asks manager"})

    answer = command("reviews", "list", "--for", "team")

    assert answer.code == 0
    assert "manager approval" in answer.out
    assert api.asked[-1].query["for"] == "team"


def test_an_approval_names_the_step_and_the_version_that_was_seen(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews", {**ROW, "number": "SO-1000", "order_id": "ord_0"}, ROW)
    api.on("POST /v1/orders/ord_1/decisions", {"number": "SO-1001", "status": "accepted"})

    answer = command("reviews", "approve", "SO-1001", "--note", "fine", "--as", "max")

    assert (answer.code, answer.out) == (0, "SO-1001 is accepted\n")
    assert api.asked[-1].body == {"step_id": "step_1", "version": 3, "decision": "approve", "note": "fine"}


def test_a_rejection_and_a_wish_carry_their_note(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews", ROW)
    api.on("POST /v1/orders/ord_1/decisions", {"number": "SO-1001", "status": "rejected"})

    for verb, decision in (("reject", "reject"), ("request-changes", "request_changes")):
        assert command("reviews", verb, "ord_1", "--note", "too dear").code == 0
        assert api.asked[-1].body["decision"] == decision


def test_of_several_open_steps_one_must_be_named(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews", ROW, {**ROW, "step_id": "step_2"})

    answer = command("reviews", "approve", "SO-1001")

    assert answer.code == 1
    assert "step_1" in answer.err
    assert "--step" in answer.err


def test_an_order_that_nobody_is_asked_about_is_said_so(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews")
    api.on("GET /v1/orders/SO-9", {"order_id": "ord_9"})

    answer = command("reviews", "approve", "SO-9")

    assert (answer.code, answer.err.startswith("nothing of SO-9 is waiting for approval")) == (1, True)


@pytest.mark.parametrize(
    "words",
    [("show",), ("approve",), ("reject", "--note", "x"), ("request-changes", "--note", "x"), ("answer", "--note", "x")],
)
def test_of_an_order_that_there_is_not_nothing_is_said_to_wait(
    command: Oms, api: FakeApi, words: tuple[str, ...]
) -> None:
    unknown = {"code": "ORDER_UNKNOWN", "detail": "there is no such order: check its id or number"}
    api.page("GET /v1/reviews", ROW)
    api.on("GET /v1/orders/SO-9999", unknown, 404)
    api.on("POST /v1/orders/SO-9999/resubmission", unknown, 404)

    answer = command("reviews", *words, "so-9999")

    assert (answer.code, answer.err) == (1, "there is no such order: check its id or number\n")


def test_who_may_not_read_orders_hears_that_nothing_waits(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews")
    api.on("GET /v1/orders/SO-9", {"code": "NOT_PERMITTED", "detail": "not for manufacturing"}, 403)

    answer = command("reviews", "approve", "SO-9", "--role", "manufacturing")

    assert (answer.code, answer.err.startswith("nothing of SO-9 is waiting for approval")) == (1, True)


def test_an_order_is_found_by_its_number_in_any_case(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews", ROW)
    api.on("GET /v1/reviews/step_1", STEP)

    assert command("reviews", "show", "so-1001").code == 0


def test_decisions_of_somebody_outside_the_directory_cannot_be_handed_over(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/delegations", {"code": "PERSON_UNKNOWN", "detail": "there is no such person"}, 404)

    nobody = command("reviews", "delegate", "dan", "--days", "7")
    bare = command("reviews", "delegate", "dan", "--days", "7", "--as", "max", "--maximum", "50")

    assert nobody.code == bare.code == 1
    assert nobody.err.startswith("dan or ")
    assert nobody.err.endswith("@cli is not in the directory: check the name, and say with --as who delegates\n")
    assert bare.err == "'50' is no amount with its currency: write it as \"5000.00 USD\"\n"


def test_one_review_shows_who_decided_and_who_is_next(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/reviews", ROW)
    api.on("GET /v1/reviews/step_1", STEP)
    api.page("GET /v1/people", {"sub": "dan", "name": "Dan Holt"})

    answer = command("reviews", "show", "SO-1001")

    assert "Dan Holt for max: approved: fine" in answer.out
    assert "level 2 finance director approval: open" in answer.out
    assert "You may decide it." in answer.out


def test_decisions_are_handed_over_for_some_days(command: Oms, api: FakeApi) -> None:
    made = {"from_sub": "max", "to_sub": "dan", "valid_to": "2026-12-08T00:00:00.000Z"}
    api.on("POST /v1/delegations", made, 201)
    api.page("GET /v1/people", {"sub": "dan", "name": "Dan Holt"}, {"sub": "max", "name": "Max Stein"})

    answer = command("reviews", "delegate", "dan", "--days", "7", "--position", "manager", "--maximum", "5000.00 USD")

    assert answer.out == "Dan Holt decides for Max Stein until Dec 8, 2026, 12:00 AM UTC\n"
    [sent] = [asked.body for asked in api.asked if asked.method == "POST"]
    assert sent["maximum"] == {"amount": "5000.00", "currency": "USD"}
    assert sent["positions"] == ["manager"]

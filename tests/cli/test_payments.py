"""`oms payments`: what is typed is what the API is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms


def test_a_payment_is_one_by_its_reference_and_each_command_is_a_request_of_its_own(command: Oms, api: FakeApi) -> None:
    amount = {"amount": "1329.00", "currency": "USD"}
    api.on(
        "POST /v1/payments",
        {"amount": amount, "applications": [{}], "customer_id": "cus_acme", "unapplied": {**amount, "amount": "0.00"}},
        201,
    )

    answers = [command("payments", "record", "cus_acme", "1329.00", "--reference", "BANK-1") for _ in range(2)]

    assert [answer.code for answer in answers] == [0, 0]
    assert api.asked[0].body == {"customer_id": "cus_acme", "amount": amount, "reference": "BANK-1"}
    assert len({asked.headers["Idempotency-Key"] for asked in api.asked}) == 2


def test_a_payment_is_recorded_with_the_day_its_cash_came(api: FakeApi, command: Oms) -> None:
    done = {"amount": {"amount": "98.00", "currency": "USD"}, "customer_id": "cus_acme", "applications": [{}]}
    api.on("POST /v1/payments", done | {"unapplied": {"amount": "0.00", "currency": "USD"}}, 201)

    answer = command("payments", "record", "cus_acme", "98.00", "--reference", "BANK-1", "--received", "2026-12-01")

    assert (answer.code, api.asked[-1].body["received_on"]) == (0, "2026-12-01")


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (
            ("record", "cus_acme", "500.00", "--reference", "W", "--order", "SO-1=400.00", "--on-account"),
            "/v1/payments",
            {
                "customer_id": "cus_acme", "amount": {"amount": "500.00", "currency": "USD"}, "reference": "W",
                "orders": [{"order_id": "SO-1", "amount": {"amount": "400.00", "currency": "USD"}}], "on_account": True,
            },
        ),
        (("reverse", "pay_1", "--reason", "bounced"), "/v1/payments/pay_1/reversal", {"reason": "bounced"}),
        (
            ("reapply", "pay_1", "--reason", "meant for B", "--customer", "cus_b", "--invoice", "inv_1=5.00"),
            "/v1/payments/pay_1/reapply",
            {
                "reason": "meant for B", "customer_id": "cus_b",
                "applications": [{"invoice_id": "inv_1", "amount": {"amount": "5.00", "currency": "USD"}}],
            },
        ),
        (
            ("refund", "pay_1", "120.00", "--reason", "paid twice", "--order", "SO-1"),
            "/v1/payments/pay_1/refund",
            {"amount": {"amount": "120.00", "currency": "USD"}, "reason": "paid twice", "order_id": "SO-1"},
        ),
    ],
    ids=["record", "reverse", "reapply", "refund"],
)  # fmt: skip
def test_what_a_payment_is_for_is_sent_as_it_was_typed(
    command: Oms, api: FakeApi, words: tuple[str, ...], path: str, body: dict[str, Any]
) -> None:
    amount = {"amount": "1.00", "currency": "USD"}
    answered = {"amount": amount, "applications": [], "deposits": [{}], "customer_id": "cus_b", "unapplied": amount}
    api.on(f"POST {path}", answered)

    assert command("payments", *words).code == 0
    assert api.asked[0].body == body


@pytest.mark.parametrize("part", ["SO-1", "SO-1=", "=5.00"])
def test_a_part_of_a_payment_that_names_nothing_is_refused_in_words(command: Oms, api: FakeApi, part: str) -> None:
    answer = command("payments", "record", "cus_acme", "5.00", "--reference", "W", "--order", part)

    assert (answer.code, api.asked) == (1, [])
    assert "write it as SO-1001=500.00" in answer.err


@pytest.mark.parametrize(
    ("words", "path", "body", "answered", "said"),
    [
        (("card", "SO-1", "pm_1"), "card", {"token": "pm_1"}, {"card": "authorized", "decline_reason": None}, "card authorized"),
        (
            ("card", "SO-1", "pm_2"), "card", {"token": "pm_2"},
            {"card": "declined", "decline_reason": "expired_card"}, "card declined (expired_card)",
        ),
        (("capture", "SO-1"), "captures", {}, {"state": "captured", "reason": None}, "captured"),
    ],
    ids=["card", "declined", "capture"],
)  # fmt: skip
def test_a_card_is_given_and_captured_and_what_became_of_it_is_said(
    command: Oms,
    api: FakeApi,
    words: tuple[str, ...],
    path: str,
    body: dict[str, str],
    answered: dict[str, Any],
    said: str,
) -> None:
    api.on(f"POST /v1/orders/SO-1/{path}", answered)

    answer = command("payments", *words)

    assert (answer.code, answer.out.strip()) == (0, said)
    assert api.asked[0].body == body


def test_a_correction_over_the_limit_is_said_to_wait_and_is_decided_by_another_person(
    command: Oms, api: FakeApi
) -> None:
    amount = {"amount": "900.00", "currency": "USD"}
    correction = {
        "correction_id": "corr_1",
        "payment_id": "pay_1",
        "kind": "reversal",
        "amount": amount,
        "state": "waiting",
    }
    api.on("POST /v1/payments/pay_1/reversal", {"amount": amount, "waiting": correction})
    done = {"correction": correction | {"state": "approved"}, "payment": {}}
    api.on("POST /v1/payment-corrections/corr_1/decision", done)

    asked = command("payments", "reverse", "pay_1", "--reason", "bounced")
    decided = command("payments", "decide", "corr_1", "approve", "--as", "ben")

    assert (asked.code, decided.code) == (0, 0)
    assert "another person in accounting decides corr_1; nothing has changed yet" in asked.out
    assert "reversal of 900.00 USD approved" in decided.out
    assert api.asked[-1].body == {"decision": "approve", "note": ""}


@pytest.mark.parametrize(
    ("words", "query"),
    [((), {"state": "waiting"}), (("--state", "declined"), {"state": "declined"}), (("--all",), {})],
    ids=["waiting", "declined", "all"],
)
def test_corrections_are_listed_by_their_state_or_all_of_them(
    command: Oms, api: FakeApi, words: tuple[str, ...], query: dict[str, str]
) -> None:
    decided = {
        "correction_id": "corr_1",
        "kind": "refund",
        "state": "declined",
        "decided_by": "ben",
        "note": "no proof",
    }
    api.page("GET /v1/payment-corrections", decided)

    answer = command("payments", "corrections", *words)

    assert answer.code == 0
    assert {name: value for name, value in api.asked[0].query.items() if name != "limit"} == query
    assert "ben" in answer.out
    assert "no proof" in answer.out


def test_a_payment_shows_the_day_its_cash_came_beside_when_it_was_recorded(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/payments", {"payment_id": "pay_1", "received_on": "2026-11-30", "received_at": None})

    answer = command("payments", "list")

    assert "Nov 30, 2026" in answer.out

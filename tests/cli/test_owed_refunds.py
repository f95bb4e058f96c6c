"""What is owed back to cards, from a terminal."""

from __future__ import annotations

from typing import Any

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

OWED: dict[str, Any] = {
    "refund_id": "rfd_1", "order_id": "ord_1", "payment_id": "pay_1", "amount": {"amount": "750.00", "currency": "USD"}, "state": "open",
    "failed_count": 5, "reason": "insufficient_funds", "reference": None, "owed_at": "2026-11-30T10:00:00.000Z",
}  # fmt: skip


def test_what_is_owed_is_listed_by_state(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/refunds", {"rows": [OWED], "next_cursor": None})

    answer = command("payments", "refunds", "--state", "open")

    assert answer.code == 0, answer.err
    assert api.asked[-1].query["state"] == "open"
    assert "rfd_1" in answer.out
    assert "insufficient_funds" in answer.out


def test_a_refund_is_tried_again_or_paid_another_way(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/refunds/rfd_1/retry", OWED)
    api.on("POST /v1/refunds/rfd_1/payment", {**OWED, "state": "paid_otherwise", "reference": "WIRE-9"})

    retried = command("payments", "retry-refund", "rfd_1")
    paid = command("payments", "pay-refund", "rfd_1", "--reference", "WIRE-9")

    assert "asked for 750.00 USD again" in retried.out
    assert api.asked[-1].body == {"reference": "WIRE-9"}
    assert "750.00 USD under WIRE-9: paid" in paid.out


def test_over_the_limit_another_person_confirms(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/refunds/rfd_1/payment", {**OWED, "reference": "WIRE-9"})

    answer = command("payments", "pay-refund", "rfd_1", "--reference", "WIRE-9")

    assert "another person in accounting confirms it" in answer.out

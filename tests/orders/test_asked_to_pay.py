"""What mails ask a customer to pay: what has come already, and what a card or a till has paid, is not asked for again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.orders.domain.holds import Allowance
from services.orders.domain.order import Settlement
from services.runtime.db import Database
from tests.orders.desk import ACCOUNTING, SUPPORT, Desk, invoice, invoiced, paid
from tests.orders.review_desk import ReviewDesk

TOTAL = 41_506
"""3 pumps at 129.00 with 7.25 % tax, of which 28.06 are tax."""


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def _hear(desk: Desk, order_id: str, kind: str, sequence: int, detail: dict[str, Any]) -> None:
    desk.notify(desk.fact(order_id, "billing", kind, sequence, detail))


def _deposit(minor: int) -> dict[str, Any]:
    return {"payment_id": "pay_1", "amount_minor": minor, "currency": "USD", "reference": "wire", "held_minor": minor}


def _mails(desk: Desk, order_id: str, kind: str) -> list[dict[str, Any]]:
    found = [row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == kind]
    return [one["variables"] for one in found]


@pytest.mark.parametrize(
    ("method", "terms", "held", "asked"),
    [
        ("prepaid", "", 0, ("415.06", "28.06", "")),
        ("prepaid", "", 10_000, ("315.06", "21.30", "100.00")),
        ("deposit", "200.00", 0, ("200.00", "13.52", "")),
        ("deposit", "200.00", 5_000, ("150.00", "10.14", "50.00")),
        ("deposit", "200.00", 20_000, None),
        ("prepaid", "", TOTAL + 1, None),
    ],
)
def test_a_pro_forma_asks_for_what_is_left_to_pay(
    desk: ReviewDesk, method: str, terms: str, held: int, asked: tuple[str, str, str] | None
) -> None:
    order_id = desk.place(("PUMP", 3), payment_method=method, deposit_terms=terms).order_id
    if held:
        _hear(desk, order_id, "deposit_received", 1, _deposit(held))

    desk.validate(order_id, is_granted=False)

    found = [(one["amount"], one["tax"], one["received"]) for one in _mails(desk, order_id, "pro_forma")]
    assert found == ([asked] if asked else [])


def test_a_customer_whose_goods_were_let_go_until_a_day_is_not_asked_again(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3), payment_method="prepaid").order_id
    desk.validate(order_id, is_granted=False)
    [hold] = desk.read(order_id).holds
    desk.release(order_id, hold.hold_id, ACCOUNTING, allowance=Allowance(until=desk.now.date()))
    desk.record(order_id, "accepted")

    desk.now += timedelta(days=2)
    desk.clear_release(order_id)

    assert [one.code for one in desk.read(order_id).holds if one.is_open] == ["RELEASE_EXPIRED"]
    assert len(_mails(desk, order_id, "pro_forma")) == 1


def _invoice_mail(desk: Desk, order_id: str, number: str, total: int, sequence: int = 5) -> list[tuple[Any, ...]]:
    _hear(desk, order_id, "invoice_issued", sequence, invoiced(number, total, {"1": 3}))
    return [
        (one["total"], one["received"], one["due"], one["is_paid"], one["is_by_card"])
        for one in _mails(desk, order_id, "invoice")
    ]


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        (0, ("415.06", "", "415.06", False, False)),
        (12_452, ("415.06", "124.52", "290.54", False, False)),
        (TOTAL, ("415.06", "415.06", "0.00", True, False)),
        (TOTAL + 1, ("415.06", "415.06", "0.00", True, False)),
    ],
)
def test_the_mail_of_an_invoice_asks_for_what_the_deposit_leaves(
    desk: ReviewDesk, held: int, asked: tuple[Any, ...]
) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="deposit", deposit_terms="30%")
    if held:
        _hear(desk, order_id, "deposit_received", 1, _deposit(held))

    assert _invoice_mail(desk, order_id, "INV-1", TOTAL) == [asked]


def test_what_has_paid_an_invoice_that_is_heard_of_later_is_not_asked_for(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="deposit", deposit_terms="30%")
    _hear(desk, order_id, "deposit_received", 1, _deposit(12_452))
    _hear(desk, order_id, "payment_received", 6, paid(12_452, [invoice("INV-1", TOTAL, 12_452)]))

    assert _invoice_mail(desk, order_id, "INV-1", TOTAL) == [("415.06", "124.52", "290.54", False, False)]


@pytest.mark.parametrize(("token", "is_by_card"), [("pm_card_visa", True), ("", False)])
def test_what_a_card_is_charged_with_is_not_asked_for_but_an_order_from_before_cards_is_billed(
    desk: ReviewDesk, token: str, *, is_by_card: bool
) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="card", card_token=token)

    assert _invoice_mail(desk, order_id, "INV-1", TOTAL) == [("415.06", "", "415.06", False, is_by_card)]


@pytest.mark.parametrize(
    ("channel", "method", "count"), [("amazon", "settled_elsewhere", 0), ("pos", "card", 0), ("pos", "terms", 1)]
)
def test_nobody_is_billed_for_what_a_marketplace_or_a_till_was_paid_for(
    desk: ReviewDesk, channel: str, method: str, count: int
) -> None:
    settlement = Settlement("113-4402") if method == "settled_elsewhere" else None
    order_id = desk.accepted(("PUMP", 3), channel=channel, payment_method=method, settlement=settlement, by=SUPPORT)

    assert len(_invoice_mail(desk, order_id, "INV-1", TOTAL)) == count


def test_a_deposit_in_time_for_the_discount_settles_the_invoice(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="deposit", deposit_terms="98%")
    _hear(desk, order_id, "deposit_received", 1, _deposit(40_676))
    early = {"early_discount_minor": 830, "discount_until": "2026-12-03"}
    issued = invoiced("INV-1", TOTAL, {"1": 3})

    _hear(desk, order_id, "invoice_issued", 5, {**issued, "invoice": {**issued["invoice"], **early}})

    assert [(one["is_paid"], one["early_total"]) for one in _mails(desk, order_id, "invoice")] == [(True, "0.00")]

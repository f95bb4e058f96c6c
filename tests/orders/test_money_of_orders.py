"""An order's money as orders follows it: holds go when it comes and come back when it is reversed; deposits by their terms."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.money import Money
from services.orders.domain.order import deposit_of
from services.orders.order import exceptions
from services.runtime.db import Database
from tests.orders.change_desk import apply, asked, changed, propose, quantity
from tests.orders.desk import ACCOUNTING, Desk, shipment, stock, together
from tests.orders.review_desk import ReviewDesk

TOTAL = 41_506
"""3 pumps at 129.00 with 7.25 % tax."""


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def _granted(minor: int = TOTAL) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "USD", "payment_method": "prepaid"}


def _taken(*, is_uncovered: bool = True, held: int = 0) -> dict[str, Any]:
    return {
        "payment_id": "pay_1", "amount_minor": TOTAL, "currency": "USD", "reference": "CHECK-1", "reason": "check bounced",
        "is_uncovered": is_uncovered, "held_minor": held,
    }  # fmt: skip


def _hear(desk: Desk, order_id: str, kind: str, sequence: int, detail: dict[str, Any]) -> None:
    desk.notify(desk.fact(order_id, "billing", kind, sequence, detail))


def _open(desk: Desk, order_id: str) -> list[str]:
    return [hold.code for hold in desk.read(order_id).holds if hold.is_open]


@pytest.mark.parametrize(
    ("method", "code"), [("terms", "CREDIT_EXCEEDED"), ("prepaid", "PAYMENT_OUTSTANDING"), ("card", "CARD_MISSING")]
)
def test_the_hold_on_an_orders_money_goes_by_itself_when_it_comes_and_the_order_goes_on(
    desk: ReviewDesk, method: str, code: str
) -> None:
    order_id = desk.place(("PUMP", 3), payment_method=method).order_id
    desk.validate(order_id, is_granted=False)
    assert _open(desk, order_id) == [code]

    _hear(desk, order_id, "credit_granted", 1, _granted())

    after = desk.read(order_id)
    assert (_open(desk, order_id), after.order.phase) == ([], "accepted")
    assert [(hold.released_by, hold.note) for hold in after.holds] == [("billing", "the money is here")]
    assert desk.signals(order_id) == ["holds_released"]
    assert [event.what for event in desk.events(order_id)][-2:] == ["credit_granted", "hold_released"]
    assert desk.broken() == []


def test_a_hold_of_another_kind_stays_when_the_money_comes(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3, "90.00")).order_id
    desk.validate(order_id, is_granted=False)
    held = _open(desk, order_id)
    assert "CREDIT_EXCEEDED" in held
    assert len(held) > 1

    _hear(desk, order_id, "credit_granted", 1, _granted(99_999))

    assert _open(desk, order_id) == [code for code in held if code != "CREDIT_EXCEEDED"]
    assert desk.signals(order_id) == []
    assert desk.read(order_id).order.phase == "in_review"


def test_money_that_comes_before_the_refusal_is_told_of_leaves_no_hold(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3)).order_id
    _hear(desk, order_id, "credit_granted", 1, _granted())

    desk.validate(order_id, is_granted=False)

    assert (_open(desk, order_id), desk.read(order_id).order.phase) == ([], "accepted")


def test_money_for_less_than_the_order_comes_to_releases_it_only_as_billing_says(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3)).order_id
    _hear(desk, order_id, "credit_granted", 1, _granted(TOTAL - 1))

    desk.validate(order_id, is_granted=False)

    assert _open(desk, order_id) == ["CREDIT_EXCEEDED"]


def test_what_was_released_by_hand_is_not_released_again(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3)).order_id
    desk.validate(order_id, is_granted=False)
    [hold] = desk.read(order_id).holds
    desk.release(order_id, hold.hold_id, ACCOUNTING)

    _hear(desk, order_id, "credit_granted", 1, _granted())

    assert [one.released_by for one in desk.read(order_id).holds] == ["abe"]
    assert desk.signals(order_id) == ["holds_released"]


def _part_released(desk: ReviewDesk) -> str:
    order_id = desk.accepted(("PUMP", 3), payment_method="prepaid")
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (1, 2)}, "2026-12-01")))
    released = together(shipment("SH-1", "released", {"1": 1}))
    desk.notify(desk.fact(order_id, "fulfillment", "shipments_released", 1, released))
    return order_id


def test_a_payment_that_is_reversed_holds_what_has_not_left_until_another_comes(desk: ReviewDesk) -> None:
    order_id = _part_released(desk)

    _hear(desk, order_id, "payment_reversed", 5, _taken())

    assert _open(desk, order_id) == ["PAYMENT_REVERSED"]
    assert desk.read(order_id).order.phase == "accepted"
    assert not desk.clear_release(order_id).is_clear
    assert desk.mails(order_id)[-1] == "order_on_hold"
    assert desk.broken() == []
    _hear(desk, order_id, "credit_granted", 6, _granted())
    assert _open(desk, order_id) == []
    assert desk.signals(order_id)[-1] == "holds_released"
    assert desk.clear_release(order_id, key="2").is_clear


@pytest.mark.parametrize(
    ("sequence", "is_uncovered"),
    [(3, True), (5, False)],
    ids=["an older fact than the money that came", "what had left already is owed, not held"],
)
def test_a_payment_that_is_reversed_holds_nothing_when(desk: ReviewDesk, sequence: int, *, is_uncovered: bool) -> None:
    order_id = _part_released(desk)
    _hear(desk, order_id, "credit_granted", 4, _granted())

    _hear(desk, order_id, "payment_reversed", sequence, _taken(is_uncovered=is_uncovered))

    assert _open(desk, order_id) == []


@pytest.mark.parametrize(
    ("kind", "state", "is_held"),
    [
        ("shipments_released", "released", True),
        ("shipment_picked", "picked", True),
        ("shipment_shipped", "shipped", False),
    ],
)
def test_an_order_that_is_with_the_warehouse_is_held_until_it_has_left_and_its_workflow_asks_the_warehouse(
    desk: ReviewDesk, kind: str, state: str, *, is_held: bool
) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="prepaid")
    one = shipment("SH-1", state, {"1": 3})
    desk.notify(desk.fact(order_id, "fulfillment", kind, 1, together(one) if state == "released" else one))

    _hear(desk, order_id, "payment_reversed", 5, _taken())

    assert _open(desk, order_id) == (["PAYMENT_REVERSED"] if is_held else [])
    assert ("payment_reversed" in desk.signals(order_id)) == is_held
    assert desk.broken() == []


def test_a_payment_that_is_reversed_while_a_release_is_on_its_way_has_it_recalled(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="prepaid")

    _hear(desk, order_id, "payment_reversed", 5, _taken())

    [hold] = desk.read(order_id).holds
    [asked] = [row for row in desk.outbox("signal", order_id) if row["detail"]["signal"] == "payment_reversed"]
    assert asked["subject_id"] == hold.hold_id


def test_a_payment_returned_on_an_invoice_is_an_exception_of_accounting_until_it_is_paid_again(
    desk: ReviewDesk,
) -> None:
    order_id = desk.accepted(("PUMP", 3))
    bill = {
        "invoice_id": "inv_1", "number": "INV-000001", "shipment_id": "shp_1", "total_minor": TOTAL, "currency": "USD",
        "invoiced_on": "2026-12-01", "due_on": "2026-12-31",
    }  # fmt: skip
    paid, open_again = {**bill, "paid_minor": TOTAL, "status": "paid"}, {**bill, "open_minor": TOTAL, "status": "open"}
    issued = {"lines": {"1": {"invoiced": 3}}, "invoice": open_again}
    received = {"payment_id": "pay_1", "amount_minor": TOTAL, "currency": "USD", "reference": "W", "invoices": [paid]}
    _hear(desk, order_id, "invoice_issued", 1, issued)
    _hear(desk, order_id, "payment_received", 2, received)

    _hear(desk, order_id, "payment_reversed", 3, {**_taken(is_uncovered=False), "invoices": [open_again]})
    found = _exceptions(desk, order_id)
    _hear(desk, order_id, "payment_received", 4, {**received, "payment_id": "pay_2"})

    assert found == [("payment_returned", "accounting")]
    assert _exceptions(desk, order_id) == []
    assert desk.broken() == []


def test_a_capture_that_failed_is_an_exception_of_accounting_until_its_invoice_is_paid(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="card")
    bill = {
        "invoice_id": "inv_1", "number": "INV-000001", "shipment_id": "shp_1", "total_minor": TOTAL, "currency": "USD",
        "invoiced_on": "2026-12-01", "due_on": "2026-12-01", "paid_minor": TOTAL, "status": "paid",
    }  # fmt: skip
    problem = {"amount_minor": TOTAL, "currency": "USD", "reason": "415.06 USD of INV-000001 could not be captured."}
    received = {"payment_id": "pay_1", "amount_minor": TOTAL, "currency": "USD", "reference": "pi_1/INV-000001"}

    _hear(desk, order_id, "card_problem", 1, {**problem, "kind": "capture_failed", "subject_id": "inv_1"})
    _hear(desk, order_id, "card_problem", 2, {**problem, "kind": "card_disputed", "subject_id": "authorize/1"})
    _hear(desk, order_id, "card_problem", 3, {**problem, "kind": "of a later release", "subject_id": "inv_1"})
    found = _exceptions(desk, order_id)
    _hear(desk, order_id, "payment_received", 4, {**received, "invoices": [bill]})

    assert found == [("capture_failed", "accounting"), ("card_disputed", "accounting")]
    assert _exceptions(desk, order_id) == [("card_disputed", "accounting")]
    assert desk.broken() == []


def _exceptions(desk: Desk, order_id: str) -> list[tuple[str, str]]:
    with desk.database.reading() as session:
        return [(one.kind, one.owner_role) for one in exceptions.list_open(session, order_id)]


def test_the_cash_held_for_an_order_is_what_the_newest_fact_says(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="prepaid")
    deposit = {"payment_id": "pay_1", "amount_minor": 500, "currency": "USD", "reference": "W-1", "held_minor": 500}

    _hear(desk, order_id, "deposit_received", 2, {**deposit, "held_minor": 900})
    _hear(desk, order_id, "deposit_received", 1, deposit)

    assert desk.read(order_id).progress.held_minor == 900
    assert desk.mails(order_id).count("payment_received") == 2


@pytest.mark.parametrize(
    ("terms", "total", "deposit"),
    [
        ("", 100_000, 0),
        ("30%", 100_000, 30_000),
        ("12.5%", 100, 13),  # 12.5 half up
        ("33.33%", 3, 1),
        ("100%", 41_506, 41_506),
        ("300.00", 100_000, 30_000),
        ("300.00", 20_000, 20_000),
    ],
)
def test_deposit_terms_come_to(terms: str, total: int, deposit: int) -> None:
    assert deposit_of(terms, Money(total, "USD")) == Money(deposit, "USD")


def test_a_deposit_follows_the_total_of_its_order(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3), payment_method="deposit", deposit_terms="30%").order_id

    assert desk.read(order_id).order.deposit == Money(12_452, "USD")  # 30 % of 415.06 is 124.518


@pytest.mark.parametrize(
    ("cause", "words", "mails"),
    [("", "was reversed", 1), ("reapplied", "was put to another use", 0), ("refunded", "was refunded", 0)],
)
def test_money_that_was_moved_or_refunded_is_not_said_to_be_reversed(
    desk: ReviewDesk, cause: str, words: str, mails: int
) -> None:
    order_id = _part_released(desk)
    open_again = {
        "invoice_id": "inv_1", "number": "INV-000001", "shipment_id": "shp_1", "total_minor": TOTAL, "currency": "USD",
        "invoiced_on": "2026-12-01", "due_on": "2026-12-31", "open_minor": TOTAL, "status": "open",
    }  # fmt: skip

    _hear(desk, order_id, "payment_reversed", 5, {**_taken(), "invoices": [open_again], "cause": cause})

    [hold] = [one for one in desk.read(order_id).holds if one.is_open]
    with desk.database.reading() as session:
        [returned] = exceptions.list_open(session, order_id)
    assert (words in hold.reason, words in returned.reason) == (True, True)
    assert desk.mails(order_id).count("payment_reversed") == mails


def test_an_invoice_that_the_moved_payment_pays_all_the_same_is_no_exception(desk: ReviewDesk) -> None:
    order_id = _part_released(desk)
    paid = {
        "invoice_id": "inv_1", "number": "INV-000001", "shipment_id": "shp_1", "total_minor": TOTAL, "currency": "USD",
        "invoiced_on": "2026-12-01", "due_on": "2026-12-31", "paid_minor": TOTAL, "status": "paid",
    }  # fmt: skip

    moved = {**_taken(is_uncovered=False), "invoices": [paid], "cause": "reapplied"}
    _hear(desk, order_id, "payment_reversed", 5, moved)

    assert (_exceptions(desk, order_id), _open(desk, order_id)) == ([], [])


def test_a_change_that_makes_an_order_smaller_needs_no_money_that_is_not_here(desk: ReviewDesk) -> None:
    order_id = _part_released(desk)
    _hear(desk, order_id, "payment_reversed", 5, _taken())
    change_id = propose(desk, order_id, asked(quantity("1", 2))).change.change_id

    applied = apply(desk, order_id, change_id, is_granted=False)

    assert (applied.is_applied, desk.read(order_id).order.lines[0].quantity) == (True, 2)
    assert "PAYMENT_REVERSED" in _open(desk, order_id)
    assert desk.broken() == []


def test_money_that_came_counts_once_and_not_for_what_the_order_asks_for_later(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3)).order_id
    _hear(desk, order_id, "credit_granted", 1, _granted())
    desk.validate(order_id, is_granted=False)
    changed(desk, order_id, asked(quantity("1", 1)))
    more = propose(desk, order_id, asked(quantity("1", 3))).change.change_id

    refused = apply(desk, order_id, more, is_granted=False)

    assert refused.reason == "the customer's credit does not cover the changed order"


def test_money_that_released_a_hold_is_none_for_a_change_that_nobody_has_money_for(desk: ReviewDesk) -> None:
    order_id = desk.place(("PUMP", 3)).order_id
    desk.validate(order_id, is_granted=False)
    _hear(desk, order_id, "credit_granted", 1, _granted())
    changed(desk, order_id, asked(quantity("1", 1)))
    more = propose(desk, order_id, asked(quantity("1", 3))).change.change_id

    assert not apply(desk, order_id, more, is_granted=False).is_applied


def test_money_that_comes_before_a_change_is_told_of_its_refusal_lets_it_pass(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 1))
    more = propose(desk, order_id, asked(quantity("1", 3))).change.change_id
    _hear(desk, order_id, "credit_granted", 1, _granted())

    assert apply(desk, order_id, more, is_granted=False).is_applied


def _deposit(held: int) -> dict[str, Any]:
    return {"payment_id": "pay_1", "amount_minor": 500, "currency": "USD", "reference": "W-1", "held_minor": held}


@pytest.mark.parametrize("cause", ["reapplied", "refunded"])
def test_cash_held_for_an_order_that_ends_is_an_exception_of_accounting_until_it_is_moved(
    desk: ReviewDesk, cause: str
) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="prepaid")
    _hear(desk, order_id, "deposit_received", 1, _deposit(500))
    assert _exceptions(desk, order_id) == []

    desk.record(order_id, "cancelled")
    found = _exceptions(desk, order_id)
    _hear(desk, order_id, "payment_reversed", 2, {**_taken(is_uncovered=False, held=1), "cause": cause})
    assert _exceptions(desk, order_id) == found
    _hear(desk, order_id, "payment_reversed", 3, {**_taken(is_uncovered=False), "cause": cause})

    assert found == [("deposit_left", "accounting")]
    assert _exceptions(desk, order_id) == []
    assert desk.broken() == []


def test_cash_that_comes_for_an_order_that_has_ended_is_an_exception(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="prepaid")
    desk.record(order_id, "cancelled")
    assert _exceptions(desk, order_id) == []

    _hear(desk, order_id, "deposit_received", 1, _deposit(500))

    assert _exceptions(desk, order_id) == [("deposit_left", "accounting")]


def test_an_exception_for_cash_that_is_not_held_is_named_by_the_audit(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="prepaid")

    with desk.database.transaction() as session:
        exceptions.open_exception(session, order_id, "deposit_left", order_id, "planted", desk.now)

    assert desk.broken() == ["orders.deposit_left_is_held"]

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument
from services.kernel.money import extend
from services.orders.domain.facts import Fact
from services.orders.domain.order import Line, Order, totals
from services.orders.domain.projection import Progress, apply, is_complete, quantities, signals, signals_of_change
from services.orders.domain.status import STATUS_VALUES, derive
from services.orders.domain.tax_parts import DEFAULT_TAXATION
from tests.facts import heard
from tests.orders.desk import DALLAS, amount, invoice, invoiced, paid, shipment, stock, together, usd

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def order(quantity: int = 10, phase: str = "accepted") -> Order:
    line = Line(
        "1", "PUMP", "Pump", "stock", quantity, usd("20.00"), extend(usd("20.00"), quantity), usd("20.00"), "list"
    )
    sums = totals((line,), amount("0.00"), amount("0.00"), DEFAULT_TAXATION)
    return Order(
        "ord_1", "SO-1001", 1, phase, "cus_acme", "Acme", "web", "", "", "USD", "terms", 30, Decimal(0), DALLAS, None,
        False, NOW, "ann", "customer", "", "", (line,), sums, cleared_at=NOW,
    )  # fmt: skip


def fact(number: int, source: str, kind: str, sequence: int, detail: dict[str, Any]) -> Fact:
    return replace(heard(kind, detail, source, sequence=sequence), fact_id=f"fact_{number}")


LIFE = (
    fact(1, "inventory", "stock_reserved", 1, stock({"1": (6, 4)}, "2026-12-01")),
    fact(2, "fulfillment", "shipment_picked", 1, shipment("SH-1", "picked", {"1": 6})),
    fact(3, "fulfillment", "shipment_shipped", 2, shipment("SH-1", "shipped", {"1": 6})),
    fact(4, "inventory", "stock_allocated", 2, stock({"1": (10, 0)})),
    fact(5, "billing", "invoice_issued", 1, invoiced("INV-1", 12000, {"1": 6})),
    fact(6, "fulfillment", "shipment_delivered", 3, shipment("SH-1", "delivered", {"1": 6})),
    fact(7, "fulfillment", "shipment_delivered", 4, shipment("SH-2", "delivered", {"1": 4}, before={"1": 6})),
    fact(8, "billing", "invoice_issued", 2, invoiced("INV-2", 8000, {"1": 10})),
    fact(
        9, "billing", "payment_received", 3, paid(20000, [invoice("INV-1", 12000, 12000), invoice("INV-2", 8000, 8000)])
    ),
)


def through(facts: list[Fact]) -> Progress:
    progress = Progress()
    for one in facts:
        progress = apply(progress, one)
    return progress


@given(st.lists(st.sampled_from(LIFE), max_size=30), st.permutations(LIFE))
@settings(max_examples=300)
def test_any_order_and_repetition_of_facts_ends_in_the_same_projection(repeats: list[Fact], once: list[Fact]) -> None:
    assert through([*repeats, *once]) == through(list(LIFE))
    assert through([*once, *repeats]) == through(list(LIFE))


@given(st.permutations(LIFE))
@settings(max_examples=300)
def test_last_delivery_and_settlement_are_signalled_exactly_once_in_any_order_of_arrival(arrival: list[Fact]) -> None:
    progress = Progress()
    notified: list[str] = []
    for one in arrival:
        after = apply(progress, one)
        notified += signals(order(), progress, after, one)
        progress = after

    assert sorted(notified) == ["payment_settled", "shipment_delivered", "shipment_shipped", "stock_allocated"]
    assert is_complete(order(), progress)


@given(st.lists(st.sampled_from(LIFE), max_size=9), st.sampled_from(["received", "accepted", "closed", "cancelled"]))
def test_every_mixture_of_facts_derives_to_a_known_word(facts: list[Fact], phase: str) -> None:
    standing = derive(order(phase=phase), through(facts), (), NOW)

    assert standing.status in STATUS_VALUES


def test_the_word_follows_the_goods_and_then_the_money() -> None:
    words = []
    progress = Progress()
    for one in LIFE:
        progress = apply(progress, one)
        words.append(derive(order(), progress, (), NOW).status)

    assert words == [
        "backordered",
        "in_fulfilment",
        "partially_shipped",
        "partially_shipped",
        "partially_shipped",
        "partially_shipped",
        "delivered",
        "delivered",
        "completed",
    ]


def test_a_change_that_leaves_only_what_is_delivered_and_paid_owes_both_signals_once() -> None:
    far = through([LIFE[2], LIFE[5], fact(8, "billing", "invoice_issued", 2, invoiced("INV-1", 12000, {"1": 6}))])
    settled = apply(far, fact(9, "billing", "payment_received", 3, paid(12000, [invoice("INV-1", 12000, 12000)])))

    assert signals_of_change(order(10), order(6), settled) == ("shipment_delivered", "payment_settled")
    assert signals_of_change(order(10), order(6), far) == ("shipment_delivered",)
    assert signals_of_change(order(10), order(7), settled) == ()
    assert signals_of_change(order(6), order(6), settled) == ()


def test_money_beyond_the_invoices_is_over_and_a_failed_order_reads_as_cancelled() -> None:
    over = through([LIFE[4], fact(9, "billing", "payment_received", 3, paid(12001, [invoice("INV-1", 12000, 12001)]))])

    assert derive(order(), over, (), NOW).axes.payment == "over"
    assert derive(order(6), through([*LIFE[:5]]), (), NOW).axes.payment == "unpaid"
    assert derive(order(phase="failed"), through([LIFE[0]]), (), NOW).status == "cancelled"


def test_an_older_fact_changes_no_count_that_a_newer_one_told() -> None:
    newer, older = LIFE[3], LIFE[0]

    line = through([newer, older]).lines["1"]

    assert (line.allocated, line.backordered, line.expected_on) == (10, 0, "")


def test_the_answer_to_a_recall_lowers_what_is_released_and_wakes_the_order() -> None:
    released = together(shipment("SH-1", "released", {"1": 10}))
    before = through([fact(1, "fulfillment", "shipments_released", 1, released)])
    detail = together(shipment("SH-1", "released", {"1": 6})) | {"change_id": "chg_1", "is_acknowledged": True}
    answer = fact(2, "fulfillment", "recall_answered", 2, detail)

    after = apply(before, answer)

    assert (before.lines["1"].released, after.lines["1"].released) == (10, 6)
    assert [line.quantity for each in after.shipments.values() for line in each.lines] == [6]
    assert signals(order(), before, after, answer) == ("recall_answered",)
    del detail["change_id"]
    with pytest.raises(InvalidArgument):
        apply(before, fact(2, "fulfillment", "recall_answered", 2, detail))


def test_what_a_cancelled_order_has_not_shipped_is_cancelled() -> None:
    line = quantities(order(phase="cancelled"), through([LIFE[0]]))["1"]

    assert (line.cancelled, line.backordered, line.wanted) == (10, 0, 0)


def test_progress_survives_its_own_document() -> None:
    progress = through(list(LIFE))

    assert Progress.of(progress.document()) == progress


@pytest.mark.parametrize(
    ("kind", "source", "detail"),
    [
        ("shipment_shipped", "fulfillment", {"lines": {}}),
        ("shipment_delivered", "fulfillment", {"shipment": {"shipment_id": "shp_1", "delivered_at_micros": -1}}),
        ("stock_reserved", "somebody", {"lines": {"1": {"allocated": 1}}}),
        ("payment_received", "billing", {"amount_minor": 100, "currency": "dollars"}),
        ("stock_expected", "inventory", {"lines": {"1": {"backordered": 1, "expected_on": "2026-02-30"}}}),
        ("invoice_issued", "billing", {"invoice": invoice("INV-1", 100) | {"currency": "dollars"}}),
        ("invoice_issued", "billing", {"lines": {}, "invoice": {"number": "INV-1"}}),
    ],
)
def test_a_detail_that_cannot_be_read_is_named_and_never_half_applied(
    kind: str, source: str, detail: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        apply(Progress(), fact(1, source, kind, 1, detail))

    assert refusal.value.reason == "FACT_UNREADABLE"

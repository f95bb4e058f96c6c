"""Payment terms: how they are written, and when an invoice falls due, by tables."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from services.kernel.terms import NOT_DUE, Terms, end_of_month


def unmoved(day: date) -> date:
    return day


def due_days(terms: str, invoiced_on: str, delivered_on: str = "") -> list[str]:
    delivered = date.fromisoformat(delivered_on) if delivered_on else None
    rows = Terms.parse(terms).installments(Money(100, "USD"), date.fromisoformat(invoiced_on), unmoved, delivered)
    return [one.due_on.isoformat() for one in rows]


@pytest.mark.parametrize(
    ("terms", "invoiced_on", "due"),
    [
        ("net 0", "2026-03-02", ["2026-03-02"]),
        ("net 30", "2026-01-30", ["2026-03-01"]),
        ("net 30", "2028-01-30", ["2028-02-29"]),
        ("net 365", "2028-02-29", ["2029-02-28"]),
        ("eom 0", "2026-02-01", ["2026-02-28"]),
        ("eom 0", "2028-02-01", ["2028-02-29"]),
        ("eom 0", "2026-12-31", ["2026-12-31"]),
        ("eom 15", "2026-12-01", ["2027-01-15"]),
        ("eom 30", "2026-01-31", ["2026-03-02"]),
        ("2/10 net 30", "2026-03-02", ["2026-04-01"]),
        ("50%@0 50%@60", "2026-03-02", ["2026-03-02", "2026-05-01"]),
        ("delivery 10", "2026-03-02", ["9999-12-31"]),
    ],
)
def test_an_invoice_falls_due(terms: str, invoiced_on: str, due: list[str]) -> None:
    assert due_days(terms, invoiced_on) == due


@pytest.mark.parametrize(
    ("terms", "delivered_on", "due"),
    [
        ("delivery 0", "2026-03-05", "2026-03-05"),
        ("delivery 10", "2026-03-05", "2026-03-15"),
        # the carrier's clock said so: nothing falls due before it is invoiced
        ("delivery 0", "2026-03-01", "2026-03-02"),
        ("net 30", "2026-03-05", "2026-04-01"),
    ],
)
def test_what_is_due_on_delivery_goes_by_its_day(terms: str, delivered_on: str, due: str) -> None:
    assert due_days(terms, "2026-03-02", delivered_on) == [due]


@pytest.mark.parametrize(
    ("currency", "total", "terms", "amounts"),
    [
        ("USD", 10_000, "33.33%@10 33.33%@20 33.34%@30", [3333, 3333, 3334]),
        ("USD", 10_001, "30%@10 30%@40 40%@70", [3000, 3000, 4001]),  # 3000.3, 3000.3, 4000.4
        ("USD", 5, "50%@10 50%@20", [3, 2]),
        ("JPY", 1_000, "33.33%@10 33.33%@20 33.34%@30", [333, 333, 334]),
        ("JPY", 101, "25%@1 25%@2 25%@3 25%@4", [25, 25, 25, 26]),
        ("KWD", 1_000_001, "33.33%@10 66.67%@20", [333_300, 666_701]),
        ("USD", 1, "50%@10 50%@20", [1]),
        ("USD", 0, "50%@10 50%@20", [0]),
    ],
)
def test_installments_are_shared_out_to_the_last_minor_unit(
    currency: str, total: int, terms: str, amounts: list[int]
) -> None:
    rows = Terms.parse(terms).installments(Money(total, currency), date(2026, 3, 2), unmoved)

    assert [one.amount.minor for one in rows] == amounts


PARTS = st.lists(st.integers(1, 9_999), min_size=1, max_size=11, unique=True).map(
    lambda cuts: [after - before for before, after in zip([0, *sorted(cuts)], [*sorted(cuts), 10_000], strict=True)]
)


@settings(max_examples=200, deadline=None)
@given(parts=PARTS, minor=st.integers(0, 10**9), currency=st.sampled_from(["JPY", "USD", "KWD"]))
def test_installments_sum_to_the_total_in_order_of_their_days(parts: list[int], minor: int, currency: str) -> None:
    text = " ".join(f"{part // 100}.{part % 100:02d}%@{days}" for days, part in enumerate(parts, start=1))

    terms = Terms.parse(text)
    rows = terms.installments(Money(minor, currency), date(2026, 3, 2), unmoved)

    assert Terms.parse(terms.text) == terms
    assert sum(one.amount.minor for one in rows) == minor
    assert all(one.amount.minor > 0 for one in rows) or len(rows) == 1
    assert [one.due_on for one in rows] == sorted({one.due_on for one in rows})


@given(st.dates(date(2000, 1, 1), date(2200, 12, 31)))
def test_the_day_after_the_end_of_a_month_is_the_first(day: date) -> None:
    assert (end_of_month(day) + timedelta(days=1)).day == 1
    assert 0 <= (end_of_month(day) - day).days < 31


@pytest.mark.parametrize(
    ("written", "text", "words"),
    [
        ("net 30", "net 30", "net 30 days"),
        ("NET  1", "net 1", "net 1 day"),
        ("2/10 net 30", "2/10 net 30", "2 % within 10 days, net 30 days"),
        ("1.50/8 eom 15", "1.5/8 eom 15", "1.5 % within 8 days, end of month + 15 days"),
        ("eom 0", "eom 0", "end of month"),
        ("delivery 0", "delivery 0", "due on delivery"),
        ("delivery 10", "delivery 10", "10 days after delivery"),
        ("30%@0, 70.00%@60", "30%@0 70%@60", "30 % at once, 70 % after 60 days"),
    ],
)
def test_terms_are_written_one_way_and_read_as_words(written: str, text: str, words: str) -> None:
    terms = Terms.parse(written)

    assert (terms.text, terms.words) == (text, words)
    assert Terms.parse(terms.text) == terms


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "write terms as"),
        ("30", "write terms as"),
        ("net thirty", "write terms as"),
        ("50%@10 net 30", "write terms as"),
        ("net 366", "from 0 to 365"),
        ("0/10 net 30", "more than 0 %"),
        ("100/10 net 30", "less than 100 %"),
        ("2/31 net 30", "no later than"),
        ("100%@10", "from 2 to 24 installments"),
        ("50%@10 50%@10", "later than the one before"),
        ("50%@20 50%@10", "later than the one before"),
        ("50%@10 49.99%@20", "come to 100 %"),
        ("0%@10 100%@20", "none of them to 0 %"),
    ],
)
def test_terms_that_cannot_be_are_refused_with_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why) as refusal:
        Terms.parse(text)

    assert refusal.value.reason == "TERMS_INVALID"


@pytest.mark.parametrize(
    ("total", "percent", "amount"), [(100_000, "2", 2_000), (25, "2", 1), (24, "2", 0), (333, "1.5", 5)]
)
def test_a_discount_is_rounded_half_up(total: int, percent: str, amount: int) -> None:
    discount = Terms.parse(f"{percent}/10 net 30").discount

    assert discount is not None
    assert discount.of(Money(total, "USD")).minor == amount


def test_nothing_is_due_later_than_what_is_not_due() -> None:
    assert date.max == NOT_DUE

"""Salutations, reasons and formats as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.formats import Formats
from services.kernel.text import split_lines
from services.notifications import domain, filters
from services.notifications.domain import Recipient
from services.notifications.domain.wording import WITHHELD, first_name

DALLAS = Formats("America/Chicago", "mdy", "12h")


@pytest.mark.parametrize(
    ("role", "name", "salutation"),
    [
        ("customer", "ACME", "Dear ACME,"),
        ("customer", "Ann Miller", "Dear Ann Miller,"),
        ("customer", "", "Hello,"),
        ("approver", "Max Winter", "Hello Max,"),
        ("sales_rep", "Lopez, Maria", "Hello Maria,"),
        ("sales_rep", "Dr. Maria Lopez", "Hello Maria,"),
        ("support", "Support", "Hello Support,"),
        ("warehouse_manager", "", "Hello,"),
        ("approver", "Max\r\nBcc: x", "Hello Max,"),
    ],
)
def test_a_customer_is_greeted_by_the_whole_name_and_staff_by_the_first(role: str, name: str, salutation: str) -> None:
    assert domain.salutation(Recipient("x@x.example", name, role)) == salutation


@given(st.text())
def test_a_first_name_is_one_word_or_none(name: str) -> None:
    assert len(first_name(name).split()) <= 1


@pytest.mark.parametrize(
    "sentence",
    ["over 25,000.00 USD", "a margin of 11.2 %", "a margin of 11%", "costs $5", "USD 300 too much", "500 JPY", "€ 20"],
)
def test_an_amount_or_a_share_is_money(sentence: str) -> None:
    assert domain.names_money(sentence)


@pytest.mark.parametrize("sentence", ["4 PUMP-100 are short", "SO-1001", "Dec 1, 2026", "ship to Dallas, TX 75001", ""])
def test_numbers_dates_and_places_are_no_money(sentence: str) -> None:
    assert not domain.names_money(sentence)


def test_a_reader_without_prices_learns_that_there_are_other_reasons_but_no_amount() -> None:
    said = ["The address is incomplete", "Over 25,000.00 USD", "Margin below 12 %"]

    assert domain.readable_reasons(said, True) == said
    assert domain.readable_reasons(said, False) == ["The address is incomplete", WITHHELD]
    assert domain.readable_reasons(said[:1], False) == said[:1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-12-01", "Dec 1, 2026"),
        ("2026-12-01T03:00:00+00:00", "Nov 30, 2026"),
        ("2026-12-01T03:00:00+00:00[Asia/Tokyo]", "Dec 1, 2026"),
        ("2026-13-01", "2026-13-01"),
        ("Dec 1, 2026", "Dec 1, 2026"),
        ("", ""),
        (None, None),
        (5, 5),
    ],
)
def test_a_day_is_written_out_and_what_is_none_stays_as_it_is(value: object, shown: object) -> None:
    assert filters.day(DALLAS, value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2026-12-01T23:00:00+00:00", "Dec 1, 2026, 5:00 PM CST"),
        ("2026-12-01T23:00:00+00:00[Nowhere/Land]", "Dec 1, 2026, 5:00 PM CST"),
        ("2026-12-01T23:00:00", "2026-12-01T23:00:00"),
        ("9999-12-31T23:59:00-12:00[Asia/Tokyo]", "9999-12-31T23:59:00-12:00[Asia/Tokyo]"),
        ("2026-12-01T99:00:00+00:00", "2026-12-01T99:00:00+00:00"),
        ("2026-12-01", "2026-12-01"),
        (None, None),
    ],
)
def test_an_instant_names_its_zone_and_what_is_none_stays_as_it_is(value: object, shown: object) -> None:
    assert filters.instant(DALLAS, value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1200", "1,200"),
        ("9" * 5000, "9" * 5000),
        ("1200.5 USD", "1,200.5 USD"),
        ("-1200.00 USD", "-1,200.00 USD"),
        ("2026-12-01", "Dec 1, 2026"),
        ("1,200.00 USD", "1,200.00 USD"),
        ("Dock 4, Dallas", "Dock 4, Dallas"),
        (None, None),
    ],
)
def test_a_side_of_a_change_is_a_quantity_an_amount_a_day_or_words(value: object, shown: object) -> None:
    assert filters.fact(DALLAS, value) == shown


@given(st.one_of(st.text(), st.none(), st.booleans(), st.floats(allow_nan=False), st.lists(st.integers())))
def test_no_filter_refuses_a_value(value: object) -> None:
    for printed in (filters.day(DALLAS, value), filters.instant(DALLAS, value), filters.fact(DALLAS, value)):
        assert isinstance(printed, (str, type(value)))
    assert filters.grouped(value) == value


@pytest.mark.parametrize(("setting", "lines"), [("", ()), ("a|b", ("a", "b")), (" a | | b ", ("a", "b")), ("||", ())])
def test_a_setting_has_its_lines_apart_by_a_bar(setting: str, lines: tuple[str, ...]) -> None:
    assert split_lines(setting) == lines

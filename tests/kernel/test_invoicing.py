"""Invoicing policies: whose they are, and the day that an invoice bears."""

from __future__ import annotations

from datetime import date

import pytest

from services.kernel.errors import InvalidArgument
from services.kernel.invoicing import invoiced_on, is_due, period_end, policy_of

MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)


@pytest.mark.parametrize(
    ("policy", "day", "last"),
    [
        ("weekly", MONDAY, SUNDAY),
        ("weekly", SUNDAY, SUNDAY),
        ("weekly", date(2026, 12, 31), date(2027, 1, 3)),
        ("monthly", MONDAY, date(2026, 3, 31)),
        ("monthly", date(2028, 2, 1), date(2028, 2, 29)),
        ("monthly", date(2026, 12, 31), date(2026, 12, 31)),
        ("manual", MONDAY, MONDAY),
    ],
)
def test_a_week_ends_on_sunday_and_a_month_on_its_last_day(policy: str, day: date, last: date) -> None:
    assert period_end(policy, day) == last


def test_an_invoice_of_a_period_is_made_once_it_is_over_and_one_of_a_delivery_on_its_day() -> None:
    assert [is_due("weekly", SUNDAY, day) for day in (SUNDAY, date(2026, 3, 9))] == [False, True]
    assert [is_due("per_delivery", SUNDAY, day) for day in (date(2026, 3, 7), SUNDAY)] == [False, True]
    assert not is_due("manual", None, date.max)


def test_an_invoice_bears_the_day_of_leaving_of_arrival_or_the_last_of_its_period() -> None:
    assert invoiced_on("per_shipment", MONDAY, None) == MONDAY
    assert invoiced_on("per_delivery", MONDAY, None) is None
    assert invoiced_on("per_delivery", MONDAY, SUNDAY) == SUNDAY
    assert invoiced_on("weekly", MONDAY, None) == SUNDAY
    assert invoiced_on("manual", MONDAY, SUNDAY) is None


@pytest.mark.parametrize("method", ["card", "prepaid", "cod", "settled_elsewhere"])
def test_what_is_paid_otherwise_than_later_is_invoiced_per_shipment(method: str) -> None:
    assert policy_of("monthly", method) == "per_shipment"


def test_orders_on_terms_and_with_a_deposit_have_their_customers_policy() -> None:
    assert [policy_of("monthly", method) for method in ("terms", "deposit")] == ["monthly", "monthly"]
    assert policy_of("", "terms") == "per_shipment"
    with pytest.raises(InvalidArgument):
        policy_of("fortnightly", "terms")

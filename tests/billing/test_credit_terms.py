"""Limits of parents, and credit that overdue invoices stop, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd
from tests.threads import at_once


def terms(
    desk: Desk, customer_id: str, parent_id: str = "", overdue: tuple[int, int] | None = None
) -> pb.CreditAccount:
    rule = pb.OverdueRule(days=overdue[0], least=usd(overdue[1])) if overdue else None
    request = pb.PutCreditTermsRequest(
        customer_id=customer_id, currency="USD", parent_id=parent_id, overdue_rule=rule, changed_by="ada@example.com"
    )
    return desk.billing.PutCreditTerms(request, CONTEXT).account


def family(desk: Desk, **limits: int) -> None:
    """Customers with these limits in minor units, each under the one before it."""
    above = ""
    for name, limit in limits.items():
        desk.limit(limit, name)
        terms(desk, name, above)
        above = name


def is_granted(desk: Desk, order_id: str, minor: int, customer_id: str) -> bool:
    return desk.commit(order_id, minor, customer_id=customer_id).is_granted


def test_every_limit_up_to_the_topmost_parent_must_have_room(desk: Desk) -> None:
    family(desk, holding=100_000, division=60_000, shop=50_000)
    desk.limit(90_000, "other")
    terms(desk, "other", "holding")

    assert is_granted(desk, "ord_1", 45_000, "shop")
    assert not is_granted(desk, "ord_2", 10_000, "shop"), "the shop's own limit"
    assert not is_granted(desk, "ord_3", 20_000, "division"), "the division counts the shop's order"
    assert not is_granted(desk, "ord_4", 60_000, "other"), "the holding counts both"
    assert is_granted(desk, "ord_5", 55_000, "other")
    assert desk.violations() == {}


def test_what_a_sister_pays_frees_what_waits_for_the_parents_limit(desk: Desk) -> None:
    family(desk, holding=10_000, shop=10_000)
    desk.limit(10_000, "other")
    terms(desk, "other", "holding")
    desk.commit("ord_1", 10_000, customer_id="shop")
    desk.invoice(order_of({"1": (1, "100.00")}, order_id="ord_1", customer_id="shop"), "shp_1", {"1": 1})
    waits = is_granted(desk, "ord_2", 8_000, "other")

    desk.pay(10_000, "BANK-1", customer_id="shop")

    assert not waits
    assert desk.committed("ord_2") == 8_000
    assert [one["amount_minor"] for one in desk.facts("credit_granted")] == [8_000]
    assert desk.violations() == {}


def test_a_parent_that_is_taken_away_lets_go_what_waited_for_its_limit(desk: Desk) -> None:
    family(desk, holding=1_000, shop=10_000)
    waits = is_granted(desk, "ord_1", 5_000, "shop")

    account = terms(desk, "shop")

    assert (waits, account.parent_id) == (False, "")
    assert desk.committed("ord_1") == 5_000
    assert desk.violations() == {}


def test_a_parent_is_not_under_its_own_customer_and_has_an_account(desk: Desk) -> None:
    family(desk, holding=1_000, division=1_000, shop=1_000)

    with pytest.raises(Refused, match="under it"):
        terms(desk, "holding", "shop")
    with pytest.raises(Refused, match="under it"):
        terms(desk, "shop", "shop")
    with pytest.raises(Refused, match="give it a limit first"):
        terms(desk, "shop", "nobody")
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_sisters_in_parallel_never_pass_the_parents_limit_together(desk: Desk) -> None:
    family(desk, holding=10_000, shop=10_000)
    desk.limit(10_000, "other")
    terms(desk, "other", "holding")

    asked = [(f"ord_{number}", "shop" if number % 2 else "other") for number in range(16)]
    granted = at_once([partial(is_granted, desk, order_id, 1_000, customer) for order_id, customer in asked])

    assert sum(granted) == 10
    assert desk.violations() == {}


def test_overdue_by_days_and_by_amount_stops_credit_until_it_is_paid(desk: Desk) -> None:
    """An invoice of 30 days, 100.00: no stop on its due day, nor 5 days later, nor where less than the least is overdue."""
    desk.limit(100_000)
    terms(desk, "cus_acme", overdue=(5, 6_000))
    invoice = desk.invoice(order_of({"1": (1, "100.00")}), "shp_1", {"1": 1})
    due = datetime.fromisoformat(f"{invoice.due_on}T12:00:00").replace(tzinfo=UTC)

    answers = []
    for order, days in (("ord_2", 0), ("ord_3", 5), ("ord_4", 6)):
        desk.now = due + timedelta(days=days)
        answers.append(is_granted(desk, order, 1_000, "cus_acme"))
    stopped_on = desk.money("ord_4")["waiting_on"]
    desk.pay(4_000, "BANK-1")
    still = desk.committed("ord_4")
    desk.pay(100, "BANK-2")

    assert answers == [True, True, False]
    assert stopped_on == "overdue"
    assert still is None
    assert desk.committed("ord_4") == 1_000
    assert desk.violations() == {}


def test_a_prepaid_order_passes_although_invoices_are_overdue(desk: Desk) -> None:
    desk.limit(100_000)
    terms(desk, "cus_acme", overdue=(0, 1))
    desk.invoice(order_of({"1": (1, "100.00")}), "shp_1", {"1": 1})
    desk.now += timedelta(days=60)
    desk.pay(5_000, "BANK-1", orders={"ord_2": 5_000})

    assert desk.commit("ord_2", 5_000, method="prepaid").is_granted
    assert not desk.commit("ord_3", 5_000).is_granted

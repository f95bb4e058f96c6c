"""Whatever comes in whatever order, the books of customers with terms agree."""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import Refused
from tests.billing.desk import Desk, order_of

TERMS = (
    "2/10 net 30",
    "2/3 50%@10 50%@20",
    "1.5/20 eom 0",
    "delivery 5",
    "3/10 delivery 0",
    "33.33%@5 66.67%@9",
    "net 0",
)
PRICES = ("100.00", "99.99", "0.07", "33.33")
ACTS = st.one_of(
    st.tuples(st.just("invoice"), st.sampled_from(TERMS), st.sampled_from(PRICES)),
    st.tuples(st.just("pay"), st.integers(1, 25_000), st.integers(0, 30)),
    st.tuples(st.just("exact"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("exact"), st.integers(0, 9), st.integers(0, 30)),
    st.tuples(st.just("half"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("deposit"), st.integers(1, 12_000), st.integers(0, 9)),
    st.tuples(st.just("reverse"), st.integers(0, 9), st.none()),
    st.tuples(st.just("reapply"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("deliver"), st.integers(0, 9), st.none()),
    st.tuples(st.just("wait"), st.integers(1, 9), st.none()),
)


class Days:
    """A desk through some days of one customer, and what was done on it."""

    def __init__(self, desk: Desk, number: int) -> None:
        self.desk = desk
        self.desk.now = datetime(2026, 3, 2, 16, tzinfo=UTC)
        self.customer = f"cus_{number}"
        self.tag = f"{number}_"
        self.invoices: list[pb.Invoice] = []
        self.payments: list[pb.Payment] = []

    def do(self, act: str, one: Any, other: Any) -> None:
        getattr(self, f"_{act}")(one, other)

    def _invoice(self, terms: str, price: str) -> None:
        number = len(self.invoices)
        order = order_of(
            {"1": (1, price)}, order_id=f"ord_{self.tag}{number}", customer_id=self.customer, terms=terms, calendar="US"
        )
        self.invoices.append(self.desk.invoice(order, f"shp_{self.tag}{number}", {"1": 1}, shipped_at=self.desk.now))

    def _pay(self, minor: int, days_ago: int) -> None:
        day = (self.desk.now - timedelta(days=days_ago)).date().isoformat()
        name = f"BANK-{len(self.payments)}"
        self.payments.append(self.desk.pay(minor, name, customer_id=self.customer, received_on=day))

    def _exact(self, which: int, days_ago: int) -> None:
        """What settles an invoice early, or what is open of it."""
        if not self.invoices:
            return
        invoice = self.desk.invoice_now(self.invoices[which % len(self.invoices)].invoice_id)
        early = invoice.early_discount.pays.minor_units
        if invoice.open.minor_units:
            self._pay(early or invoice.open.minor_units, days_ago)

    def _half(self, which: int, days_ago: int) -> None:
        if self.invoices:
            invoice = self.desk.invoice_now(self.invoices[which % len(self.invoices)].invoice_id)
            self._pay(max(invoice.open.minor_units // 2, 1), days_ago)

    def _deposit(self, minor: int, which: int) -> None:
        name = f"BANK-{len(self.payments)}"
        self.payments.append(
            self.desk.pay(minor, name, customer_id=self.customer, orders={f"ord_{self.tag}{which}": minor})
        )

    def _reverse(self, which: int, _: None) -> None:
        if self.payments:
            self.desk.reverse(self.payments[which % len(self.payments)].payment_id)

    def _reapply(self, which: int, on_account: bool) -> None:
        if self.payments:
            with suppress(Refused):  # a reversed one
                self.desk.reapply(self.payments[which % len(self.payments)].payment_id, on_account=on_account)

    def _deliver(self, which: int, _: None) -> None:
        self.desk.deliver(f"shp_{self.tag}{which}", self.desk.now)

    def _wait(self, days: int, _: None) -> None:
        self.desk.now += timedelta(days=days)


EARLY = tuple(terms for terms in TERMS if "/" in terms)
NUMBERS = itertools.count()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.sampled_from(EARLY), acts=st.lists(ACTS, min_size=6, max_size=14))
def test_the_books_agree_whatever_comes_in_whatever_order(
    desk: Desk, first: str, acts: list[tuple[str, Any, Any]]
) -> None:
    days = Days(desk, next(NUMBERS))

    for act in (("invoice", first, "100.00"), ("exact", 0, 0), *acts):
        days.do(*act)

    assert desk.violations() == {}
    for invoice in days.invoices:
        now = desk.invoice_now(invoice.invoice_id)
        settled = now.paid.minor_units + now.discount_taken.minor_units
        assert sum(one.amount.minor_units for one in now.installments) == now.total.minor_units
        assert sum(one.open.minor_units for one in now.installments) == now.open.minor_units
        assert settled + now.open.minor_units == now.total.minor_units
    open_in_all = sum(desk.invoice_now(one.invoice_id).open.minor_units for one in days.invoices)
    ages = {
        name: value
        for name, value in desk.receivables(days.customer).items()
        if name not in ("unapplied_minor", "overdue_since")
    }
    assert sum(int(value) for value in ages.values()) == open_in_all

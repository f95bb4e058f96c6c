"""Whatever is billed, paid, credited and given up in whatever order, the books agree and nobody is credited more than was billed."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.test_terms_in_any_order import TERMS, Days

PRICES = ("33.33", "0.07", "10.00", "0.00")
WHICH = st.integers(0, 5)
ACTS = st.one_of(
    st.tuples(st.just("bill"), st.sampled_from(TERMS), st.sampled_from(PRICES)),
    st.tuples(st.just("pay"), st.integers(1, 15_000), st.just(0)),
    st.tuples(st.just("exact"), WHICH, st.just(0)),
    st.tuples(st.just("half"), WHICH, st.just(0)),
    st.tuples(st.just("deposit"), st.integers(1, 9_000), WHICH),
    st.tuples(st.just("reverse"), WHICH, st.none()),
    st.tuples(st.just("reapply"), WHICH, st.booleans()),
    st.tuples(st.just("refund"), WHICH, st.integers(1, 5_000)),
    st.tuples(st.just("units"), WHICH, st.integers(1, 3)),
    st.tuples(st.just("allowance"), WHICH, st.integers(1, 6_000)),
    st.tuples(st.just("freight"), WHICH, st.integers(1, 300)),
    st.tuples(st.just("everything"), WHICH, st.none()),
    st.tuples(st.just("write_off"), WHICH, st.integers(0, 3_000)),
    st.tuples(st.just("wait"), st.integers(1, 20), st.none()),
)
REFUSALS = {
    "UNITS_CREDITED", "FREIGHT_CREDITED", "ALLOWANCE_EXCEEDS_GOODS", "CREDIT_OF_NOTHING", "INVOICE_NOT_OPEN",
    "WRITE_OFF_EXCEEDS_OPEN", "PAYMENT_REVERSED", "PAYMENT_REFUNDED", "REFUND_EXCEEDS_CASH",
}  # fmt: skip
NUMBERS = itertools.count(10_000)


class Corrected(Days):
    """Days on which invoices are corrected, too."""

    def do(self, act: str, one: Any, other: Any) -> None:
        try:
            super().do(act, one, other)
        except (Refused, InvalidArgument) as refusal:
            if refusal.reason not in REFUSALS:
                raise

    def _bill(self, terms: str, price: str) -> None:
        number = len(self.invoices)
        order = order_of(
            {"1": (3, price), "2": (2, "7.77")}, order_id=f"ord_{self.tag}{number}", customer_id=self.customer,
            terms=terms, discount=101, freight=250, tax_rate="0.0825",
        )  # fmt: skip
        shipment = f"shp_{self.tag}{number}"
        self.invoices.append(self.desk.invoice(order, shipment, {"1": 3, "2": 2}, shipped_at=self.desk.now))

    def _named(self, which: int) -> str:
        return self.invoices[which % len(self.invoices)].number

    def _units(self, which: int, units: int) -> None:
        self.desk.credit(self._named(which), {"1": units} if units < 3 else {"1": 1, "2": 1})

    def _allowance(self, which: int, minor: int) -> None:
        self.desk.credit(self._named(which), allowance=minor)

    def _freight(self, which: int, minor: int) -> None:
        self.desk.credit(self._named(which), freight=minor)

    def _everything(self, which: int, _: None) -> None:
        self.desk.credit(self._named(which), everything=True)

    def _write_off(self, which: int, minor: int) -> None:
        self.desk.write_off(self._named(which), minor)

    def _refund(self, which: int, minor: int) -> None:
        if self.payments:
            self.desk.refund(self.payments[which % len(self.payments)].payment_id, minor)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=st.sampled_from(TERMS), acts=st.lists(ACTS, min_size=8, max_size=18))
def test_the_books_agree_whatever_is_credited_in_whatever_order(
    desk: Desk, terms: str, acts: list[tuple[str, Any, Any]]
) -> None:
    days = Corrected(desk, next(NUMBERS))

    for act in (("bill", terms, "33.33"), *acts):
        days.do(*act)
        assert desk.violations() == {}, act

    credited = Counter[str]()
    for note in desk.billing.ListCreditNotes(
        pb.ListCreditNotesRequest(customer_id=days.customer), CONTEXT
    ).credit_notes:
        credited[note.invoice_id] += note.total.minor_units
    for invoice in days.invoices:
        now = desk.invoice_now(invoice.invoice_id)
        parts = (now.paid, now.discount_taken, now.credited, now.written_off, now.open)
        assert sum(part.minor_units for part in parts) == now.total.minor_units
        assert sum(one.open.minor_units for one in now.installments) == now.open.minor_units
        assert now.credited.minor_units == credited[invoice.invoice_id]
        with suppress(InvalidArgument):  # nothing was left
            desk.credit(invoice.number, everything=True)
        assert desk.invoice_now(invoice.invoice_id).status == "credited"
    assert desk.violations() == {}
    assert "open" not in {row.status for row in desk.listed() if row.customer_id == days.customer}

"""Whatever comes for orders with deposits in whatever order: each cent of tax is owed once, and the documents sum to the cash."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing.domain.deposit_invoices import contained, taken
from services.kernel.errors import InvalidArgument, Refused
from services.kernel.money import Money, tax_on
from services.kernel.tax import FREIGHT, TaxKind, TaxPart
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd
from tests.billing.test_deposit_invoices import listed, make

RATES = ("0", "0.0725", "0.19", "0.055", "1")


@st.composite
def orders(draw: st.DrawFn) -> tuple[TaxPart, ...]:
    """Tax parts of an order that comes to something."""
    rates = draw(st.lists(st.sampled_from(RATES), min_size=1, max_size=4, unique=True))
    parts = [_part(f"{rate}", draw(st.integers(0, 9_999_99)), rate) for rate in rates]
    if draw(st.booleans()):
        parts.append(_part(FREIGHT, draw(st.integers(0, 50_00)), draw(st.sampled_from(RATES))))
    return tuple(parts) if sum(one.net.minor for one in parts) else (*parts, _part("least", 1, "0"))


def _part(key: str, net: int, rate: str) -> TaxPart:
    kind = TaxKind.at(Decimal(rate))
    zero = Money.zero("EUR")
    return TaxPart(key, kind, Money(net, "EUR"), zero, zero, tax_on(Money(net, "EUR"), kind.rate))


@given(parts=orders(), share=st.floats(0, 1), uses=st.lists(st.floats(0, 1), max_size=8))
def test_a_deposit_and_what_is_used_of_it_sum_to_the_cent_in_every_part(
    parts: tuple[TaxPart, ...], share: float, uses: list[float]
) -> None:
    whole = sum(one.net.minor + one.tax.minor for one in parts)
    amount = Money(max(1, round(share * whole)), "EUR")

    posted = contained(amount, parts)
    left, used_tax = posted, 0
    for use in [*uses, 1]:
        rest = sum(one.gross.minor for one in left)
        now = Money(round(use * rest), "EUR")
        parts_now = taken(now, left)
        assert sum(one.gross.minor for one in parts_now) == now.minor
        left = tuple(one - other for one, other in zip(left, parts_now, strict=True))
        used_tax += sum(one.tax.minor for one in parts_now)
        assert all(one.net.minor >= 0 and one.tax.minor >= 0 for one in (*parts_now, *left))

    assert sum(one.gross.minor for one in posted) == amount.minor
    assert len({one.kind.key for one in posted}) == len(posted)
    assert used_tax == sum(one.tax.minor for one in posted)
    assert all(not one.gross.minor for one in left)
    if amount.minor == whole:
        assert used_tax == sum(one.tax.minor for one in parts)


TOTAL = 12_693
"""99.99 less 0.87 and 9.91 of tax, 15.54 less 0.14 and 2.50 of freight without any."""
WHICH = st.integers(0, 5)
ACTS = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 9_000)),
    st.tuples(st.just("make"), st.none()),
    st.tuples(st.just("ship"), st.tuples(st.integers(0, 3), st.integers(0, 2))),
    st.tuples(st.just("reverse"), WHICH),
    st.tuples(st.just("refund"), st.tuples(WHICH, st.integers(1, 5_000))),
    st.tuples(st.just("reapply"), st.tuples(WHICH, st.booleans())),
    st.tuples(st.just("free"), st.integers(0, TOTAL)),
    st.tuples(st.just("credit"), WHICH),
)
REFUSALS = {
    "PAYMENT_REVERSED", "PAYMENT_REFUNDED", "REFUND_EXCEEDS_CASH", "INVOICED_MORE_THAN_ORDERED", "CREDIT_OF_NOTHING", "UNITS_CREDITED",
    "PAYMENT_OVERAPPLIED",
}  # fmt: skip
NUMBERS = itertools.count(30_000)


class Deposited:
    """A desk on which cash comes and goes for one order with a deposit."""

    def __init__(self, desk: Desk, number: int) -> None:
        self.desk, self.number = desk, number
        self.customer = f"cus_{number}"
        self.order = _order(f"ord_{number}", self.customer)
        self.payments: list[pb.Payment] = []
        self.invoices: list[pb.Invoice] = []
        desk.orders.clear()
        desk.orders[self.order.order_id] = self.order
        desk.limit(1_000_000, self.customer)
        desk.commit(self.order.order_id, TOTAL, customer_id=self.customer, method="deposit", deposit=1)

    def do(self, act: str, what: Any) -> None:
        try:
            getattr(self, f"_{act}")(what)
        except (Refused, InvalidArgument) as refusal:
            if refusal.reason not in REFUSALS:
                raise

    def _pay(self, minor: int) -> None:
        name = f"BANK-{len(self.payments)}"
        of = {self.order.order_id: minor}
        self.payments.append(self.desk.pay(minor, name, customer_id=self.customer, orders=of))

    def _make(self, _: None) -> None:
        make(self.desk)

    def _ship(self, units: tuple[int, int]) -> None:
        lines = {line_id: count for line_id, count in zip("12", units, strict=True) if count}
        if lines:
            shipment = f"shp_{self.number}_{len(self.invoices)}"
            self.invoices.append(self.desk.invoice(self.order, shipment, lines))

    def _reverse(self, which: int) -> None:
        if self.payments:
            self.desk.reverse(self.payments[which % len(self.payments)].payment_id)

    def _refund(self, what: tuple[int, int]) -> None:
        if self.payments:
            payment_id = self.payments[what[0] % len(self.payments)].payment_id
            self.desk.refund(payment_id, what[1], self.order.order_id)

    def _reapply(self, what: tuple[int, bool]) -> None:
        if not self.payments:
            return
        payment = self.payments[what[0] % len(self.payments)]
        orders = {self.order.order_id: payment.amount.minor_units // 2 + 1} if what[1] else None
        self.desk.reapply(payment.payment_id, orders=orders, on_account=True)

    def _free(self, minor: int) -> None:
        asked = pb.FreeOrderMoneyRequest(
            request_id=f"free/{next(NUMBERS)}", order_id=self.order.order_id, amount=usd(minor)
        )
        self.desk.billing.FreeOrderMoney(asked, CONTEXT)

    def _credit(self, which: int) -> None:
        if self.invoices:
            self.desk.credit(self.invoices[which % len(self.invoices)].number, everything=True)


def _order(order_id: str, customer_id: str) -> orders_pb2.Order:
    order = order_of(
        {"1": (3, "33.33"), "2": (2, "7.77")}, order_id=order_id, customer_id=customer_id, payment_method="deposit",
        discount=101, freight=250,
    )  # fmt: skip
    rows = (
        ("S 0.1", "S", "0.1", 9999, 87, 0, 991),
        ("Z 0", "Z", "0", 1554, 14, 0, 0),
        (FREIGHT, "E", "0", 0, 0, 250, 0),
    )
    for key, code, rate, goods, discount, freight, tax in rows:
        order.tax_parts.add(
            key=key, code=code, rate=rate, merchandise_minor=goods, discount_minor=discount, freight_minor=freight, tax_minor=tax
        )  # fmt: skip
    for line, key in zip(order.lines, ("S 0.1", "Z 0"), strict=True):
        line.tax_key = key
    order.tax.CopyFrom(usd(991))
    order.total.CopyFrom(usd(TOTAL))
    return order


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(1, TOTAL), acts=st.lists(ACTS, min_size=3, max_size=12))
def test_tax_is_owed_once_and_the_documents_are_the_cash_whatever_comes_in_whatever_order(
    desk: Desk, first: int, acts: list[tuple[str, Any]]
) -> None:
    work = Deposited(desk, next(NUMBERS))

    for act in (("pay", first), ("make", None), *acts, ("make", None)):
        work.do(*act)

    assert desk.violations() == {}
    order_id = work.order.order_id
    rows = listed(desk, order_id=order_id)
    invoices = [desk.invoice_now(one.invoice_id) for one in work.invoices]
    assert sum(one.open.minor_units for one in rows) <= int(desk.money(order_id)["held"])
    deducted = [(one.amount.minor_units, one.tax.minor_units) for bill in invoices for one in bill.deposits]
    assert sum(minor for minor, _ in deducted) == sum(one.deducted.minor_units for one in rows)
    if not any(one.open.minor_units for one in rows):
        charged = sum(one.tax.minor_units * (-1 if one.is_credit_note else 1) for one in rows)
        assert charged == sum(tax for _, tax in deducted)
    if sum(line.quantity for bill in invoices for line in bill.lines) == 5:
        assert sum(one.total.minor_units for one in invoices) == TOTAL

"""Deposits, shipments, reversals, fees, credit notes, returns and refunds of one order in any order: the books stay whole after each."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd
from tests.billing.order_desk import accept
from tests.billing.test_deposit_invoices import make as make_deposit_invoices
from tests.billing.test_fees import charge, fee_of
from tests.billing.test_reversals import reverse

LINES = {"1": (6, "33.33"), "2": (4, "7.77")}
TERMS = (
    ("", "terms"),
    ("", "deposit"),
    ("", "prepaid"),
    ("manual", "terms"),
    ("manual", "deposit"),
    ("at_order", "terms"),
)
"""When it is invoiced, and how it is paid."""
WHICH = st.integers(0, 5)
UNITS = st.tuples(st.integers(0, 6), st.integers(0, 4))
ACTS = st.one_of(
    st.tuples(st.just("pay"), st.integers(1, 20_000)),
    st.tuples(st.just("ship"), UNITS),
    st.tuples(st.just("bill"), st.none()),
    st.tuples(st.just("unship"), WHICH),
    st.tuples(st.just("fee"), st.integers(1, 3_000)),
    st.tuples(st.just("credit"), st.tuples(WHICH, st.one_of(st.none(), UNITS))),
    st.tuples(st.just("come_back"), st.tuples(UNITS, st.sampled_from(("", "15", "100")))),
    st.tuples(st.just("give_back"), st.none()),
    st.tuples(st.just("refund"), st.tuples(WHICH, st.integers(1, 5_000), st.booleans())),
    st.tuples(st.just("bounce"), WHICH),
    st.tuples(st.just("write_off"), WHICH),
    st.tuples(st.just("free"), st.integers(0, 25_000)),
)
REFUSALS = {
    "PAYMENT_REVERSED", "PAYMENT_REFUNDED", "REFUND_EXCEEDS_CASH", "INVOICED_MORE_THAN_ORDERED", "CREDIT_OF_NOTHING", "UNITS_CREDITED",
    "LINE_UNKNOWN", "RETURN_NOT_INVOICED", "INVOICE_NOT_OPEN",
}  # fmt: skip
NUMBERS = itertools.count(50_000)


class Busy:
    """A desk at which everything happens to one order; `policy` and `method` say when it is invoiced and how it is paid."""

    def __init__(self, desk: Desk, policy: str, method: str) -> None:
        number = next(NUMBERS)
        self.desk, self.customer = desk, f"cus_{number}"
        self.order = order_of(
            LINES, order_id=f"ord_{number}", customer_id=self.customer, payment_method=method, invoicing=policy,
            discount=101, freight=250, tax_rate="0.0725",
        )  # fmt: skip
        self.shipments: list[str] = []
        self.payments: list[str] = []
        desk.orders.clear()
        desk.orders[self.order.order_id] = self.order
        desk.limit(1_000_000, self.customer)
        total = self.order.total.minor_units
        desk.commit(
            self.order.order_id,
            total,
            customer_id=self.customer,
            method=method,
            deposit=1 if method == "deposit" else 0,
        )
        if policy == "at_order":
            accept(desk, self.order)

    def do(self, act: str, what: Any) -> None:
        try:
            getattr(self, f"_{act}")(what)
        except (Refused, InvalidArgument) as refusal:
            if act == "unship" or refusal.reason not in REFUSALS:
                raise
        make_deposit_invoices(self.desk)

    def bills(self) -> list[pb.Invoice]:
        return [one for one in self.desk.all_listed() if one.order_id == self.order.order_id]

    def _pay(self, minor: int) -> None:
        of = {self.order.order_id: minor}
        paid = self.desk.pay(minor, f"BANK-{len(self.payments)}", customer_id=self.customer, orders=of)
        self.payments.append(paid.payment_id)

    def _ship(self, units: tuple[int, int]) -> None:
        lines = {line_id: count for line_id, count in zip("12", units, strict=True) if count}
        if lines:
            shipment_id = f"{self.order.order_id}_{len(self.shipments)}"
            self.desk.leave(self.order, shipment_id, lines)
            self.shipments.append(shipment_id)

    def _bill(self, _: None) -> None:
        if self.desk.billable(order_ids=[self.order.order_id]):
            self.desk.bill_by_hand(self.order.order_id)

    def _unship(self, which: int) -> None:
        if self.shipments:
            shipment_id = self.shipments[which % len(self.shipments)]
            reverse(self.desk, shipment_id, order_id=self.order.order_id, customer_id=self.customer)

    def _fee(self, minor: int) -> None:
        bill = fee_of(self.order, f"{minor / 100:.2f}", customer_id=self.customer)
        charge(self.desk, bill, f"can_{next(NUMBERS)}")

    def _credit(self, what: tuple[int, tuple[int, int] | None]) -> None:
        if not (bills := self.bills()):
            return
        bill, units = bills[what[0] % len(bills)], what[1]
        lines = {line_id: count for line_id, count in zip("12", units or (), strict=False) if count}
        self.desk.credit(bill.number, lines, everything=units is None)

    def _come_back(self, what: tuple[tuple[int, int], str]) -> None:
        lines = [
            pb.ReturnedLine(line_id=line_id, quantity=count, fee_percent=what[1])
            for line_id, count in zip("12", what[0], strict=True)
            if count
        ]
        if lines:
            request = pb.CreditReturnRequest(
                request_id=f"back/{next(NUMBERS)}", order_id=self.order.order_id, return_id=f"rma_{self.order.order_id}",
                number="RMA-1", lines=lines, reason="return RMA-1",
            )  # fmt: skip
            self.desk.billing.CreditReturn(request, CONTEXT)

    def _give_back(self, _: None) -> None:
        request = pb.RefundReturnRequest(request_id=f"give/{next(NUMBERS)}", return_id=f"rma_{self.order.order_id}")
        self.desk.billing.RefundReturn(request, CONTEXT)

    def _refund(self, what: tuple[int, int, bool]) -> None:
        if self.payments:
            of = self.order.order_id if what[2] else ""
            self.desk.refund(self.payments[what[0] % len(self.payments)], what[1], of)

    def _bounce(self, which: int) -> None:
        if self.payments:
            self.desk.reverse(self.payments[which % len(self.payments)])

    def _write_off(self, which: int) -> None:
        if bills := self.bills():
            self.desk.write_off(bills[which % len(bills)].number)

    def _free(self, minor: int) -> None:
        asked = pb.FreeOrderMoneyRequest(
            request_id=f"free/{next(NUMBERS)}", order_id=self.order.order_id, amount=usd(minor)
        )
        self.desk.billing.FreeOrderMoney(asked, CONTEXT)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    terms=st.sampled_from(TERMS),
    first=UNITS,
    acts=st.lists(ACTS, min_size=4, max_size=12),
)
def test_the_books_stay_whole_whatever_happens_to_an_order_in_whatever_order(
    desk: Desk, terms: tuple[str, str], first: tuple[int, int], acts: list[tuple[str, Any]]
) -> None:
    work = Busy(desk, *terms)

    for act in (("ship", first), *acts):
        work.do(*act)
        assert desk.violations() == {}, act

    found, bills = desk.balances(), work.bills()
    assert sum(found.values()) == 0
    goods = sum(one.total.minor_units for one in bills if not one.fee_id)
    left = sum(one.open.minor_units for one in bills)
    held = int(desk.money(work.order.order_id)["held"])
    assert desk.account(work.customer)[1] == left - held - _unapplied(work)
    assert int(desk.money(work.order.order_id)["invoiced"]) <= min(goods, work.order.total.minor_units)


def _unapplied(work: Busy) -> int:
    wanted = pb.ListPaymentsRequest(customer_id=work.customer)
    return sum(one.unapplied.minor_units for one in work.desk.billing.ListPayments(wanted, CONTEXT).payments)

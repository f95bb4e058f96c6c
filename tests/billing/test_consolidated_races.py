"""Consolidated invoices when several want the same orders at once: each shipment is on one invoice, and each sum is paid once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from services.kernel.errors import DomainError
from tests.billing.desk import Desk
from tests.billing.test_consolidated import left, monthly, runner
from tests.threads import at_once


def _done(act: Callable[[], object]) -> Callable[[], str]:
    """What came of it; a refusal is told by its reason."""

    def done() -> str:
        try:
            return str(act())
        except DomainError as refused:
            return refused.reason

    return done


@pytest.mark.on_postgres
def test_two_runners_and_accounting_bill_each_shipment_once(desk: Desk) -> None:
    left(desk, *(monthly(number) for number in range(1, 5)))

    said = at_once(
        [
            runner(desk).issue_due,
            runner(desk).issue_due,
            _done(lambda: desk.bill_by_hand("ord_3").number),
        ]
    )
    runner(desk).issue_due()

    billed = Counter(one.order_id for whole in desk.all_listed() for one in (whole.shares or [whole]))
    assert billed == dict.fromkeys(("ord_1", "ord_2", "ord_3", "ord_4"), 1), said
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_payment_of_it_and_a_credit_note_of_a_share_at_once(desk: Desk) -> None:
    left(desk, monthly(1), monthly(2), monthly(3))
    desk.run_policies()
    [one] = desk.listed()
    share = one.shares[1].invoice_id

    at_once(
        [
            _done(lambda: desk.pay(6_000, "BANK-1", to={one.number: 6_000})),
            _done(lambda: desk.credit(share, everything=True)),
            _done(lambda: desk.pay(6_000, "BANK-1", to={one.number: 6_000})),
        ]
    )

    after = desk.listed()[0]
    assert after.open.minor_units + after.paid.minor_units + after.credited.minor_units == 6_000
    assert desk.invoice_now(share).credited.minor_units == 2_000
    assert desk.violations() == {}

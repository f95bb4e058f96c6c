from __future__ import annotations

from dataclasses import replace

import pytest

from services.kernel.errors import Refused
from services.orders.domain.billed import Billed, billed, charges_after
from services.orders.domain.projection import LineProgress, Progress, apply, quantities
from tests.orders.desk import amount, invoiced
from tests.orders.test_domain_projection import fact, order

HALF = Billed(amount("45.00"), amount("5.00"), amount("2.50"))


def half_invoiced() -> Progress:
    """5 of 10 units at 10.00, with half of a discount of 10.00 and of a freight of 5.00."""
    detail = invoiced("INV-1", 4750, {"1": 5})
    detail["invoice"] |= {"merchandise_minor": 5000, "discount_minor": 500, "freight_minor": 250}
    return apply(Progress(), fact(1, "billing", "invoice_issued", 1, detail))


def test_what_is_billed_is_the_sum_of_the_invoices() -> None:
    assert billed(half_invoiced(), "USD") == HALF
    assert billed(Progress(), "USD") == Billed(amount("0.00"), amount("0.00"), amount("0.00"))


def test_a_change_with_something_left_to_invoice_keeps_its_discount_and_freight() -> None:
    lines = quantities(order(8), half_invoiced())

    after = charges_after(amount("80.00"), amount("10.00"), amount("5.00"), lines, HALF)

    assert after == (amount("10.00"), amount("5.00"))


def test_a_change_that_leaves_nothing_to_invoice_keeps_what_was_billed() -> None:
    lines = quantities(order(5), half_invoiced())

    after = charges_after(amount("50.00"), amount("10.00"), amount("5.00"), lines, HALF)

    assert after == (amount("5.00"), amount("2.50"))


def test_an_order_of_which_nothing_is_invoiced_may_have_any_charges() -> None:
    lines = quantities(order(5), Progress())
    nothing = billed(Progress(), "USD")

    assert charges_after(amount("50.00"), amount("0.00"), amount("0.00"), lines, nothing) == (
        amount("0.00"),
        amount("0.00"),
    )


def test_free_goods_that_are_all_invoiced_keep_the_freight_that_was_billed() -> None:
    free = Billed(amount("0.00"), amount("0.00"), amount("2.50"))

    after = charges_after(amount("0.00"), amount("0.00"), amount("5.00"), quantities(order(5), half_invoiced()), free)

    assert after == (amount("0.00"), amount("2.50"))


@pytest.mark.parametrize(
    ("merchandise", "discount", "freight", "what"),
    [("80.00", "4.99", "5.00", "discount"), ("80.00", "10.00", "2.49", "freight"), ("54.99", "10.00", "5.00", "net")],
)
def test_nothing_that_was_billed_is_taken_back(merchandise: str, discount: str, freight: str, what: str) -> None:
    lines = quantities(order(8), half_invoiced())

    with pytest.raises(Refused, match=f"the {what}.* would be") as refusal:
        charges_after(amount(merchandise), amount(discount), amount(freight), lines, HALF)

    assert refusal.value.reason == "BELOW_INVOICED"


def test_an_invoice_that_an_old_fact_told_of_has_parts_of_zero() -> None:
    progress = apply(Progress(), fact(1, "billing", "invoice_issued", 1, invoiced("INV-1", 4750, {"1": 5})))
    document = progress.document()
    for name in ("merchandise_minor", "discount_minor", "freight_minor", "tax_minor"):
        del document["invoices"]["inv_INV-1"][name]

    assert Progress.of(document) == progress
    assert replace(LineProgress(), invoiced=5, billing_sequence=1) == progress.lines["1"]

"""Discounts with a minimum: what is kept of less than that loses its discount, to the cent, and has it back with what comes back later."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.apportioning import within
from services.kernel.errors import InvalidArgument
from services.kernel.money import Money
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import credit_request
from tests.billing.test_returns import _credit, _line
from tests.billing.test_reversals import reverse

_KEYS = count(1)


def ten(
    desk: Desk, *, discount: int = 1_000, minimum: int = 6_000, shipments: int = 1, of: str = "1"
) -> list[pb.Invoice]:
    """Ten at 10.00 less a discount that is given from a minimum on, taxed at 10 %, invoiced in equal parts."""
    desk.limit(10_000_000)
    order = order_of(
        {"1": (10, "10.00")},
        order_id=f"ord_{of}",
        discount=discount,
        discount_minimum=minimum,
        tax_rate="0.10",
    )
    names = ("shp_1", "shp_2") if of == "1" else (f"shp_{of}_1", f"shp_{of}_2")
    return [desk.invoice(order, name, {"1": 10 // shipments}) for name in names[:shipments]]


def came(desk: Desk, quantity: int, shipment: str = "", fee: str = "") -> list[tuple[int, int, int]]:
    """(Allowance, claw-back, total) of each credit note of so many that come back."""
    notes = _credit(desk, _line(quantity, fee, shipment))
    return [(one.allowance.minor_units, one.claw_back.minor_units, one.total.minor_units) for one in notes]


def by_hand(desk: Desk, invoice: str, units: int, why: str) -> pb.CreditInvoiceRequest:
    request = credit_request(invoice, {"1": units}, request_id=f"hand/{next(_KEYS)}")
    request.reason_code = why
    return request


@pytest.mark.on_postgres
def test_what_is_kept_below_the_minimum_loses_its_discount_and_has_it_back_with_its_goods(desk: Desk) -> None:
    """90.00 of ten; six are worth the minimum, five are not: 5.00 of discount on them are taken back."""
    [invoice] = ten(desk)

    at_the_minimum, below = came(desk, 4), came(desk, 1)
    still_below, at_last = came(desk, 2), came(desk, 3)

    assert (at_the_minimum, below) == ([(0, 0, 3_960)], [(-500, 500, 440)])
    assert (still_below, at_last) == ([(200, -200, 2_200)], [(300, -300, 3_300)])
    after = desk.invoice_now(invoice.invoice_id)
    assert (after.credited.minor_units, after.open.minor_units) == (9_900, 0)
    balances = desk.balances()
    assert (balances["sales_returns"], balances["revenue"], balances["tax_payable"]) == (9_000, -9_000, 0)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_goods_for_which_the_customer_does_not_answer_count_as_kept(desk: Desk) -> None:
    """Two of five came broken, and one more is credited for damage: with a fourth by choice six count as kept, with a fifth five do."""
    [invoice] = ten(desk, minimum=6_000)

    [first] = _credit(desk, _line(3), _line(2, is_ours=True))
    desk.billing.CreditInvoice(by_hand(desk, invoice.invoice_id, 1, "damaged"), CONTEXT)
    at_the_minimum, below = came(desk, 1), came(desk, 1)

    assert (first.claw_back.minor_units, first.total.minor_units) == (0, 4_950)
    assert (at_the_minimum, below) == ([(0, 0, 990)], [(-200, 200, 770)])
    assert desk.violations() == {}


def test_cash_that_goes_back_is_less_what_is_taken_back(desk: Desk) -> None:
    ten(desk)
    desk.pay(9_900, "BANK-1")

    [note] = _credit(desk, _line(5))

    # 50.00 - 5.00 discount - 5.00 of what is kept, and 10 % tax
    assert [one.amount.minor_units for one in note.left_over] == [4_400]
    assert desk.balances()["unapplied_cash"] == -4_400
    assert desk.violations() == {}


def test_a_fee_is_of_what_the_goods_cost_and_not_of_what_is_taken_back(desk: Desk) -> None:
    ten(desk)
    came(desk, 4)

    [note] = _credit(desk, _line(1, "10"))

    assert (note.claw_back.minor_units, note.fee.minor_units) == (500, 90)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_credit_note_is_never_negative_and_the_next_ones_take_the_rest(desk: Desk) -> None:
    """45.00 of discount are kept after the first of ten, whose own price is 5.00: it credits a cent, as the next four do."""
    [invoice] = ten(desk, discount=5_000, minimum=10_000)

    steps = [came(desk, 1)[0] for _ in range(10)]

    assert [claw_back for _, claw_back, _ in steps] == [499, 499, 499, 499, 499, -495, -500, -500, -500, -500]
    assert sum(total for *_, total in steps) == invoice.total.minor_units == 5_500
    assert min(total for *_, total in steps) == 1
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_return_of_one_shipment_takes_back_the_discount_of_another(desk: Desk) -> None:
    first, second = ten(desk, shipments=2)

    of_the_first = came(desk, 5, "shp_1")
    of_the_second = _credit(desk, _line(5, shipment="shp_2"))

    assert of_the_first == [(-500, 500, 4_400)]
    assert [(one.invoice_number, one.claw_back.minor_units, one.total.minor_units) for one in of_the_second] == [
        (second.number, 0, 4_950),
        (first.number, -500, 550),
    ]
    assert {desk.invoice_now(one.invoice_id).open.minor_units for one in (first, second)} == {0}
    assert desk.violations() == {}


def test_what_comes_back_at_once_of_two_shipments_is_judged_together(desk: Desk) -> None:
    """All of it: nothing is kept that could lose its discount. Of eight, two are kept, of one invoice, and lose 2.00."""
    ten(desk, shipments=2)
    together = _credit(desk, _line(5, shipment="shp_1"), _line(3, shipment="shp_2"))
    rest = _credit(desk, _line(2, shipment="shp_2"))

    assert [(one.claw_back.minor_units, one.total.minor_units) for one in together] == [(200, 4_730), (0, 2_970)]
    assert [(one.claw_back.minor_units, one.total.minor_units) for one in rest] == [(0, 1_980), (-200, 220)]
    assert desk.violations() == {}


@pytest.mark.parametrize("minimum", [0, 10_001])
def test_nothing_is_taken_back_without_a_minimum_or_where_the_order_was_below_it_before(
    desk: Desk, minimum: int
) -> None:
    """It may lose units to a cancellation, which judges no minimum."""
    ten(desk, minimum=minimum)

    assert came(desk, 9) == [(0, 0, 8_910)]
    assert desk.violations() == {}


@pytest.mark.parametrize(("why", "claw_back"), [("returned", 500), ("shortage", 0)])
def test_by_hand_only_goods_that_come_back_are_judged_and_the_preview_says_the_same(
    desk: Desk, why: str, claw_back: int
) -> None:
    [invoice] = ten(desk)
    request = by_hand(desk, invoice.invoice_id, 5, why)

    preview = desk.billing.PreviewCreditNote(pb.PreviewCreditNoteRequest(credit=request), CONTEXT).credit_note
    note = desk.billing.CreditInvoice(request, CONTEXT).credit_note

    for one in (preview, note):
        assert (one.claw_back.minor_units, one.total.minor_units) == (claw_back, 4_950 - claw_back * 110 // 100)
    assert desk.violations() == {}


def test_what_is_credited_by_hand_has_back_what_was_taken_of_another_invoice(desk: Desk) -> None:
    first, second = ten(desk, shipments=2)
    came(desk, 5, "shp_1")

    desk.billing.CreditInvoice(by_hand(desk, second.invoice_id, 5, "damaged"), CONTEXT)

    assert [desk.invoice_now(one.invoice_id).credited.minor_units for one in (first, second)] == [4_950, 4_950]
    assert desk.violations() == {}


def test_what_never_left_has_back_what_was_taken_of_another_invoice(desk: Desk) -> None:
    first, second = ten(desk, shipments=2)
    came(desk, 5, "shp_1")

    done = reverse(desk, "shp_2")

    assert done.outcome == "credited"
    assert [desk.invoice_now(one.invoice_id).open.minor_units for one in (first, second)] == [0, 0]
    assert desk.violations() == {}


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE credit_note SET claw_back_minor = 501",
        "UPDATE credit_note SET claw_back_minor = -1",
        "UPDATE credit_note_tax_part SET claw_back_minor = 499",
        "UPDATE invoice SET discount_minimum_minor = 0",
    ],
)
def test_the_audit_finds_what_is_taken_back_and_should_not_be(desk: Desk, broken: str) -> None:
    ten(desk)
    came(desk, 5)

    with desk.database.transaction() as session:
        session.connection().execute(text(broken))

    assert "billing.claw_back_is_of_a_kept_discount" in desk.violations()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 1), st.booleans()), max_size=8),
    discount=st.integers(0, 10_000),
    minimum=st.integers(1, 10_000),
)
def test_however_it_comes_back_all_of_it_is_credited_in_the_end(
    desk: Desk, acts: list[tuple[int, int, bool]], discount: int, minimum: int
) -> None:
    of, left = f"h{next(_KEYS)}", [5, 5]
    bills = ten(desk, discount=discount, minimum=minimum, shipments=2, of=of)
    for wanted, which, is_by_hand in [*acts, (5, 0, False), (5, 1, False)]:
        units, bill = min(wanted, left[which]), bills[which]
        left[which] -= units
        if units and is_by_hand:
            try:
                desk.billing.CreditInvoice(by_hand(desk, bill.invoice_id, units, "damaged"), CONTEXT)
            except InvalidArgument as refused:  # what rounds to nothing is not credited by hand
                if refused.reason != "CREDIT_OF_NOTHING":
                    raise
                left[which] += units
        elif units:
            line = _line(units, shipment=f"shp_{of}_{which + 1}")
            request = pb.CreditReturnRequest(
                request_id=f"insp/{next(_KEYS)}",
                order_id=f"ord_{of}",
                return_id=f"rma_{of}",
                lines=[line],
                reason="back",
            )
            desk.billing.CreditReturn(request, CONTEXT)
        assert desk.violations() == {}

    assert [desk.invoice_now(one.invoice_id).open.minor_units for one in bills] == [0, 0]


@pytest.mark.parametrize(
    ("total", "weights", "most", "shares"),
    [
        (100, (30, 70), (100, 100), [30, 70]),
        (100, (0, 100), (60, 50), [50, 50]),
        (100, (0, 0), (40, 60), [40, 60]),
        (100, (100, 0), (20, 50), [20, 50]),
    ],
)
def test_what_a_part_cannot_bear_the_others_do(
    total: int, weights: tuple[int, ...], most: tuple[int, ...], shares: list[int]
) -> None:
    usd = [[Money(one, "USD") for one in given] for given in (weights, most)]

    assert [one.minor for one in within(Money(total, "USD"), *usd)] == shares


@pytest.mark.on_postgres
def test_a_shipment_that_never_left_is_reversed_though_its_invoice_bears_the_discount_of_another(desk: Desk) -> None:
    """All units of the second invoice are credited, and 5.00 of the first one's discount were taken back on it."""
    ten(desk, shipments=2)
    came(desk, 5, "shp_2")

    done = reverse(desk, "shp_2")

    assert (done.outcome, done.amount.minor_units, done.credit_note_number) == ("credited", 0, "")
    assert desk.violations() == {}

from __future__ import annotations

from datetime import date

import pytest

from services.orders.domain.amendment import Amendment, amend
from services.orders.domain.changes import ChangeRequest, LineChange
from services.orders.domain.differences import difference, is_favorable, is_material, kinds
from services.orders.domain.order import Order
from tests.orders.test_domain_amending import A4, AUSTIN, CATALOG, TODAY, changed, line, money, order, usd


def rows(before: Order, amended: Amendment) -> list[tuple[str, str, str, str]]:
    return [(r.kind, r.what, r.before, r.after) for r in difference(before, amended.order, amended.replaced)]


def test_the_difference_reads_as_people_say_it() -> None:
    amended = changed(
        A4, LineChange("1", quantity=0), LineChange("2", "H"), LineChange("", "F", 1), requested_on=date(2026, 12, 4)
    )

    assert rows(A4, amended) == [
        ("line_removed", "F (F thing)", "10", ""),
        ("substituted", "G replaced by H", "40 × G (G thing)", "40 × H (H thing)"),
        ("price", "Unit price of H", "410.00 USD", "380.00 USD"),
        ("line_added", "F (F thing)", "", "1"),
        ("price", "Unit price of F", "", "1000.00 USD"),
        ("date", "Requested for", "2026-12-01", "2026-12-04"),
        # 26,400.00 + 7.25 % 1,914.00 + 12.00; 40 x 380.00 + 1,000.00 = 16,200.00 + 1,174.50 + 12.00
        ("total", "Total", "28326.00 USD", "17386.50 USD"),
    ]


@pytest.mark.parametrize(
    ("request_", "material", "favorable"),
    [
        (ChangeRequest("", (LineChange("1", quantity=9),)), False, False),
        (ChangeRequest("", (LineChange("1", quantity=11),)), True, False),
        (ChangeRequest("", (LineChange("1", quantity=0),)), False, False),
        (ChangeRequest("", (LineChange("1", unit_price=usd("990.00")),)), True, True),
        (ChangeRequest("", (LineChange("1", unit_price=usd("1010.00")),)), True, False),
        (ChangeRequest("", (LineChange("2", "H"),)), True, False),
        (ChangeRequest("", ship_to=AUSTIN), True, False),
        (ChangeRequest("", requested_on=date(2026, 12, 4)), False, False),
        (ChangeRequest("", requested_on=date(2026, 11, 30)), True, True),
        (ChangeRequest("", is_ship_complete=True), False, False),
        (ChangeRequest("", discount=money("50.00")), True, True),
        (ChangeRequest("", freight=money("13.00")), True, False),
    ],
)
def test_what_is_material_and_what_the_customer_can_only_gain_by(
    request_: ChangeRequest, material: bool, favorable: bool
) -> None:
    amended = amend(A4, request_, CATALOG, (), TODAY)
    found = kinds(A4, difference(A4, amended.order, amended.replaced))

    assert (is_material(A4, amended.order, found), is_favorable(A4, amended.order)) == (material, favorable)


@pytest.mark.parametrize(("discount", "favorable"), [("50.01", True), ("50.00", True), ("49.99", False)])
def test_a_customer_loses_by_a_discount_that_shrinks(discount: str, favorable: bool) -> None:
    before = order(line("1", "F", 10, "1000.00"), discount="50.00")

    assert is_favorable(before, changed(before, discount=money(discount)).order) is favorable


def test_the_price_of_a_new_line_is_no_change_of_a_price() -> None:
    amended = changed(A4, LineChange("", "F", 1))

    assert kinds(A4, difference(A4, amended.order, amended.replaced)) == ("line_added",)

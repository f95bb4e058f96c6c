"""An order of as many lines as one may have costs billing as many statements as one of a tenth of them, and comes to its total."""

from __future__ import annotations

import pytest

from services.kernel.bounds import MAX_LINES
from services.kernel.errors import InvalidArgument
from tests.billing.desk import Desk, order_of
from tests.plans import counted

FEWER = MAX_LINES // 10


def life(desk: Desk, count: int) -> tuple[dict[str, int], list[int]]:
    """Step → its statements, and what the two invoices come to: half of each line, then the rest, which is credited in the end."""
    order = order_of(
        {str(number): (2, "0.10") for number in range(1, count + 1)},
        order_id=f"ord_{count}",
        customer_id=f"cus_{count}",
        freight=1999,
        tax_rate="0.0825",
    )
    half = {line.line_id: 1 for line in order.lines}
    desk.commit(order.order_id, order.total.minor_units, customer_id=order.customer_id)
    statements, totals = {}, []
    for name in ("first", "second"):
        with counted(desk.database) as ran:
            totals.append(desk.invoice(order, f"shp_{count}_{name}", half).total.minor_units)
        statements[name] = len(ran)
    with counted(desk.database) as ran:
        desk.pay(sum(totals), f"wire {count}", customer_id=order.customer_id)
    statements["pay"] = len(ran)
    last = desk.all_listed()[-1].number
    with counted(desk.database) as ran:
        desk.credit(last, everything=True)
    statements["credit"] = len(ran)
    return statements, totals


def test_statements_do_not_grow_with_the_lines_of_an_order(desk: Desk) -> None:
    few, many = life(desk, FEWER), life(desk, MAX_LINES)

    assert many[0] == few[0]
    # 2,000 × 2 × 0.10 = 400.00, 8.25 % of it 33.00, freight 19.99: a half is 200.00 + 16.50 + 10.00, the rest 9.99
    assert many[1] == [22650, 22649]
    assert desk.violations() == {}


def test_an_invoice_has_no_more_lines_than_an_order(desk: Desk) -> None:
    order = order_of({str(number): (1, "1.00") for number in range(MAX_LINES + 1)})

    with pytest.raises(InvalidArgument) as refused:
        desk.invoice(order, "shp_1", {"1": 1})

    assert refused.value.reason == "LINES_OUT_OF_RANGE"

"""However orders that are invoiced at order grow, ship and are credited: nothing stays deferred, and what shipped is revenue to the cent."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress

import pytest

from oms.orders.v1 import orders_pb2
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.desk import Desk
from tests.billing.order_desk import accept, at_order, deferred, grown, make

Lines = dict[str, tuple[int, str]]
LIVES = (10, pytest.param(40, marks=pytest.mark.prove))


def some_lines(chance: random.Random, most: int = 9) -> Lines:
    return {
        str(line): (chance.randint(1, most), f"{chance.randint(0, 99)}.{chance.randint(0, 99):02}")
        for line in range(1, chance.randint(2, 5))
    }


def merchandise(lines: Lines) -> int:
    return sum(int(units * round(float(price) * 100)) for units, price in lines.values())


def bigger(chance: random.Random, order: orders_pb2.Order, lines: Lines) -> tuple[orders_pb2.Order, Lines]:
    """The order with more units and maybe a line more, and no less of anything."""
    more = {line: (units + chance.randint(0, 3), price) for line, (units, price) in lines.items()}
    if more == lines or chance.random() < 0.5:  # a change of freight alone leaves what is invoiced whole as it is
        more[str(len(more) + 1)] = (chance.randint(1, 4), f"{chance.randint(1, 40)}.50")
    discount, freight = order.discount.minor_units, order.freight.minor_units + chance.randint(0, 500)
    return grown(order, more, discount=discount, freight=freight, tax_rate=order.tax_rate), more


def ship(desk: Desk, chance: random.Random, order: orders_pb2.Order, left: Counter[str], number: int) -> None:
    units = {line: chance.randint(0, count) for line, count in left.items() if count}
    units = {line: count for line, count in units.items() if count}
    if units:
        desk.leave(order, f"shp_{order.order_id}_{number}", units)
        left.subtract(units)


def life(desk: Desk, chance: random.Random, number: int, *, is_credited: bool) -> orders_pb2.Order:
    """An order that is accepted sooner or later, changes, ships in any parts, and is credited in between."""
    lines = some_lines(chance)
    goods = merchandise(lines)
    order = at_order(
        lines, order_id=f"ord_{number}", customer_id=f"cus_{number % 3}", discount=chance.randint(0, goods // 3),
        freight=chance.randint(0, 5000), tax_rate=chance.choice(("0", "0.0825", "0.2")),
    )  # fmt: skip
    left = Counter({line: units for line, (units, _) in lines.items()})
    for step in range(12):
        match chance.choice(("accept", "ship", "ship", "grow", "credit")):
            case "accept":
                accept(desk, order)
            case "ship":
                ship(desk, chance, order, left, step)
            case "grow" if step < 8 and +left:  # of an order that has shipped whole, nothing becomes more
                order, more = bigger(chance, order, lines)
                left.update({line: units - lines.get(line, (0,))[0] for line, (units, _) in more.items()})
                lines = more
                accept(desk, order)
            case "credit" if is_credited:
                credit_some(desk, chance, order.order_id)
        assert desk.violations() == {}, f"order {number}, step {step}"
    accept(desk, order)
    while +left:
        ship(desk, chance, order, left, 100 + sum(left.values()))
    return order


def credit_some(desk: Desk, chance: random.Random, order_id: str) -> None:
    own = [one for one in desk.all_listed() if one.order_id == order_id]
    if own:
        invoice = chance.choice(own)
        line = chance.choice(invoice.lines)
        with suppress(Refused, InvalidArgument):
            desk.credit(
                invoice.number, {line.line_id: 1} if chance.random() < 0.7 else None, allowance=chance.randint(0, 90)
            )


@pytest.mark.parametrize("lives", LIVES)
def test_whatever_the_shipments_revenue_is_the_order_and_nothing_stays_deferred(desk: Desk, lives: int) -> None:
    chance = random.Random(18)
    net = freight = 0
    for number in range(lives):
        order = life(desk, chance, number, is_credited=False)
        net += order.merchandise.minor_units - order.discount.minor_units
        freight += order.freight.minor_units
        billed = [one for one in desk.all_listed() if one.order_id == order.order_id]
        assert sum(one.total.minor_units for one in billed) == order.total.minor_units, f"order {number}"
        assert deferred(desk) == 0, f"order {number}"
        assert (-desk.balances().get("revenue", 0), -desk.balances().get("freight_revenue", 0)) == (net, freight)
    assert make(desk) == 0


@pytest.mark.parametrize("lives", LIVES)
def test_credit_notes_in_between_leave_nothing_deferred_and_the_sum_as_it_was_billed(desk: Desk, lives: int) -> None:
    chance = random.Random(23)
    for number in range(lives):
        life(desk, chance, number, is_credited=True)
        assert deferred(desk) == 0, f"order {number}"
        balances = desk.balances()
        kept = sum(-balances.get(name, 0) for name in ("revenue", "freight_revenue", "sales_returns", "tax_payable"))
        owed = sum(one.total.minor_units - one.credited.minor_units for one in desk.all_listed())
        assert kept == owed, f"order {number}"

"""However an order leaves and whoever invoices it: its invoices come to it to the cent, and each shipment is on one of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import text

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.kernel.errors import Conflict, Refused
from services.kernel.invoicing import OF_SHIPMENTS
from services.runtime.db import Database
from services.runtime.statements import changed
from tests.billing.desk import CONTEXT, SHIPPED_AT, Desk, order_of
from tests.threads import at_once


def an_order(chance: random.Random, number: int) -> orders_pb2.Order:
    lines = {
        str(line): (chance.randint(1, 9), f"{chance.randint(0, 99)}.{chance.randint(0, 99):02}")
        for line in range(1, chance.randint(2, 5))
    }
    merchandise = sum(int(units * float(price) * 100) for units, price in lines.values())
    return order_of(
        lines,
        order_id=f"ord_{number}",
        customer_id=f"cus_{number % 3}",
        invoicing=chance.choice(OF_SHIPMENTS),
        payment_method=chance.choice(("terms", "terms", "deposit", "card")),
        terms=chance.choice(("", "", "delivery 5", "50%@10 50%@30")),
        discount=chance.randint(0, merchandise // 3),
        freight=chance.randint(0, 5000),
        tax_rate=chance.choice(("0", "0.0825", "0.2")),
    )


def a_split(chance: random.Random, order: orders_pb2.Order) -> Iterator[dict[str, int]]:
    """All units of an order, in shipments of any size."""
    left = Counter({line.line_id: line.quantity for line in order.lines})
    while +left:
        units = {line: min(count, chance.randint(0, 4)) for line, count in (+left).items()}
        units = {line: count for line, count in units.items() if count} or {next(iter(+left)): 1}
        left.subtract(units)
        yield units


def somebody(desk: Desk, chance: random.Random, order_id: str, left: list[str]) -> None:
    """What may happen at any moment: a delivery, days that pass, the runner, accounting with an invoice or a draft."""
    match chance.choice(("deliver", "time", "policies", "hand", "part", "draft", "nothing")):
        case "deliver" if left:
            shipment_id = left.pop(chance.randrange(len(left)))
            desk.deliver(shipment_id, desk.now, f"fact_{shipment_id}")
        case "time":
            desk.now += timedelta(days=chance.randint(1, 9))
        case "policies":
            desk.run_policies()
        case "hand":
            with suppress(Refused):
                desk.bill_by_hand(order_id, *waiting_ids(desk, chance, order_id))
        case "part":
            with suppress(Refused):
                desk.bill_by_hand(order_id, units=some_units(desk, chance, order_id))
        case "draft":
            with suppress(Refused):
                draft = desk.draft(order_id, *waiting_ids(desk, chance, order_id))
                desk.move_draft(draft.draft_id, chance.choice(("approve", "discard")))


def some_units(desk: Desk, chance: random.Random, order_id: str) -> dict[str, int]:
    """A part of what waits of an order."""
    waiting: Counter[str] = Counter()
    for one in desk.billable(order_ids=[order_id]):
        waiting.update({line.line_id: line.quantity for line in one.lines if not one.draft_id})
    return {line_id: chance.randint(1, units) for line_id, units in waiting.items() if chance.random() < 0.7}


def waiting_ids(desk: Desk, chance: random.Random, order_id: str) -> list[str]:
    return [one.shipment_id for one in desk.billable(order_ids=[order_id]) if chance.random() < 0.5]


def finish(desk: Desk, left: list[str]) -> None:
    """All arrives, all drafts are discarded, time passes, and accounting invoices what is left."""
    for shipment_id in left:
        desk.deliver(shipment_id, desk.now, f"fact_{shipment_id}")
    for draft in desk.drafts("open"):
        desk.move_draft(draft.draft_id, "discard")
    desk.now += timedelta(days=40)
    desk.run_policies()
    for order_id in sorted({one.order_id for one in desk.billable()}):
        desk.bill_by_hand(order_id)


def test_any_split_under_any_policy_with_accounting_in_between_comes_to_the_order(desk: Desk) -> None:
    chance = random.Random(7)
    for number in range(40):
        desk.now = SHIPPED_AT + timedelta(hours=1)
        order = an_order(chance, number)
        desk.orders[order.order_id] = order
        left: list[str] = []
        for place, units in enumerate(a_split(chance, order)):
            shipment_id = f"shp_{number}_{place}"
            desk.leave(order, shipment_id, units, shipped_at=desk.now)
            left.append(shipment_id)
            somebody(desk, chance, order.order_id, left)
        finish(desk, left)

        billed = [one for one in desk.all_listed() if one.order_id == order.order_id]
        assert sum(one.total.minor_units for one in billed) == order.total.minor_units, f"order {number}"
        assert sum(one.freight.minor_units for one in billed) == order.freight.minor_units
        assert len({one for bill in billed for one in bill.shipment_ids}) == place + 1
        assert desk.violations() == {}


def rush(desk: Desk, shipments: int) -> tuple[Counter[str], set[int]]:
    """So many shipments of orders that are due, invoiced by two runners and three accountants at once.

    How often each shipment is on an invoice, and what the invoices of an order come to.
    """
    for number in range(shipments):
        order = order_of(
            {"1": (5, "3.33")},
            order_id=f"ord_{number // 5}",
            customer_id=f"cus_{number % 5}",
            invoicing="weekly",
            freight=100,
        )
        order.customer_id = f"cus_{(number // 5) % 7}"
        desk.leave(order, f"shp_{number}", {"1": 1})
    desk.now = datetime(2026, 3, 9, 12, tzinfo=UTC)
    orders = [f"ord_{number}" for number in range(shipments // 5)]

    def by_hand(numbers: list[int]) -> None:
        for number in numbers:
            with suppress(Refused, Conflict):
                desk.bill_by_hand(f"ord_{number // 5}", f"shp_{number}", request_id=f"hand/{number}")

    def whole(order_ids: list[str]) -> None:
        for order_id in order_ids:
            with suppress(Refused, Conflict):
                desk.bill_by_hand(order_id, request_id=f"whole/{order_id}")

    acts: list[Callable[[], object]] = [desk.run_policies, desk.run_policies]
    acts += [partial(by_hand, list(range(shipments))), partial(by_hand, list(range(shipments))[::-3])]
    acts.append(partial(whole, orders[::-1]))
    at_once(acts, threads=5)
    desk.run_policies()
    billed, totals = Counter[str](), Counter[str]()
    for bill in desk.all_listed():
        billed.update(bill.shipment_ids)
        for share in bill.shares or (bill,):
            totals[share.order_id] += share.total.minor_units
    return billed, set(totals.values())


def each_once(shipments: int) -> tuple[Counter[str], set[int]]:
    """Five units at 3.33 with freight of 1.00 an order."""
    return Counter(f"shp_{number}" for number in range(shipments)), {5 * 333 + 100}


@pytest.mark.on_postgres
def test_shipments_that_are_billed_by_policy_and_by_hand_at_once_are_billed_once_each(desk: Desk) -> None:
    assert rush(desk, 40) == each_once(40)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_units_of_shipments_that_are_billed_in_parts_and_whole_at_once_are_billed_once_each(desk: Desk) -> None:
    for number in range(8):
        order = order_of(
            {"1": (5, "3.33"), "2": (4, "1.01")}, order_id=f"ord_{number}", invoicing="weekly", freight=100
        )
        desk.leave(order, f"shp_{number}", {"1": 5, "2": 4})
    desk.now = datetime(2026, 3, 9, 12, tzinfo=UTC)

    def parts(line_id: str) -> None:
        for number in range(8):
            for _ in range(4):
                with suppress(Refused, Conflict):
                    desk.bill_by_hand(f"ord_{number}", units={line_id: 1})

    acts: list[Callable[[], object]] = [partial(parts, line_id) for line_id in ("1", "2", "1")]
    at_once([*acts, desk.run_policies], threads=4)
    desk.run_policies()

    units: Counter[tuple[str, str]] = Counter()
    totals: Counter[str] = Counter()
    for number in range(8):
        for bill in desk.billing.ListInvoices(pb.ListInvoicesRequest(order_id=f"ord_{number}"), CONTEXT).invoices:
            totals[bill.order_id] += bill.total.minor_units
            units.update({(bill.order_id, line.line_id): line.quantity for line in bill.lines})
    assert set(totals.values()) == {5 * 333 + 4 * 101 + 100}
    assert units == {(f"ord_{number}", line): count for number in range(8) for line, count in (("1", 5), ("2", 4))}
    assert desk.violations() == {}


@pytest.mark.prove
@pytest.mark.timeout(300)
def test_500_shipments_that_are_billed_by_policy_and_by_hand_at_once_are_billed_once_each(desk: Desk) -> None:
    assert rush(desk, 500) == each_once(500)
    assert desk.violations() == {}


@pytest.mark.parametrize(("condition", "winners"), [("", [1, 1]), ("AND draft_id = ''", [0, 1])])
def test_a_shipment_is_taken_once_only_if_the_update_itself_asks_whether_it_is_free(
    database: Database, desk: Desk, condition: str, winners: list[int]
) -> None:
    """The naive twin looks first and takes it then: both of two who do so have it."""
    desk.leave(order_of({"1": (1, "1.00")}, invoicing="weekly"), "shp_1", {"1": 1})
    looked = Barrier(2, timeout=10)

    def take(who: str) -> int:
        with database.reading() as session:
            assert session.execute(text("SELECT draft_id FROM billable_shipment")).scalar_one() == ""
        looked.wait()
        with database.transaction() as session:
            statement = text(f"UPDATE billable_shipment SET draft_id = :who WHERE shipment_id = 'shp_1' {condition}")
            return changed(session, statement, {"who": who})

    assert sorted(at_once([partial(take, "ann"), partial(take, "ben")], threads=2)) == winners

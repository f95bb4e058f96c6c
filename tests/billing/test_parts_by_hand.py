"""Accounting invoices some units of what has shipped: each unit is billed once, and the rest waits for its policy."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import text

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.kernel.errors import InvalidArgument, NotFound, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import by_hand
from tests.billing.test_policies import SUNDAY, at
from tests.billing.test_reversals import net, reverse


def shipped(desk: Desk, policy: str = "weekly", terms: str = "") -> orders_pb2.Order:
    """Two shipments wait: 4 and 2 units of the first line, and 3 of the second with the first shipment."""
    order = order_of(
        {"1": (6, "10.00"), "2": (3, "5.00")}, invoicing=policy, freight=750, tax_rate="0.1", terms=terms
    )  # 60.00 + 15.00, freight 7.50, tax 7.50
    desk.leave(order, "shp_1", {"1": 4, "2": 3})
    desk.leave(order, "shp_2", {"1": 2})
    return order


def waiting(desk: Desk) -> dict[str, dict[str, int]]:
    return {one.shipment_id: {line.line_id: line.quantity for line in one.lines} for one in desk.billable()}


@pytest.mark.on_postgres
def test_some_units_are_invoiced_now_and_the_rest_by_policy_and_together_they_come_to_the_order(desk: Desk) -> None:
    order = shipped(desk)

    part = desk.bill_by_hand("ord_1", units={"1": 1, "2": 3})

    # 10.00 + 15.00 of 75.00: a third of the freight, and tax on 25.00
    assert (part.merchandise.minor_units, part.freight.minor_units, part.tax.minor_units) == (2_500, 250, 250)
    assert list(part.shipment_ids) == ["shp_1"]
    assert waiting(desk) == {"shp_1": {"1": 3}, "shp_2": {"1": 2}}
    assert [one.amount.minor_units for one in desk.billable()] == [3_000 + 300 + 300, 2_000 + 200 + 200]
    assert desk.violations() == {}

    desk.now = at(SUNDAY + timedelta(days=1))
    assert desk.run_policies() == 1
    (_, rest) = desk.listed()
    assert {line.line_id: line.quantity for line in rest.lines} == {"1": 5}
    assert part.total.minor_units + rest.total.minor_units == order.total.minor_units
    assert desk.violations() == {}


def test_the_first_shipment_to_leave_gives_its_units_first(desk: Desk) -> None:
    shipped(desk)

    part = desk.bill_by_hand("ord_1", units={"1": 5})

    assert list(part.shipment_ids) == ["shp_1", "shp_2"]
    assert waiting(desk) == {"shp_1": {"2": 3}, "shp_2": {"1": 1}}


def test_units_are_taken_of_the_shipments_that_are_named_alone(desk: Desk) -> None:
    shipped(desk)

    desk.bill_by_hand("ord_1", "shp_2", units={"1": 1})

    assert waiting(desk) == {"shp_1": {"1": 4, "2": 3}, "shp_2": {"1": 1}}


def test_the_last_units_of_a_shipment_end_its_waiting(desk: Desk) -> None:
    shipped(desk)

    numbers = [desk.bill_by_hand("ord_1", units=units).number for units in ({"1": 3}, {"1": 1, "2": 3}, {"1": 2})]

    assert numbers == ["INV-000001", "INV-000002", "INV-000003"]
    assert waiting(desk) == {}
    assert sum(one.total.minor_units for one in desk.listed()) == 9_000
    assert desk.violations() == {}


def test_all_units_of_a_shipment_are_the_shipment(desk: Desk) -> None:
    shipped(desk)

    whole = desk.bill_by_hand("ord_1", "shp_2", units={"1": 2})

    assert (whole.shipment_id, list(whole.shipment_ids)) == ("shp_2", ["shp_2"])
    with pytest.raises(Refused, match="is on invoice INV-000001 already"):
        desk.bill_by_hand("ord_1", "shp_2")


@pytest.mark.parametrize(
    ("units", "said"),
    [({"1": 7}, "6 units of line 1 wait"), ({"2": 4}, "3 units of line 2"), ({"9": 1}, "0 units of line 9")],
)
def test_no_more_than_waits_is_invoiced(desk: Desk, units: dict[str, int], said: str) -> None:
    shipped(desk)

    with pytest.raises(Refused, match=said) as refused:
        desk.bill_by_hand("ord_1", units=units)

    assert refused.value.reason == "UNITS_NOT_WAITING"
    assert desk.listed() == []
    assert waiting(desk) == {"shp_1": {"1": 4, "2": 3}, "shp_2": {"1": 2}}


def test_what_is_invoiced_in_part_is_not_invoiced_again(desk: Desk) -> None:
    shipped(desk)
    desk.bill_by_hand("ord_1", units={"1": 5})

    with pytest.raises(Refused, match="1 units of line 1 wait"):
        desk.bill_by_hand("ord_1", units={"1": 2})
    with pytest.raises(NotFound):
        desk.bill_by_hand("ord_1", "shp_9", units={"1": 1})


def test_a_preview_of_units_leaves_no_trace_and_says_what_the_invoice_will(desk: Desk) -> None:
    shipped(desk)

    seen = desk.preview("ord_1", units={"1": 1, "2": 3})

    assert (seen.invoice.number, seen.invoice.total.minor_units) == ("", 3_000)
    assert [one.shipment_id for one in seen.shipments] == ["shp_1"]
    assert waiting(desk) == {"shp_1": {"1": 4, "2": 3}, "shp_2": {"1": 2}}
    assert desk.bill_by_hand("ord_1", units={"1": 1, "2": 3}).total.minor_units == 3_000


def test_a_draft_holds_what_is_left_of_a_shipment_and_takes_no_units(desk: Desk) -> None:
    shipped(desk)
    desk.bill_by_hand("ord_1", units={"1": 3})

    draft = desk.draft("ord_1", "shp_1")
    with pytest.raises(Refused):
        desk.bill_by_hand("ord_1", "shp_1", units={"1": 1})
    desk.move_draft(draft.draft_id, "approve")
    posted = desk.move_draft(draft.draft_id, "post").invoice

    assert {line.line_id: line.quantity for line in posted.lines} == {"1": 1, "2": 3}
    assert desk.violations() == {}
    of = by_hand("ord_1", ["shp_2"], {"1": 1})
    with pytest.raises(InvalidArgument, match="whole shipments"):
        desk.billing.MakeInvoiceDraft(pb.MakeInvoiceDraftRequest(request_id="r", of=of, made_by="ann"), CONTEXT)


def test_a_part_that_is_due_on_delivery_is_due_when_its_shipments_have_arrived(desk: Desk) -> None:
    shipped(desk, terms="delivery 10")
    part = desk.bill_by_hand("ord_1", units={"1": 5})

    desk.deliver("shp_1", at(SUNDAY), "fact_1")
    after_one = desk.invoice_now(part.invoice_id).due_on
    desk.deliver("shp_2", at(SUNDAY + timedelta(days=2)), "fact_2")

    assert (part.due_on, after_one, desk.invoice_now(part.invoice_id).due_on) == ("", "", "2026-03-20")
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_shipment_that_never_left_has_the_invoices_of_its_parts_credited(desk: Desk) -> None:
    shipped(desk)
    desk.bill_by_hand("ord_1", units={"1": 1})
    desk.bill_by_hand("ord_1", units={"1": 1, "2": 1})

    done = reverse(desk, "shp_1")

    assert done.outcome == "credited"
    assert net(desk, "ord_1") == 0
    assert waiting(desk) == {"shp_2": {"1": 2}}
    billed = [[(line.quantity, line.reversed_quantity) for line in one.lines] for one in desk.listed()]
    assert billed == [[(1, 1)], [(1, 1), (1, 1)]]
    assert desk.violations() == {}
    assert reverse(desk, "shp_1", request_id="again").amount == done.amount


def test_a_shipment_that_never_left_and_was_billed_in_part_and_by_policy_is_credited_whole(desk: Desk) -> None:
    order = shipped(desk)
    desk.bill_by_hand("ord_1", "shp_1", units={"1": 1})
    desk.now = at(SUNDAY + timedelta(days=1))
    desk.run_policies()

    reverse(desk, "shp_1")
    again = desk.leave(order, "shp_3", {"1": 4, "2": 3})
    desk.now += timedelta(days=8)
    desk.run_policies()

    assert again.HasField("waiting")
    assert net(desk, "ord_1") == order.total.minor_units
    assert desk.violations() == {}


@pytest.mark.parametrize(
    ("broken", "invariant"),
    [
        (
            "UPDATE billable_line SET billed_quantity = 2 WHERE line_id = '1' AND shipment_id = 'shp_1'",
            "billing.parts_of_shipments_sum",
        ),
        ("UPDATE invoice SET bills_parts = false", "billing.invoices_of_parts_name_them"),
    ],
)
def test_the_audit_finds_parts_that_do_not_add_up(desk: Desk, broken: str, invariant: str) -> None:
    shipped(desk)
    desk.bill_by_hand("ord_1", units={"1": 1})
    with desk.database.transaction() as session:
        session.execute(text(broken))

    assert invariant in desk.violations()


def test_orders_of_one_customer_shipped_and_billed_in_any_order_come_to_their_totals(desk: Desk) -> None:
    """Shipments of several orders, units by hand in between, and one invoice over all orders for each week."""
    chance = random.Random(11)
    orders = []
    for number in range(6):
        lines = {str(line): (chance.randint(1, 6), f"{chance.randint(1, 900) / 100:.2f}") for line in range(1, 4)}
        orders.append(
            order_of(
                lines, order_id=f"ord_{number}", invoicing="weekly", freight=chance.randint(0, 999), tax_rate="0.19"
            )
        )
    left = {(order.order_id, line.line_id): line.quantity for order in orders for line in order.lines}
    place = 0
    while any(left.values()):
        order = chance.choice(orders)
        units = {line.line_id: chance.randint(0, left[order.order_id, line.line_id]) for line in order.lines}
        units = {line_id: count for line_id, count in units.items() if count}
        if units:
            place += 1
            desk.leave(order, f"shp_{place}", units, shipped_at=desk.now)
            left.update(
                {(order.order_id, line_id): left[order.order_id, line_id] - count for line_id, count in units.items()}
            )
        if chance.random() < 0.3 and units:
            desk.bill_by_hand(order.order_id, units={next(iter(units)): 1})
        desk.now += timedelta(days=chance.randint(0, 3))
        desk.run_policies()
    desk.now += timedelta(days=8)
    desk.run_policies()

    wholes = desk.all_listed()
    for order in orders:
        own = desk.billing.ListInvoices(pb.ListInvoicesRequest(order_id=order.order_id), CONTEXT).invoices
        assert sum(one.total.minor_units for one in own) == order.total.minor_units
        assert sum(one.freight.minor_units for one in own) == order.freight.minor_units
    assert [one.number for one in wholes] == [f"INV-{number:06}" for number in range(1, len(wholes) + 1)]
    assert sum(one.total.minor_units for one in wholes) == sum(order.total.minor_units for order in orders)
    assert any(one.shares for one in wholes)
    assert all(
        sum(share.total.minor_units for share in one.shares) == one.total.minor_units for one in wholes if one.shares
    )
    assert desk.violations() == {}

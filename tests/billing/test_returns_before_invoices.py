"""What comes back before its invoice is made: its units are invoiced as they are credited, and by nothing later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import Refused
from tests.billing.desk import Desk, order_of
from tests.billing.test_parts_by_hand import waiting
from tests.billing.test_policies import SUNDAY, at
from tests.billing.test_returns import _credit, _line
from tests.billing.test_reversals import net


def _left(desk: Desk, policy: str) -> None:
    """Two shipments of 4 at 10.00, taxed."""
    order = order_of({"1": (8, "10.00")}, invoicing=policy, tax_rate="0.1")
    desk.limit(100_000)
    desk.commit("ord_1", 8_800)
    desk.leave(order, "shp_1", {"1": 4})
    desk.leave(order, "shp_2", {"1": 4})


@pytest.mark.on_postgres
@pytest.mark.parametrize("policy", ["weekly", "monthly", "per_delivery", "manual"])
def test_a_parcel_that_was_stopped_before_its_invoice_is_credited_and_never_invoiced_again(
    desk: Desk, policy: str
) -> None:
    _left(desk, policy)

    [note] = _credit(desk, _line(4, shipment="shp_1"))

    [invoice] = desk.listed()
    assert (note.invoice_id, note.total.minor_units) == (invoice.invoice_id, 4_400)
    assert (invoice.shipment_id, invoice.status, invoice.open.minor_units) == ("shp_1", "credited", 0)
    assert waiting(desk) == {"shp_2": {"1": 4}}
    assert desk.account() == (4_400, 0)
    desk.now = at(SUNDAY + timedelta(days=40))
    desk.deliver("shp_2", desk.now, "fact_1")
    desk.run_policies()
    assert net(desk, "ord_1") == (0 if policy == "manual" else 4_400)
    assert desk.violations() == {}


def test_a_part_of_it_leaves_the_rest_to_wait(desk: Desk) -> None:
    _left(desk, "weekly")

    _credit(desk, _line(1, shipment="shp_1"), _line(1, "15", shipment="shp_1"))

    assert waiting(desk) == {"shp_1": {"1": 2}, "shp_2": {"1": 4}}
    assert net(desk, "ord_1") == 150
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_units_that_were_invoiced_by_hand_are_credited_first_and_only_the_others_invoiced(desk: Desk) -> None:
    _left(desk, "manual")
    desk.bill_by_hand("ord_1", "shp_2", units={"1": 4})
    by_hand = desk.bill_by_hand("ord_1", "shp_1", units={"1": 3})

    first = _credit(desk, _line(2, shipment="shp_1"))
    rest = _credit(desk, _line(2, shipment="shp_1"))

    assert [(one.invoice_number, one.lines[0].quantity) for one in first] == [(by_hand.number, 2)]
    assert [(one.invoice_number, one.lines[0].quantity) for one in rest] == [(by_hand.number, 1), ("INV-000003", 1)]
    assert waiting(desk) == {}
    assert net(desk, "ord_1") == 4_400
    assert desk.violations() == {}


def test_what_is_held_for_the_order_goes_back_with_it(desk: Desk) -> None:
    _left(desk, "per_delivery")
    desk.pay(8_800, "BANK-1", orders={"ord_1": 8_800})

    [note] = _credit(desk, _line(4, shipment="shp_1"))

    assert [one.amount.minor_units for one in note.left_over] == [4_400]
    assert desk.money("ord_1")["held"] == 4_400
    assert desk.violations() == {}


def test_what_a_draft_holds_waits_for_who_made_it(desk: Desk) -> None:
    _left(desk, "manual")
    draft: pb.InvoiceDraft = desk.draft("ord_1", "shp_1")

    with pytest.raises(Refused) as refused:
        _credit(desk, _line(4, shipment="shp_1"))
    desk.move_draft(draft.draft_id, "discard")

    assert refused.value.reason == "HELD_BY_DRAFT"
    assert [one.total.minor_units for one in _credit(desk, _line(4, shipment="shp_1"))] == [4_400]
    assert desk.violations() == {}


def test_what_came_back_of_no_shipment_by_name_is_invoiced_only_beyond_what_is(desk: Desk) -> None:
    _left(desk, "manual")
    desk.bill_by_hand("ord_1", "shp_1")

    numbers = [one.invoice_number for one in _credit(desk, _line(5))]

    assert numbers == ["INV-000001", "INV-000002"]
    assert waiting(desk) == {"shp_2": {"1": 3}}
    assert desk.violations() == {}

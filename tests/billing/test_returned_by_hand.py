"""Units that somebody credited before a return brought them are credited once, whichever of several returns brings them."""

from __future__ import annotations

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.kernel.errors import Refused
from tests.billing.desk import CONTEXT, Desk
from tests.billing.messages import credit_request
from tests.billing.test_parts_by_hand import waiting
from tests.billing.test_returns import _billed, _credit, _line
from tests.billing.test_returns_before_invoices import _left
from tests.billing.test_reversals import net


def _as_returned(desk: Desk, invoice: str, units: int) -> None:
    request = credit_request(invoice, {"1": units}, request_id=f"hand/{invoice}/{units}")
    request.reason_code = "returned"
    desk.billing.CreditInvoice(request, CONTEXT)


def _credited(notes: list[pb.CreditNote]) -> list[int]:
    return [line.quantity for note in notes for line in note.lines]


@pytest.mark.on_postgres
@pytest.mark.parametrize("shipment", ["", "shp_1"])
def test_what_was_credited_as_returned_comes_first_and_is_not_credited_again(desk: Desk, shipment: str) -> None:
    """4 of 10 were credited as goods that come back: those come, then others."""
    invoice = _billed(desk)
    _as_returned(desk, invoice.invoice_id, 4)

    first, second, third = (_credited(_credit(desk, _line(units, shipment=shipment))) for units in (3, 3, 4))

    assert (first, second, third) == ([], [2], [4])
    assert desk.invoice_now(invoice.invoice_id).open.minor_units == 0
    with pytest.raises(Refused, match="1 units of line 1"):
        _credit(desk, _line(1))
    assert desk.violations() == {}


def test_a_shipment_brings_what_was_credited_of_its_own_invoice(desk: Desk) -> None:
    _left(desk, "manual")
    first, second = (desk.bill_by_hand("ord_1", name) for name in ("shp_1", "shp_2"))
    _as_returned(desk, first.number, 4)

    of_the_second = _credit(desk, _line(3, shipment="shp_2"))
    of_the_first = _credit(desk, _line(4, shipment="shp_1"))

    assert [one.invoice_number for one in of_the_second] == [second.number]
    assert of_the_first == []
    assert net(desk, "ord_1") == 1_100
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_what_was_credited_by_hand_is_brought_once_also_where_no_shipment_is_named(desk: Desk) -> None:
    """4 of 8 were invoiced and credited for another reason, 4 wait: a second return of 4 is of those."""
    _left(desk, "manual")
    desk.credit(desk.bill_by_hand("ord_1", "shp_1").number, everything=True)

    first, waits, second = _credit(desk, _line(4)), waiting(desk), _credit(desk, _line(4))

    assert (first, waits) == ([], {"shp_2": {"1": 4}})
    assert (_credited(second), waiting(desk), net(desk, "ord_1")) == ([4], {}, 0)
    assert desk.violations() == {}


def test_a_part_of_a_shipment_that_was_credited_as_returned_is_not_invoiced_for_its_return(desk: Desk) -> None:
    _left(desk, "manual")
    _as_returned(desk, desk.bill_by_hand("ord_1", "shp_1", units={"1": 2}).number, 2)

    first, waits = _credit(desk, _line(2, shipment="shp_1")), waiting(desk)
    second = _credit(desk, _line(2, shipment="shp_1"))

    assert (first, waits["shp_1"]) == ([], {"1": 2})
    assert (_credited(second), waiting(desk)) == ([2], {"shp_2": {"1": 4}})
    assert desk.violations() == {}

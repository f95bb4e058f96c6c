"""The cash of a return goes back to its card: owed until the provider has paid it, tried again, asked for once."""

from __future__ import annotations

from pathlib import Path

from oms.billing.v1 import billing_pb2 as pb
from services.runtime.db import Database
from tests.billing.card_desk import Till, stripe_in
from tests.billing.desk import CONTEXT
from tests.billing.test_owed_refunds import owed


def test_a_refund_that_finds_no_provider_is_owed_and_paid_once(database: Database, tmp_path: Path) -> None:
    with stripe_in(tmp_path) as stripe:
        check(Till(database, stripe))


def check(till: Till) -> None:
    till.commit_card()
    till.ship("shp_1", 10)
    till.capture("shp_1")
    line = pb.ReturnedLine(line_id="1", quantity=2)
    asked = pb.CreditReturnRequest(
        request_id="insp_1", order_id="ord_1", return_id="rma_1", number="RMA-1001", lines=[line], reason="return"
    )
    [note] = till.billing.CreditReturn(asked, CONTEXT).credit_notes
    till.stripe.switches.turn("away", 100)

    first, second = (
        till.billing.RefundReturn(pb.RefundReturnRequest(request_id=key, return_id="rma_1"), CONTEXT).refunded
        for key in ("click/1", "click/2")
    )

    assert ([one.amount for one in first], list(second)) == ([note.total], [])
    [refund] = owed(till)
    assert (refund.amount, refund.state, refund.order_id) == (note.total, "open", "ord_1")
    assert till.balances()["refunds_payable"] == -note.total.minor_units
    assert till.violations() == {}
    till.stripe.switches.turn("away", 0)
    till.settle()
    till.settle()
    [paid] = owed(till)
    assert (paid.state, till.balances()["refunds_payable"]) == ("paid", 0)
    assert till.at_stripe()["refunded"] == note.total.minor_units
    assert till.violations() == {}

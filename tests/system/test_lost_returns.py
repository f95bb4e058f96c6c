"""A return whose workflow was terminated: an exception, repaired, and carried to its end with each mail once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from tests.system.test_a8_return import _ask, _back, _sold, _until
from tests.system.test_leases import _stored, exceptions_of, sweep
from tests.system.trade import Trade, eventually, key, ok


def _older(trade: Trade, number: str) -> None:
    """Let the return have been requested an hour ago."""
    past = _stored(trade.system, datetime.now(UTC) - timedelta(hours=1))
    with trade.system.processes["orders"].database.transaction() as session:
        session.execute(
            text("UPDATE sales_return SET requested_at = :past WHERE number = :number"),
            {"past": past, "number": number},
        )


def _swept(trade: Trade, order_id: str) -> None:
    sweep(trade.system, "lost_returns")
    assert exceptions_of(trade, order_id) == ["return_lost"]


def test_a_return_whose_workflow_was_terminated_is_an_exception_and_goes_on_when_repaired(trade: Trade) -> None:
    order, _, warehouse = _sold(trade)
    rma = str(ok(_ask(trade, order, 2))["number"])
    _until(trade, rma, lambda one: one["state"] == "authorized")
    _older(trade, rma)

    trade.system.on_loop(trade.system.temporal.get_workflow_handle(f"return/{rma}").terminate("by hand"))
    eventually(lambda: _swept(trade, order["order_id"]))
    halted = _until(trade, rma, lambda one: one["halted"] is not None)
    ok(trade.system.api("support").post(f"/v1/returns/{rma}/repair", headers=key()))
    repaired = _until(trade, rma, lambda one: one["halted"] is None)
    _back(trade, rma, warehouse, 2, (2, "A", "restock", "customer"))
    _until(trade, rma, lambda one: one["state"] == "closed")

    assert (halted["waits_for"], repaired["waits_for"]) == ("support", "customer")
    assert exceptions_of(trade, order["order_id"]) == []
    eventually(lambda: _mailed(trade, order["number"], rma))
    trade.until_audit_is_clean()


def _mailed(trade: Trade, number: str, rma: str) -> None:
    about = [subject for subject in trade.mails(number) if rma in subject]
    assert about == [
        f"Your return {rma} for order {number} is approved",
        f"Return {rma} of order {number} is expected",
        f"We have received goods of your return {rma} for order {number}",
        f"Your return {rma} for order {number} is credited",
    ]

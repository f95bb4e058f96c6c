"""No statement of an order's life reads a table from end to end: what it costs must not grow with the orders there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from services.orders.lifecycle import place
from services.orders.store import dead_letters, order_history, orders
from services.runtime import outbox
from services.runtime.db import Database
from tests.orders.desk import Desk, shipment, stock

pytestmark = pytest.mark.on_postgres

_SMALL = {"policy", "delegation"}
"""Tables that stay small whatever is ordered."""


def recorded(database: Database, statements: dict[str, Any]) -> None:
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements[statement] = parameters

    event.listen(database.engine, "before_cursor_execute", note)


def live(desk: Desk) -> None:
    receipt = desk.place(("PUMP", 1), channel_ref="WEB-1", po_number="PO-1")
    order_id = receipt.order_id
    desk.validate(order_id)
    with desk.database.transaction() as session:
        place.mark_started(session, receipt)
        place.keep_answer(session, order_id, {"status": 201})
        orders.find_id(session, receipt.number)
        orders.numbers(session, [order_id])
        orders.living(session, [order_id], [receipt.number])
    desk.notify(desk.fact(order_id, "inventory", "stock_reserved", 1, stock({"1": (1, 0)})))
    desk.record(order_id, "accepted")
    for sequence, state in enumerate(("shipped", "delivered"), start=1):
        notified = shipment("SH-1", state, {"1": 1})
        desk.notify(desk.fact(order_id, "fulfillment", f"shipment_{state}", sequence, notified))
    later = desk.now + timedelta(minutes=1)
    with desk.database.transaction() as session:
        rows = outbox.unsent(session, later, 100, frozenset({"notify", "signal"}))
        outbox.blocked_orders(session, later)
        outbox.mark_sent(session, [row.fact_id for row in rows])
    desk.record(order_id, "closed")


def scans(desk: Desk, statements: dict[str, Any]) -> list[tuple[str, str]]:
    """(step, statement) of each step that reads a large table without any index."""
    with desk.database.reading() as session:
        return [
            (step.detail, statement)
            for statement, parameters in statements.items()
            for step in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", _one(parameters))
            if step.detail.startswith("SCAN") and "INDEX" not in step.detail and step.detail.split()[1] not in _SMALL
        ]


def _one(parameters: Any) -> Any:
    """The parameters of the first row where a statement was run for several."""
    return parameters[0] if isinstance(parameters, list) else parameters


def test_no_statement_of_an_orders_life_reads_a_whole_table(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("PostgreSQL reads small tables from end to end whatever their indexes")
    statements: dict[str, Any] = {}
    recorded(desk.database, statements)

    live(desk)

    seen = dict(statements)
    assert len(seen) > 30
    assert scans(desk, seen) == []


def test_dead_letters_are_found_without_reading_all_that_ever_went_well(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("as above")
    statements: dict[str, Any] = {}
    recorded(desk.database, statements)

    with desk.database.reading() as session:
        dead_letters.count(session)
        dead_letters.outstanding(session)
        outbox.backlog(session)

    found = {step.split()[1] for step, _ in scans(desk, dict(statements))}
    assert found <= {"late_fact", "CONSTANT"}  # all of them are dead letters; a row of counts has no table


def test_a_purchase_order_is_looked_for_by_its_number_not_in_all_that_its_customer_ordered(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("as above")
    order = desk.read(desk.place(("PUMP", 1), po_number="PO-1").order_id).order
    statements: dict[str, Any] = {}
    recorded(desk.database, statements)

    with desk.database.reading() as session:
        order_history.duplicates(session, order)
        [(statement, parameters)] = list(statements.items())
        plan = [
            row.detail for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]

    assert plan[0] == "SEARCH sales_order USING INDEX sales_order_po (customer_id=? AND po_key=?)"


def test_a_statement_that_reads_a_whole_table_is_found(desk: Desk) -> None:
    if not desk.database.is_sqlite:
        pytest.skip("as above")
    planted = "SELECT order_id FROM sales_order WHERE note = ?"

    assert scans(desk, {planted: ("fragile",)}) == [("SCAN sales_order", planted)]

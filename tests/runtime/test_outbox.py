from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from services.kernel.errors import Refused
from services.runtime import outbox
from services.runtime.db import Database
from tests.threads import at_once

pytestmark = pytest.mark.on_postgres

KINDS = frozenset({"shipped"})


def test_a_rolled_back_change_tells_nobody(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as session:
            outbox.emit(session, kind="shipped", now=datetime.now(UTC), order_id="ord_1", detail={})
            raise Refused("NO", "no")

    _ignoring_refusal(fail)

    with database.reading() as session:
        assert outbox.backlog(session)[0] == 0


def test_messages_of_a_transaction_are_numbered_as_they_were_told_however_their_details_come(
    database: Database,
) -> None:
    def notify(session: Session, order_id: str, word: str, *, is_computed: bool) -> None:
        detail = {"word": word}
        now = datetime.now(UTC)
        outbox.emit(
            session, kind="shipped", now=now, order_id=order_id, detail=(lambda: detail) if is_computed else detail
        )

    with database.transaction() as session:
        notify(session, "ord_2", "a", is_computed=False)
        notify(session, "ord_1", "b", is_computed=False)
        notify(session, "ord_2", "c", is_computed=True)
        notify(session, "ord_2", "d", is_computed=False)
        notify(session, "ord_1", "e", is_computed=True)
    with database.transaction() as session:
        notify(session, "ord_2", "f", is_computed=False)
    with database.reading() as session:
        rows = outbox.unsent(session, datetime.now(UTC), 100, KINDS)

    notified = {
        order_id: [(row.sequence, row.detail["word"]) for row in rows if row.order_id == order_id]
        for order_id in ("ord_1", "ord_2")
    }
    assert notified == {"ord_1": [(1, "b"), (2, "e")], "ord_2": [(1, "a"), (2, "c"), (3, "d"), (4, "f")]}


def test_orders_are_counted_in_sorted_order_so_that_transactions_never_wait_in_a_circle(database: Database) -> None:
    counted: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT INTO outbox_counters"):
            counted.extend(order for order in ("ord_1", "ord_2", "ord_3") if order in str(parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    with database.transaction() as session:
        for order_id in ("ord_3", "ord_1", "ord_2"):
            outbox.emit(session, kind="shipped", now=datetime.now(UTC), order_id=order_id, detail={})

    assert counted == ["ord_1", "ord_2", "ord_3"]


def test_details_that_sum_an_order_never_miss_a_concurrent_change(database: Database) -> None:
    """Twenty transactions of one order each add one and tell the sum: the newest sequence tells the whole sum."""
    from sqlalchemy import text

    with database.transaction() as session:
        session.execute(
            text("INSERT INTO shelf (sku, on_hand, is_open) VALUES ('seed', 0, :yes)"), {"yes": _yes(database)}
        )

    def add(n: int) -> None:
        with database.transaction() as session:
            session.execute(
                text("INSERT INTO shelf (sku, on_hand, is_open) VALUES (:sku, 1, :yes)"),
                {"sku": f"s{n}", "yes": _yes(database)},
            )
            outbox.emit(
                session,
                kind="shipped",
                now=datetime.now(UTC),
                order_id="ord_1",
                detail=lambda: {"sum": int(session.execute(text("SELECT sum(on_hand) FROM shelf")).scalar_one())},
            )

    at_once([partial(add, n) for n in range(20)], threads=10)
    with database.reading() as session:
        rows = outbox.unsent(session, datetime.now(UTC), 100, KINDS)

    assert {row.sequence: row.detail["sum"] for row in rows} == {n: n for n in range(1, 21)}


def _yes(database: Database) -> object:
    return 1 if database.is_sqlite else True


def _ignoring_refusal(act: Callable[[], None]) -> None:
    try:
        act()
    except Refused:
        return

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.kernel.errors import InvalidArgument
from services.kernel.ids import new_id
from services.orders.domain.access import Scope
from services.orders.domain.overview import OverviewFilter, OverviewPage
from services.orders.overview import filters
from services.orders.store import holds as store
from services.orders.store.overview import SORTS, overview
from tests.orders.desk import ACCOUNTING, BUYER, RITA, RIVAL, Desk, caller


def page(desk: Desk, scope: Scope = ACCOUNTING.scope, cursor: str = "", **wanted: Any) -> OverviewPage:
    sort, limit = wanted.pop("sort", "-placed_at"), wanted.pop("limit", 50)
    with desk.database.reading() as session:
        return overview(session, scope, OverviewFilter(**wanted), sort=sort, limit=limit, cursor=cursor)


def numbers(desk: Desk, scope: Scope = ACCOUNTING.scope, **wanted: Any) -> list[str]:
    return [row.number for row in page(desk, scope, **wanted).rows]


@pytest.fixture
def stocked(desk: Desk) -> Desk:
    """SO-1001 accepted, SO-1002 on price and credit hold, SO-1003 rejected, SO-1004 received for another company."""
    desk.accepted(("PUMP", 1), po_number="PO_1")
    desk.validate(desk.place(("PUMP", 2, "200.00"), channel="edi").order_id, is_granted=False)
    desk.validate(desk.place(("NOPE", 1)).order_id)
    desk.place(("PUMP", 3), by=RIVAL, customer_id="cus_bolt", channel_ref="50%")
    return desk


QUESTIONS: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({}, ["SO-1004", "SO-1003", "SO-1002", "SO-1001"]),
    ({"status": "on_hold"}, ["SO-1002"]),
    ({"phase": "rejected"}, ["SO-1003"]),
    ({"channel": "edi"}, ["SO-1002"]),
    ({"customer_id": "cus_bolt"}, ["SO-1004"]),
    ({"hold": "credit"}, ["SO-1002"]),
    ({"hold": "any"}, ["SO-1002"]),
    ({"hold": "cred"}, []),
    ({"needs": "accounting"}, ["SO-1002"]),
    ({"needs": "sales_rep"}, ["SO-1002"]),
    ({"q": "so-1003"}, ["SO-1003"]),
    ({"q": "po_1"}, ["SO-1001"]),
    ({"q": "po"}, ["SO-1001"]),
    ({"q": "%"}, ["SO-1004"]),
    ({"q": "bolt"}, ["SO-1004"]),
    ({"sort": "total"}, ["SO-1003", "SO-1001", "SO-1004", "SO-1002"]),
)


@pytest.mark.on_postgres
def test_the_overview_finds_what_is_asked(stocked: Desk) -> None:
    for wanted, found in QUESTIONS:
        assert numbers(stocked, **wanted) == found, wanted


@pytest.mark.on_postgres
def test_a_hold_of_an_earlier_policy_is_known_as_long_as_one_stands(stocked: Desk) -> None:
    order_id = next(row.order_id for row in page(stocked, hold="credit").rows)
    with stocked.database.transaction() as session:
        held = stocked.read(order_id).holds[0]
        strange = replace(held, hold_id=new_id("hold"), code="OLD", hold_type="embargo")
        store.add(session, [strange])

    with stocked.database.reading() as session:
        filters.check(session, OverviewFilter(hold="embargo"))
        with pytest.raises(InvalidArgument, match=r"hold is one of any, .*credit.*embargo"):
            filters.check(session, OverviewFilter(hold="moon"))
    with stocked.database.transaction() as session:
        store.release(session, [strange.hold_id], released_by="a", released_role="b", note="", now=held.placed_at)
    with stocked.database.reading() as session, pytest.raises(InvalidArgument):
        filters.check(session, OverviewFilter(hold="embargo"))


@pytest.mark.parametrize("word", ["any", "credit", "manufacturing", "policy", "review_expired", "ship_to"])
def test_a_type_of_hold_is_known_before_one_stands(desk: Desk, word: str) -> None:
    with desk.database.reading() as session:
        filters.check(session, OverviewFilter(hold=word))


@pytest.mark.on_postgres
def test_a_scope_hides_what_is_not_the_callers(stocked: Desk) -> None:
    assert numbers(stocked, BUYER.scope) == ["SO-1003", "SO-1002", "SO-1001"]
    assert numbers(stocked, RIVAL.scope) == ["SO-1004"]
    assert numbers(stocked, RITA.scope) == ["SO-1003", "SO-1002", "SO-1001"]
    assert numbers(stocked, BUYER.scope, customer_id="cus_bolt") == []
    assert numbers(stocked, caller("ann", "channel", reach="own").scope) == ["SO-1003", "SO-1002", "SO-1001"]
    assert numbers(stocked, Scope()) == []


def test_by_how_long_they_wait_orders_that_wait_for_nobody_come_last_whichever_way(stocked: Desk) -> None:
    oldest, newest = numbers(stocked, sort="waiting_since"), numbers(stocked, sort="-waiting_since")

    # SO-1003 is rejected; SO-1001 was accepted before SO-1002 was held and SO-1004 was placed
    assert oldest == ["SO-1001", "SO-1002", "SO-1004", "SO-1003"]
    assert newest == ["SO-1004", "SO-1002", "SO-1001", "SO-1003"]


@pytest.mark.on_postgres
def test_pages_of_one_show_everything_once_in_the_same_order(stocked: Desk) -> None:
    for sort in SORTS:
        whole, cursor, seen = numbers(stocked, sort=sort), "", []
        for _ in range(10):
            part = page(stocked, cursor=cursor, sort=sort, limit=1)
            seen += [row.number for row in part.rows]
            cursor = part.next_cursor
            if not cursor:
                break

        assert (sort, seen) == (sort, whole)
        assert len(whole) == 4


def test_a_made_up_cursor_is_refused(desk: Desk) -> None:
    for cursor in ("nonsense", "e30=", "WzEsMiwzXQ==", "é"):
        with pytest.raises(InvalidArgument, match="cursor"):
            page(desk, cursor=cursor)


def test_sorting_is_by_allow_list(desk: Desk) -> None:
    with pytest.raises(InvalidArgument, match="sort by"):
        page(desk, sort="phase; DROP TABLE sales_order")

"""Exchanges at the order desk: what is asked for in place of returned goods, what the count earns, and the orders that bring it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from oms.orders.v1 import orders_pb2 as pb
from services.kernel.errors import InvalidArgument, NotPermitted, Refused
from services.orders.changes.propose import check_changeable
from services.orders.domain.exchange_terms import paid_by
from services.orders.domain.facts import Invoice
from services.orders.domain.order import check_placer
from services.orders.domain.projection import Exchange, LineProgress, Progress, is_settled
from services.orders.domain.replacements import units_for
from services.orders.domain.return_steps import finished, next_step
from services.orders.domain.returnable import LineToReturn
from services.orders.domain.returns import InspectedUnits, Inspection, Return, ReturnLine
from services.orders.domain.status import derive
from services.orders.lifecycle import cancel, exchange
from services.orders.order.outbox import CANCEL, START
from services.orders.returns import decide, keep, reading
from services.orders.store.audit_exchanges import INVARIANTS
from services.runtime.audit import find_all
from tests.orders.desk import ACCOUNTING, ANY, BUYER, NOON, Desk
from tests.orders.mail_parties import CONTACTS, ORDER
from tests.orders.test_returns import _advance, _count, _credit, _delivered, _inspect
from tests.planting import unnoticed

AT = ORDER.placed_at
LATE = 4_000_000_000_000_000
"""In the year 2096."""


def _ask(desk: Desk, order_id: str, units: int, sku: str, quantity: int = 0, *, advance: bool = False) -> Return:
    with desk.database.transaction() as session:
        line = LineToReturn("1", units, "defective", "", sku, quantity)
        return exchange.request(session, order_id, BUYER, [line], "", CONTACTS, desk.now, is_advance=advance)


def _read(desk: Desk, one: Return) -> Return:
    with desk.database.reading() as session:
        return reading.one(session, one.return_id)


def _inspected(desk: Desk, one: Return, units: int) -> None:
    _advance(desk, one, done="announced")
    _count(desk, one, units)
    _inspect(desk, one, units)


@given(st.integers(1, 50), st.integers(1, 50), st.lists(st.integers(0, 9), max_size=12))
def test_all_counts_together_earn_what_all_that_came_earns(replaced: int, announced: int, counts: list[int]) -> None:
    found, so_far = [], 0
    for count in counts:
        before, so_far = so_far, min(announced, so_far + count)
        found.append(units_for(replaced, announced, so_far) - units_for(replaced, announced, before))

    assert sum(found) == units_for(replaced, announced, so_far)
    assert min(found, default=0) >= 0
    assert units_for(replaced, announced, announced) == replaced


@pytest.mark.parametrize(
    ("method", "is_advance", "is_documented", "paid"),
    [
        ("terms", False, False, "exchange"),
        ("terms", False, True, "terms"),
        ("terms", True, False, "terms"),
        ("deposit", True, True, "terms"),
        ("card", False, True, "prepaid"),
        ("card", True, False, "card"),
        ("prepaid", True, False, "prepaid"),
        ("cod", False, True, "prepaid"),
    ],
)
def test_a_replacement_is_paid_as_the_goods_were(
    method: str, is_advance: bool, is_documented: bool, paid: str
) -> None:  # a row
    original = replace(ORDER, payment_method=method)

    assert paid_by(original, is_advance=is_advance, is_documented=is_documented) == paid


@pytest.mark.on_postgres
def test_the_count_places_an_order_of_the_same_sku_at_what_was_paid_and_no_rule_is_asked(desk: Desk) -> None:
    order_id = _delivered(desk, 5)
    one = _ask(desk, order_id, 3, "PUMP")
    _inspected(desk, one, 2)
    document = desk.servicer.GetReturn(pb.GetReturnRequest(return_id=one.return_id), ANY).document

    steps = [_advance(desk, one, done="credited", inspection_id="insp_1") for _ in range(2)]
    [placed] = _read(desk, one).replacements
    found = desk.read(placed.order_id)
    outcome = desk.validate(placed.order_id)

    assert dict(document.inspections[0].replaced) == {"1": 2}
    assert steps == [("wait", "authorized")] * 2
    assert [(line.sku, line.quantity, line.unit_price.text) for line in found.order.lines] == [("PUMP", 2, "129.00")]
    assert (found.order.payment_method, found.order.invoicing) == ("exchange", "exchange")
    assert list(outcome.reasons) == []
    states = [row["state"] for row in desk.outbox(START, placed.order_id)]
    assert states == ["sent", "unsent"]  # the one of placing is done, since nobody waits for it
    assert "replacement_placed" in [event.what for event in desk.events(order_id)]
    assert desk.mails(order_id)[-1] == "return_replaced"
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_another_sku_is_credited_priced_as_it_was_told_and_starts_once_its_credit_is_netted(desk: Desk) -> None:
    order_id = _delivered(desk, 5)
    one = _ask(desk, order_id, 2, "CENT", 3)
    desk.agree("CENT", "20.00")
    _inspected(desk, one, 2)
    document = desk.servicer.GetReturn(pb.GetReturnRequest(return_id=one.return_id), ANY).document

    credited = _credit(desk, one)
    [placed] = _read(desk, one).replacements
    waiting = [row["state"] for row in desk.outbox(START, placed.order_id)]
    netted = [_advance(desk, one, done="netted", inspection_id="insp_1") for _ in range(2)]

    assert dict(document.inspections[0].replaced) == {}
    assert (credited, netted) == (("net", "authorized"), [("over", "closed")] * 2)
    assert [(line.sku, line.quantity, line.unit_price.text) for line in desk.read(placed.order_id).order.lines] == [
        ("CENT", 3, "33.33")
    ]
    started = [row["state"] for row in desk.outbox(START, placed.order_id)]
    assert (waiting, started) == (["sent"], ["sent", "unsent"])
    assert desk.broken() == []


@pytest.mark.on_postgres
def test_an_advance_leaves_at_once_and_what_did_not_come_is_charged_at_its_end(desk: Desk) -> None:
    order_id = _delivered(desk, 5)
    one = _ask(desk, order_id, 3, "PUMP", advance=True)
    [placed] = one.replacements
    _inspected(desk, one, 2)

    credited = _advance(desk, one, done="credited", inspection_id="insp_1")
    late = _advance(desk, one, passed_micros=LATE)
    closed = _advance(desk, one, done="closed", received={})
    charged = desk.servicer.GetReturn(pb.GetReturnRequest(return_id=one.return_id), ANY).document.replacements[0]
    before = desk.servicer.GetOrder(pb.GetOrderRequest(order_id=placed.order_id), ANY).order
    settled = [_advance(desk, one, done="settled") for _ in range(2)]
    after = desk.servicer.GetOrder(pb.GetOrderRequest(order_id=placed.order_id), ANY).order

    assert (credited, late, closed) == (("wait", "authorized"), ("close", "authorized"), ("settle", "authorized"))
    assert dict(charged.charged) == {"1": 1}
    assert (before.payment_method, before.is_exchange_open, dict(before.charged)) == ("terms", True, {})
    assert settled == [("over", "closed")] * 2
    assert (after.is_exchange_open, dict(after.charged)) == (False, {"1": 1})
    assert desk.outbox(CANCEL, placed.order_id) == []
    assert desk.broken() == []


def test_a_return_that_is_called_off_cancels_its_advance(desk: Desk) -> None:
    order_id = _delivered(desk, 5)
    one = _ask(desk, order_id, 2, "PUMP", advance=True)
    [placed] = one.replacements
    desk.validate(placed.order_id)
    with desk.database.transaction() as session:
        decide.cancel(session, one.return_id, BUYER, "kept", CONTACTS, desk.now)
    _advance(desk, one, done="closed")

    ended = _advance(desk, one, done="settled")

    assert ended == ("over", "cancelled")
    assert len(desk.outbox(CANCEL, placed.order_id)) == 1
    assert desk.broken() == []


@pytest.mark.parametrize(
    ("sku", "quantity", "advance", "reason"),
    [
        ("PUMP", 3, False, "MORE_THAN_RETURNED"),
        ("NONE", 1, False, "SKU_UNKNOWN"),
        ("OLD", 1, False, "SKU_NOT_SELLABLE"),
        ("", 0, True, "NOTHING_REPLACED"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_it_is_asked_for(
    desk: Desk,
    sku: str,
    quantity: int,
    advance: bool,
    reason: str,  # a row
) -> None:
    order_id = _delivered(desk, 5)

    with pytest.raises((Refused, InvalidArgument)) as refused:
        _ask(desk, order_id, 2, sku, quantity, advance=advance)

    assert refused.value.reason == reason


def test_nobody_orders_or_changes_an_exchange_by_hand_and_no_customer_cancels_one(desk: Desk) -> None:
    order_id = _delivered(desk, 5)
    one = _ask(desk, order_id, 1, "PUMP", advance=True)
    command = desk.command(("PUMP", 1), payment_method="exchange")

    with pytest.raises(NotPermitted) as foreign:
        check_placer(command, "support")
    placed = one.replacements[0].order_id
    with pytest.raises(NotPermitted) as kept, desk.database.transaction() as session:
        cancel.request(session, placed, BUYER, "", desk.now)
    with pytest.raises(Refused) as fixed, desk.database.reading() as session:
        check_changeable(session, desk.read(placed))

    assert (foreign.value.reason, fixed.value.reason) == ("EXCHANGE_NOT_PERMITTED", "EXCHANGE_ORDER")
    assert kept.value.reason == "EXCHANGE_NOT_CANCELLED"


def _return(*counts: int, sku: str = "CENT", quantity: int = 3, **more: Any) -> Return:
    """Of 4 pumps that `quantity` of a SKU replace, so many came and were credited, an inspection each."""
    inspections = tuple(
        Inspection(f"insp_{n}", "W1", (InspectedUnits("1", "PUMP", count, "A", "restock", "seller"),), "pat", AT, AT)
        for n, count in enumerate(counts)
    )
    came = sum(counts)
    line = ReturnLine("1", "PUMP", "Pump", 4, "defective", "", came, came, sku, quantity, "")
    return Return(
        "rma_1", "RMA-1001", "ord_1", "SO-1001", "authorized", (line,), "", "ann", "customer", AT, "USD",
        is_announced=True, inspections=inspections, **more,
    )  # fmt: skip


def test_what_is_replaced_is_not_credited_before_it_comes(desk: Desk) -> None:
    one = _ask(desk, _delivered(desk, 5), 2, "PUMP")
    _advance(desk, one, done="announced")

    with desk.database.transaction() as session, pytest.raises(Refused) as refused:
        keep.credit_early(session, one.return_id, ACCOUNTING, "", CONTACTS, desk.now)

    assert refused.value.reason == "RETURN_REPLACED"


@pytest.mark.parametrize(("units", "advance"), [(2, False), (5, False), (2, True)])
def test_what_is_replaced_is_neither_kept_nor_asked_to_be(desk: Desk, units: int, advance: bool) -> None:  # a row
    one = _ask(desk, _delivered(desk, 5), units, "PUMP", advance=advance)

    with desk.database.transaction() as session, pytest.raises(Refused) as refused:
        keep.keep(session, one.return_id, ACCOUNTING, "", CONTACTS, desk.now)

    assert refused.value.reason == "RETURN_REPLACED"
    assert _read(desk, one).keep_asked_by == ""


def test_a_credit_that_earns_nothing_yet_is_not_netted() -> None:
    found = _return(1, 3)  # 3 for 4: one unit alone earns none

    assert [found.replaced(one) for one in found.inspections] == [{}, {"1": 3}]
    assert [found.is_netted(one) for one in found.inspections] == [True, False]
    assert (finished(found), next_step(found).action, next_step(found).inspection_id) == ("", "net", "insp_1")


def test_an_exchange_is_settled_once_all_has_left_and_what_is_charged_is_paid() -> None:
    order = replace(ORDER, lines=(replace(ORDER.lines[0], line_id="1", quantity=2),))
    left = {"1": LineProgress(shipped=2)}

    def settled(exchanged: Exchange, lines: dict[str, LineProgress]) -> bool:
        return is_settled(order, Progress(lines=lines, exchange=exchanged))

    assert not settled(Exchange(), {})
    assert settled(Exchange(), left)
    assert not settled(Exchange(is_open=True), left)
    assert not settled(Exchange(charged={"1": 1}), left)
    assert settled(Exchange(charged={"1": 1}), {"1": LineProgress(shipped=2, invoiced=1)})
    kept = Progress(exchange=Exchange(is_open=False, charged={"1": 1}))
    assert Progress.of(kept.document()) == kept


def test_an_exchange_of_which_all_that_is_charged_is_paid_is_paid() -> None:
    order = replace(ORDER, lines=(replace(ORDER.lines[0], line_id="1", quantity=2),))
    left = {"1": LineProgress(shipped=2, delivered=2, invoiced=1)}

    def payment(paid_minor: int) -> str:
        state, left_minor = "open" if paid_minor < 139_64 else "paid", 139_64 - paid_minor
        bill = Invoice(
            "inv_1", "INV-1", "shp_1", 139_64, paid_minor, "USD", "2026-11-23", "", state, 1, open_minor=left_minor
        )
        known = Progress(lines=left, invoices={"inv_1": bill}, exchange=Exchange(charged={"1": 1}))
        return derive(order, known, [], NOON).axes.payment

    assert (payment(139_64), payment(100_00), payment(0)) == ("paid", "part", "unpaid")


PLANTED = (
    ("orders.replacements_follow_the_count", "UPDATE replacement_line SET quantity = 3 WHERE quantity = 2"),
    ("orders.replacements_follow_the_count", "DELETE FROM replacement_line WHERE quantity = 2"),
    ("orders.advance_is_settled", "UPDATE replacement_order SET settled_at = NULL"),
)


@pytest.mark.on_postgres
def test_the_audit_finds_a_replacement_that_was_not_earned_and_an_advance_that_nobody_settled(desk: Desk) -> None:
    order_id = _delivered(desk, 5)
    counted, ahead = _ask(desk, order_id, 2, "PUMP"), _ask(desk, order_id, 1, "PUMP", advance=True)
    _inspected(desk, counted, 2)
    _advance(desk, counted, done="credited", inspection_id="insp_1")
    _advance(desk, ahead, done="announced")
    _advance(desk, ahead, passed_micros=LATE)
    _advance(desk, ahead, done="closed")
    _advance(desk, ahead, done="settled")

    assert desk.broken() == []
    assert unnoticed(desk.database, PLANTED, _broken) == []
    assert {rule for rule, _ in PLANTED} == {one.name for one in INVARIANTS}


def _broken(session: Session) -> set[str]:
    return {one.name for one in find_all(session, INVARIANTS) if one.violations}

"""Exchanges in the books: a return's cash pays what replaces its goods, and of what left without documents only what never came is charged."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlmodel import Session

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.billing.store.audit_exchanges import INVARIANTS
from services.runtime.audit import find_all
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd
from tests.billing.test_returns import _billed, _credit, _line, _refund
from tests.billing.test_reversals import reverse
from tests.planting import unnoticed


def _net(desk: Desk, minor: int, key: str = "net/1") -> list[int]:
    request = pb.NetExchangeRequest(request_id=key, return_id="rma_1", order_id="ord_2", total=usd(minor))
    return [one.amount.minor_units for one in desk.billing.NetExchange(request, CONTEXT).held]


def settle_exchange(
    desk: Desk, order: orders_pb2.Order, charged: Mapping[str, int], key: str = "settle/1"
) -> pb.Invoice:
    lines = [types_pb2.LineQuantity(line_id=line_id, quantity=units) for line_id, units in charged.items()]
    request = pb.SettleExchangeRequest(request_id=key, order=order, lines=lines)
    return desk.billing.SettleExchange(request, CONTEXT).invoice


def _advance(method: str = "terms") -> orders_pb2.Order:
    """3 at 80.00, tax 10 %, without documents."""
    return order_of({"1": (3, "80.00")}, order_id="ord_2", tax_rate="0.10", invoicing="exchange", payment_method=method)


@pytest.mark.on_postgres
def test_what_a_return_left_pays_a_cheaper_replacement_and_the_rest_goes_back(desk: Desk) -> None:
    _billed(desk)
    desk.pay(88_000, "BANK-1")
    _credit(desk, _line(2))  # 176.00

    held = [_net(desk, 13_200), _net(desk, 13_200, "net/2")]
    granted = desk.commit("ord_2", 13_200, method="prepaid").is_granted
    refunds = [_refund(desk, f"click/{n}") for n in (1, 2)]
    replacement = order_of({"1": (2, "60.00")}, order_id="ord_2", tax_rate="0.10", payment_method="prepaid")
    invoice = desk.invoice(replacement, "shp_2", {"1": 2})

    assert (held, granted, refunds) == ([[13_200], []], True, [[4_400], []])
    assert (invoice.total.minor_units, invoice.status) == (13_200, "paid")
    assert (desk.balances()["customer_deposits"], desk.balances()["unapplied_cash"]) == (0, 0)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_dearer_replacement_waits_for_the_difference(desk: Desk) -> None:
    _billed(desk)
    desk.pay(88_000, "BANK-1")
    _credit(desk, _line(2))
    waits = desk.commit("ord_2", 22_000, method="prepaid").is_granted

    held = _net(desk, 22_000)
    desk.pay(4_400, "BANK-2", orders={"ord_2": 4_400})

    assert (waits, held, _refund(desk, "click/1")) == (False, [17_600], [])
    assert desk.committed("ord_2") == 22_000
    assert desk.violations() == {}


def test_an_unpaid_return_leaves_no_cash_to_pay_with(desk: Desk) -> None:
    _billed(desk)
    _credit(desk, _line(2))

    assert _net(desk, 22_000) == []
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_what_left_in_place_of_goods_is_not_invoiced_until_it_is_known_what_did_not_come(desk: Desk) -> None:
    desk.limit(100_000)
    order = _advance()
    desk.commit("ord_2", 26_400)

    left = [desk.leave(order, "shp_2", {"1": 3}, request_id=key) for key in ("a", "b")]
    none, secured = desk.all_listed(), desk.account()
    [charged, again] = [settle_exchange(desk, order, {"1": 1}, key) for key in ("settle/1", "settle/2")]

    assert [one.waiting.policy for one in left] == ["exchange", "exchange"]
    assert (list(none), secured) == ([], (26_400, 0))
    assert (charged.total.minor_units, again.total.minor_units, charged.shipment_id) == (8_800, 0, "shp_2")
    assert desk.account() == (0, 8_800)
    assert desk.violations() == {}


def test_when_all_has_come_nothing_is_charged_and_the_security_is_given_back(desk: Desk) -> None:
    order = _advance("prepaid")
    desk.limit(0)
    desk.pay(26_400, "BANK-1", orders={"ord_2": 26_400})
    desk.commit("ord_2", 26_400, method="prepaid")
    desk.leave(order, "shp_2", {"1": 3})

    invoice = settle_exchange(desk, order, {})

    assert (invoice.number, list(desk.all_listed())) == ("", [])
    assert desk.money("ord_2")["held"] == 0
    assert (desk.balances()["unapplied_cash"], desk.balances()["customer_deposits"]) == (-26_400, 0)
    assert desk.violations() == {}


def test_what_leaves_after_the_return_has_ended_is_charged_as_it_leaves(desk: Desk) -> None:
    desk.limit(100_000)
    order = _advance()
    desk.commit("ord_2", 26_400)
    desk.leave(order, "shp_2", {"1": 1})

    first = settle_exchange(desk, order, {"1": 2})
    desk.leave(order, "shp_3", {"1": 2})

    assert first.total.minor_units == 8_800
    assert [one.total.minor_units for one in desk.all_listed()] == [8_800, 8_800]
    assert desk.account() == (0, 17_600)
    assert desk.violations() == {}


def test_a_replacement_that_never_left_is_not_charged(desk: Desk) -> None:
    desk.limit(100_000)
    order = _advance()
    desk.commit("ord_2", 26_400)
    desk.leave(order, "shp_2", {"1": 3})
    reverse(desk, "shp_2", order_id="ord_2")

    settle_exchange(desk, order, {"1": 3})
    never = desk.leave(order, "shp_2", {"1": 3})

    assert list(desk.all_listed()) == []
    assert not never.HasField("waiting")
    assert desk.violations() == {}


def test_when_a_replacement_never_left_another_that_did_is_charged(desk: Desk) -> None:
    """1 of 3 did not come back: it is charged with the first shipment, and with the other once that had not left."""
    desk.limit(100_000)
    order = _advance()
    desk.commit("ord_2", 26_400)
    desk.leave(order, "shp_2", {"1": 1})
    desk.leave(order, "shp_3", {"1": 2})
    settle_exchange(desk, order, {"1": 1})

    reverse(desk, "shp_2", order_id="ord_2")
    open_ones = [(one.shipment_id, one.open.minor_units) for one in desk.all_listed() if one.open.minor_units]
    between = desk.violations()
    desk.leave(order, "shp_4", {"1": 1})

    assert (open_ones, between) == ([("shp_3", 8_800)], {})
    assert len(desk.all_listed()) == 2
    assert desk.account()[1] == 8_800
    assert desk.violations() == {}


PLANTED = (
    ("billing.exchanges_bill_what_did_not_come", "UPDATE exchange_charge SET quantity = 2"),
    ("billing.exchanges_bill_what_did_not_come", "DELETE FROM exchange_charge"),
    ("billing.returned_cash_is_used_once", "UPDATE return_cash_held SET amount_minor = 17601"),
)


@pytest.mark.on_postgres
def test_the_audit_finds_what_is_charged_wrongly_or_used_twice(desk: Desk) -> None:
    _billed(desk)
    desk.pay(88_000, "BANK-1")
    _credit(desk, _line(2))
    _net(desk, 13_200)
    order = order_of({"1": (3, "80.00")}, order_id="ord_3", invoicing="exchange")
    desk.commit("ord_3", 24_000)
    desk.leave(order, "shp_3", {"1": 3})
    settle_exchange(desk, order, {"1": 1})

    assert desk.violations() == {}
    assert unnoticed(desk.database, PLANTED, _broken) == []
    assert {rule for rule, _ in PLANTED} == {one.name for one in INVARIANTS}


def _broken(session: Session) -> set[str]:
    return {one.name for one in find_all(session, INVARIANTS) if one.violations}

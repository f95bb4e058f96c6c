"""What orders knows of invoicing: the policy that an order was placed under, whom it waits for, and changes while an invoice is to come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.kernel.errors import InvalidArgument
from services.orders.masterdata import customers
from services.runtime.db import Database
from tests.orders.change_desk import apply, asked, propose, quantity
from tests.orders.desk import ACME, NOON, Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    desk = Desk(database)
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, invoicing="weekly"), "root", NOON)
    return desk


def test_an_order_keeps_the_policy_of_its_customer(desk: Desk) -> None:
    placed = desk.place(("PUMP", 4)).order_id
    with desk.database.transaction() as session:
        customers.put_customer(session, replace(ACME, invoicing="manual"), "root", NOON)

    later = desk.place(("PUMP", 4)).order_id

    assert [desk.read(one).order.invoicing for one in (placed, later)] == ["weekly", "manual"]


@pytest.mark.parametrize("method", ["card", "prepaid", "cod"])
def test_what_is_not_paid_later_is_invoiced_per_shipment(desk: Desk, method: str) -> None:
    order_id = desk.place(("PUMP", 4), payment_method=method).order_id

    assert desk.read(order_id).order.invoicing == "per_shipment"


def test_no_customer_has_a_policy_that_nobody_knows() -> None:
    with pytest.raises(InvalidArgument) as refusal:
        replace(ACME, invoicing="fortnightly")

    assert refusal.value.reason == "INVOICING_UNKNOWN"


def test_a_change_that_was_agreed_before_an_invoice_that_orders_has_not_heard_of_does_not_come_about(
    desk: Desk,
) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change = propose(desk, order_id, asked(quantity("1", 3))).change

    outcome = apply(desk, order_id, change.change_id, invoiced={"1": 1})
    again = apply(desk, order_id, change.change_id, invoiced={"1": 2})

    assert (outcome.is_applied, outcome.version) == (False, 1)
    assert outcome.reason == "a part was invoiced meanwhile, which changes the total: ask for it again"
    assert again == outcome
    assert desk.broken() == []


def test_what_billing_and_orders_agree_on_stops_nothing(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change = propose(desk, order_id, asked(quantity("1", 3))).change

    assert apply(desk, order_id, change.change_id, invoiced={"1": 0}).is_applied

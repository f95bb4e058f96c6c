"""Mails of an order name people as the directory does, never by the login or subject that a record keeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from services.orders.approvals.assignees import submitter
from services.orders.domain.people import Person
from services.orders.store import people
from tests.orders.desk import RIVAL, Desk


def hire(desk: Desk, *found: Person) -> None:
    with desk.database.transaction() as session:
        for person in found:
            people.put(session, person, "root", desk.now)


def recipients(desk: Desk, order_id: str) -> list[dict[str, Any]]:
    """Of the mail that an order was received."""
    return list(desk.outbox("notify", order_id)[0]["detail"]["recipients"])


@pytest.mark.on_postgres
@pytest.mark.parametrize(
    ("person", "name"),
    [
        (Person("rita", "Rita Reyes", "rita.reyes@company.example", ("sales_rep",)), "Rita Reyes"),
        (Person("rita", "Rita Reyes", "", ("sales_rep",), is_active=False), "Rita Reyes"),
        (Person("reyes", "Rita Reyes", "Rita@Company.example", ("sales_rep",)), "Rita Reyes"),
        (Person("rita", "A Buyer", "rita@company.example", ("customer",), company="cus_bolt"), ""),
        (Person("max", "Max Winter", "max@company.example", ("sales_rep",)), ""),
    ],
    ids=["by subject", "who left", "by mail address", "a customer's", "somebody else"],
)
def test_a_sales_rep_is_named_as_the_directory_of_staff_does(desk: Desk, person: Person, name: str) -> None:
    hire(desk, person)

    order_id = desk.place(("PUMP", 1)).order_id

    assert recipients(desk, order_id) == [
        {"email": "buyer@acme.example", "name": "Acme", "role": "customer"},
        {"email": "rita@company.example", "name": name, "role": "sales_rep"},
    ]


def test_the_name_costs_one_query_and_none_where_every_reader_has_one(desk: Desk) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.extend([statement] if "FROM person" in statement else [])

    event.listen(desk.database.engine, "before_cursor_execute", note)

    order_id = desk.place(("PUMP", 1)).order_id
    assert len(asked) == 1
    desk.place(("PUMP", 1), by=RIVAL, customer_id="cus_bolt")
    assert len(asked) == 1

    assert recipients(desk, order_id)[1]["name"] == ""


@pytest.mark.parametrize(
    ("role", "name"), [("customer", "Acme"), ("channel", "channel web"), ("sales_rep", "sales rep")]
)
def test_whoever_placed_an_order_and_is_not_in_the_directory_is_named_without_a_login(
    desk: Desk, role: str, name: str
) -> None:
    order = desk.read(desk.place(("PUMP", 1)).order_id).order

    assert submitter(replace(order, placed_by="ann.x", placed_by_role=role, channel="web")) == name

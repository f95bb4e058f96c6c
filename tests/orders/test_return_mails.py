"""Who reads what of each step of a return."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from oms.facts.v1 import facts_pb2
from services.kernel.clock import micros
from services.kernel.money import Money
from services.orders.domain.mails import Contacts, Mail, return_mails
from services.orders.domain.mails.replacements import replacement_mail
from services.orders.domain.masterdata import Customer
from services.orders.domain.replacements import Replacement
from services.orders.domain.returns import FeeRule, InspectedUnits, Inspection, Return, ReturnLine
from services.orders.returns import decide
from tests.orders.desk import BUYER, SUPPORT, Desk
from tests.orders.mail_parties import CONTACTS, CUSTOMER, ORDER
from tests.orders.test_returns import _advance, _ask, _count, _credit, _delivered, _inspect

AT = ORDER.placed_at
LINES = (ReturnLine("lin_1", "SKID-40", "Pump skid", 3, "damaged"), ReturnLine("lin_2", "SEAL-9", "Seal", 2, "damaged"))
ASKED = Return(
    "rma_1", "RMA-1001", "ord_1", "SO-1001", "requested", LINES, "they leak", "ann", "customer", AT, "USD", FeeRule(Decimal(0)),
)  # fmt: skip
GRANTED = replace(ASKED, state="authorized", decided_at=AT, valid_until=AT + timedelta(days=30))
STOPPED = replace(GRANTED, lines=tuple(replace(line, reason="intercepted") for line in LINES))
DENIED = replace(ASKED, state="denied", decision_note="opened")
COME = replace(GRANTED, lines=(replace(LINES[0], received=2), LINES[1]))
INSPECTED = replace(COME, inspections=(Inspection("ins_1", "W1", (), "pat", AT),))
PAID_BACK = replace(
    INSPECTED.inspections[0], credited_at=AT, credit_notes=("CN-1001",), credited=Money(11000, "USD"), fee=Money(1000, "USD")
)  # fmt: skip
CREDITED = replace(INSPECTED, inspections=(PAID_BACK,))


def _one(before: Return | None, after: Return, contacts: Contacts = CONTACTS, customer: Customer = CUSTOMER) -> Mail:
    [mail] = return_mails(before, after, customer, contacts)
    return mail


RETURN_MAILS = [
    _one(None, ASKED),
    _one(ASKED, GRANTED),
    _one(ASKED, DENIED),
    _one(GRANTED, COME),
    _one(INSPECTED, CREDITED),
    _one(ASKED, replace(ASKED, state="cancelled")),
    _one(GRANTED, replace(GRANTED, state="expired")),
    return_mails(None, STOPPED, CUSTOMER, CONTACTS)[0],
    replacement_mail(GRANTED, Replacement("ord_2", "SO-1002", "ins_1", True, {}, {}), ORDER, CUSTOMER, CONTACTS),
]
SAID = {mail.kind: mail.variables for mail in RETURN_MAILS}


def _readers(mail: Mail) -> list[tuple[str, str]]:
    return [(each.email, each.role) for each in mail.recipients]


def test_each_step_is_read_by_the_customer_and_by_whom_it_waits_for() -> None:
    ann, support = ("ann@acme.example", "customer"), ("help@oms.example", "support")
    inbound = ("warehouse@oms.example", "warehouse_manager")

    assert {mail.kind: _readers(mail) for mail in RETURN_MAILS} == {
        "return_requested": [ann, support],
        "return_authorized": [ann, inbound],
        "return_denied": [ann, ("sam@oms.example", "sales_rep")],
        "return_received": [ann],
        "return_credited": [ann],
        "return_cancelled": [ann],
        "return_expired": [ann, inbound],
        "shipment_intercepted": [ann],
        "return_replaced": [ann],
    }
    assert _readers(_one(GRANTED, replace(GRANTED, state="cancelled"))) == [ann, inbound]


def test_an_authorized_return_says_what_is_to_come_until_when() -> None:
    assert SAID["return_authorized"] == {
        "return_number": "RMA-1001",
        "link": "https://oms.example/my/orders/SO-1001",
        "staff_link": "https://oms.example/returns/RMA-1001",
        "send_by": "2026-12-23T09:00:00+00:00",
        "lines": [
            {"sku": "SKID-40", "description": "Pump skid", "quantity": 3},
            {"sku": "SEAL-9", "description": "Seal", "quantity": 2},
        ],
        "more_lines": 0,
    }
    assert SAID["return_denied"]["reason"] == "opened"


def test_an_exchange_says_what_comes_with_which_order_and_what_it_costs() -> None:
    said = SAID["return_replaced"]

    assert (said["return_number"], said["is_billed"], said["is_advance"]) == ("RMA-1001", True, False)
    assert [row["sku"] for row in said["lines"]] == [line.sku for line in ORDER.lines]
    assert said["total"] == f"{ORDER.totals.total.amount:,.2f}"


def test_what_is_all_replaced_is_told_by_the_mail_of_its_replacement_alone() -> None:
    units = (InspectedUnits("lin_1", "SKID-40", 2, "A", "restock", "seller"),)
    came = replace(INSPECTED.inspections[0], units=units)
    lines = (replace(LINES[0], received=2, replace_sku="SKID-40", replace_quantity=3), LINES[1])
    before = replace(INSPECTED, lines=lines, inspections=(came,))

    assert return_mails(before, replace(before, inspections=(replace(came, credited_at=AT),)), CUSTOMER, CONTACTS) == ()


def test_goods_that_were_credited_before_they_came_have_no_second_credit_mail() -> None:
    nothing = Money(0, "USD")
    seen = replace(INSPECTED.inspections[0], credited_at=AT, credited=nothing, fee=nothing)

    assert return_mails(INSPECTED, replace(INSPECTED, inspections=(seen,)), CUSTOMER, CONTACTS) == ()


def test_a_receipt_lists_what_has_come_now_and_counts_what_has_come_in_all() -> None:
    rest = replace(COME, lines=tuple(replace(line, received=line.quantity) for line in LINES))

    first, last = SAID["return_received"], _one(COME, rest).variables

    assert (first["lines"], first["received"], first["announced"]) == (
        [{"sku": "SKID-40", "description": "Pump skid", "quantity": 2}], 2, 5,
    )  # fmt: skip
    assert [(row["sku"], row["quantity"]) for row in last["lines"]] == [("SKID-40", 1), ("SEAL-9", 2)]
    assert (first["is_complete"], last["is_complete"], last["received"]) == (False, True, 5)


def test_a_credit_names_its_notes_and_what_they_come_to_after_the_fee() -> None:
    said = SAID["return_credited"]

    assert (said["credit_notes"], said["total"], said["fee"], said["is_complete"]) == (
        ["CN-1001"], "100.00", "10.00", False,
    )  # fmt: skip
    assert _one(INSPECTED, replace(CREDITED, state="closed")).variables["is_complete"] is True


@pytest.mark.parametrize(
    "after",
    [
        replace(GRANTED, is_announced=True),
        replace(GRANTED, closing="cancelled"),
        replace(GRANTED, halted="lost"),
        GRANTED,
    ],
)
def test_what_concerns_nobody_has_no_mail(after: Return) -> None:
    assert return_mails(GRANTED, after, CUSTOMER, CONTACTS) == ()


def _sent(desk: Desk, order_id: str) -> list[str]:
    return [kind for kind in desk.mails(order_id) if kind.startswith("return_")]


@pytest.mark.on_postgres
def test_people_are_notified_of_each_step_once(desk: Desk) -> None:
    order_id = _delivered(desk)
    one = _ask(desk, order_id, 6)
    with desk.database.transaction() as session:
        decide.authorize(session, one.return_id, SUPPORT, "as agreed", CONTACTS, desk.now)
    for _ in range(2):
        _advance(desk, one, done="announced")
        _count(desk, one, 6)
        _inspect(desk, one, 6)
        _credit(desk, one)

    assert _sent(desk, order_id) == ["return_requested", "return_authorized", "return_received", "return_credited"]
    last = _variables(desk, order_id)
    assert (last["total"], last["is_complete"]) == ("0.93", True)


def _variables(desk: Desk, order_id: str) -> dict[str, Any]:
    variables: dict[str, Any] = desk.outbox("notify", order_id)[-1]["detail"]["variables"]
    return variables


def test_a_small_return_has_one_mail_and_ends_with_one(desk: Desk) -> None:
    order_id = _delivered(desk)
    late, kept = _ask(desk, order_id, 1), _ask(desk, order_id, 1)
    assert late.valid_until is not None

    _advance(desk, late, passed_micros=micros(late.valid_until))
    _advance(desk, late, done="closed", received={"1": facts_pb2.LineReturned()})
    with desk.database.transaction() as session:
        decide.cancel(session, kept.return_id, BUYER, "kept", CONTACTS, desk.now)
    _advance(desk, kept, done="closed", received={"1": facts_pb2.LineReturned()})

    assert _sent(desk, order_id) == ["return_authorized"] * 2 + ["return_expired", "return_cancelled"]


def test_a_denied_return_says_why(desk: Desk) -> None:
    order_id = _delivered(desk)
    one = _ask(desk, order_id, 6)
    with desk.database.transaction() as session:
        decide.deny(session, one.return_id, SUPPORT, "worn", CONTACTS, desk.now)

    assert _sent(desk, order_id) == ["return_requested", "return_denied"]
    assert _variables(desk, order_id)["reason"] == "worn"

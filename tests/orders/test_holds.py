from __future__ import annotations

from typing import Any

import pytest
from jinja2 import StrictUndefined

from services.kernel.errors import DomainError, NotFound, NotPermitted, Refused
from services.notifications.domain import Notice, Recipient, new_delivery
from services.notifications.settings import NotificationsSettings
from services.notifications.writer import MailWriter
from services.orders import wire
from services.orders.approvals import clearance, holds
from services.orders.domain.people import Person
from services.orders.masterdata import people
from tests.orders.desk import ACCOUNTING, ADMIN, APPROVER, RITA, Desk, caller
from tests.threads import at_once


def held(desk: Desk) -> str:
    """An order with a price hold of sales_rep and a credit hold of accounting."""
    order_id = desk.place(("PUMP", 1, "140.00")).order_id
    desk.validate(order_id, is_granted=False)
    return order_id


def test_all_holds_must_be_released_and_the_last_one_lets_the_order_go_on(desk: Desk) -> None:
    order_id = held(desk)
    price, credit = desk.read(order_id).holds

    after_one = desk.release(order_id, price.hold_id, RITA)
    assert (after_one.order.phase, after_one.standing.axes.holds, desk.signals(order_id)) == (
        "in_review",
        ("credit",),
        [],
    )
    after_both = desk.release(order_id, credit.hold_id, ACCOUNTING, note="paid by phone")

    assert (after_both.order.phase, after_both.standing.axes.review) == ("accepted", "accepted")
    assert desk.signals(order_id) == ["holds_released"]
    last = desk.events(order_id)[-1]
    assert (last.who, last.role, last.what, last.why) == ("abe", "accounting", "hold_released", "paid by phone")
    assert last.before["holds"] == ["credit"]
    assert desk.broken() == []


def test_the_workflow_hears_whom_a_held_order_waits_for_and_nothing_once_it_may_go_on(desk: Desk) -> None:
    order_id = held(desk)
    price, credit = desk.read(order_id).holds

    def waiting_for() -> str:
        with desk.database.reading() as session:
            return wire.clearance_message(clearance.read_clearance(session, order_id).clearance).waiting_for

    assert waiting_for() == "sales_rep, accounting: release of price, credit hold"
    desk.release(order_id, price.hold_id, RITA)
    assert waiting_for() == "accounting: release of credit hold"
    desk.release(order_id, credit.hold_id, ACCOUNTING)
    assert waiting_for() == ""


@pytest.mark.parametrize("by", [ADMIN, APPROVER, ACCOUNTING])
def test_only_the_owner_role_releases(desk: Desk, by: object) -> None:
    order_id = held(desk)
    price = desk.read(order_id).holds[0]

    with pytest.raises(NotPermitted) as refusal:
        desk.release(order_id, price.hold_id, by)  # type: ignore[arg-type]  # a Caller, parametrised

    assert refusal.value.reason == "NOT_HOLD_OWNER"


def test_a_second_release_is_refused(desk: Desk) -> None:
    order_id = held(desk)
    price = desk.read(order_id).holds[0]
    desk.release(order_id, price.hold_id, RITA)

    with pytest.raises(Refused) as refusal:
        desk.release(order_id, price.hold_id, RITA)

    assert refusal.value.reason == "HOLD_ALREADY_RELEASED"


@pytest.mark.on_postgres
def test_two_releases_at_once_have_one_outcome_and_one_signal(desk: Desk) -> None:
    order_id = held(desk)
    price, credit = desk.read(order_id).holds
    desk.release(order_id, price.hold_id, RITA)

    def release() -> str:
        try:
            desk.release(order_id, credit.hold_id, ACCOUNTING)
        except DomainError as refusal:
            return refusal.reason
        return "released"

    outcomes = at_once([release] * 8)

    assert sorted(outcomes) == ["HOLD_ALREADY_RELEASED"] * 7 + ["released"]
    assert desk.signals(order_id) == ["holds_released"]


def test_a_sales_representative_does_not_find_another_ones_order(desk: Desk) -> None:
    order_id = held(desk)

    with pytest.raises(NotFound):
        desk.release(order_id, desk.read(order_id).holds[0].hold_id, caller("ron", "sales_rep", reach="assigned"))


def test_a_hold_of_another_order_is_not_found(desk: Desk) -> None:
    order_id, other_id = held(desk), held(desk)

    with pytest.raises(NotFound):
        desk.release(order_id, desk.read(other_id).holds[0].hold_id, RITA)


def test_a_stale_version_releases_nothing(desk: Desk) -> None:
    order_id = held(desk)
    price = desk.read(order_id).holds[0]

    with pytest.raises(Refused, match="version 1"), desk.database.transaction() as session:
        holds.release(session, order_id, price.hold_id, RITA, "", desk.now, expected_version=2)

    assert desk.read(order_id).holds[0].is_open


def test_an_approver_reads_which_hold_waits_for_approvers_and_where_it_is_released(desk: Desk) -> None:
    with desk.database.transaction() as session:
        people.put_person(session, Person("max", "Max", "max@company.example", ("approver",)), "root", desk.now)
    # 81.00 against a cost of 80.00 is 1.2 % margin
    desk.agree("PUMP", "81.00")
    order_id = desk.place(("PUMP", 1)).order_id
    desk.validate(order_id)

    notified = next(
        row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "order_on_hold"
    )
    readers = {each["role"]: Recipient(**each) for each in notified["recipients"]}
    assert {role: each.email for role, each in readers.items()} == {
        "customer": "buyer@acme.example",
        "sales_rep": "rita@company.example",
        "approver": "max@company.example",
    }
    for_approver, for_customer = (read(notified, readers[role]) for role in ("approver", "customer"))
    assert "The margin over standard cost is below 5 % (to be released by approver)" in for_approver
    assert f"http://127.0.0.1:8000/orders/{notified['order_number']}" in for_approver
    assert "margin" not in for_customer.lower()


def read(notified: dict[str, Any], reader: Recipient) -> str:
    """The mail as notifications writes it, in plain text."""
    writer = MailWriter(NotificationsSettings(), StrictUndefined)
    notice = Notice("evt_1", notified["mail"], "ord_1", notified["order_number"], (reader,), notified["variables"], "")
    return writer.bodies(new_delivery(notice, reader, "dlv_1"))[0]

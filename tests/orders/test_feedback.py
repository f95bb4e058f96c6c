from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from services.kernel.errors import DomainError, InvalidArgument, NotFound, Refused
from services.orders.access.matrix import Caller
from services.orders.domain.feedback import Feedback, Opinion, check
from services.orders.domain.mails import Parties, mail_of
from services.orders.domain.masterdata import Customer
from services.orders.domain.projection import LineQuantities
from services.orders.lifecycle import feedback
from services.orders.store import feedback as store
from tests.facts import heard
from tests.orders.desk import BUYER, CONTACTS, NOON, RIVAL, SUPPORT, Desk, shipment
from tests.threads import at_once

DELIVERED = {"1": LineQuantities(2, 0, 0, 0, 2, 2, 2, 2, 2, 1, 0, 0, "")}


def arrived(desk: Desk) -> str:
    """An order of two of which one has arrived."""
    order_id = desk.accepted(("PUMP", 2))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_delivered", 1, shipment("SH-1", "delivered", {"1": 1})))
    return order_id


def give(desk: Desk, order_id: str, opinion: Opinion, by: Caller = BUYER) -> Feedback:
    with desk.database.transaction() as session:
        return feedback.give(session, order_id, by, opinion, CONTACTS.support, desk.now)


def read(desk: Desk, order_id: str, by: Caller = BUYER) -> Feedback:
    with desk.database.reading() as session:
        return feedback.of_order(session, order_id, by.scope)


@given(rating=st.none() | st.integers(1, 5), wants_support=st.booleans())
def test_support_must_act_on_a_low_rating_or_a_wish_for_it_and_on_nothing_else(
    rating: int | None, wants_support: bool
) -> None:
    assert Opinion(rating, "", wants_support).opens_case == (wants_support or rating in (1, 2))


@pytest.mark.parametrize("opinion", [Opinion(), Opinion(None, "nice"), Opinion(0), Opinion(6, "", True)])
def test_an_opinion_has_a_rating_from_one_to_five_or_a_wish_for_support(opinion: Opinion) -> None:
    with pytest.raises(InvalidArgument):
        check(opinion, DELIVERED, is_given=False)


def test_a_content_customer_opens_no_case(desk: Desk) -> None:
    order_id = arrived(desk)

    given_one = give(desk, order_id, Opinion(5, "quick"))

    assert (
        read(desk, order_id) == given_one == Feedback(order_id, Opinion(5, "quick"), None, "ann", "customer", desk.now)
    )
    last = desk.events(order_id)[-1]
    assert (last.what, last.who, last.why, last.after["rating"]) == ("feedback_given", "ann", "quick", 5)
    assert "support_case" not in desk.mails(order_id)
    assert desk.broken() == []


@pytest.mark.parametrize("opinion", [Opinion(2, "leaks"), Opinion(5, "leaks", True), Opinion(None, "leaks", True)])
def test_a_discontented_customer_opens_a_case_that_support_is_told_of(desk: Desk, opinion: Opinion) -> None:
    order_id = arrived(desk)

    given_one = give(desk, order_id, opinion)

    notified = desk.outbox("notify", order_id)[-1]["detail"]
    assert given_one.case_number == "CASE-1001"
    assert (notified["mail"], notified["recipients"]) == (
        "support_case",
        [{"email": "help@company.example", "name": "Support", "role": "support"}],
    )
    said = {"case_number": "CASE-1001", "rating": opinion.rating, "comment": "leaks", "customer_name": "Acme"}
    assert notified["variables"] == said


def test_cases_are_counted_apart_from_orders(desk: Desk) -> None:
    numbers = [give(desk, arrived(desk), Opinion(1)).case_number for _ in range(2)]

    assert numbers == ["CASE-1001", "CASE-1002"]
    assert desk.read(desk.place(("PUMP", 1)).order_id).order.number == "SO-1003"


def test_nothing_delivered_no_feedback(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 2))
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 2})))

    with pytest.raises(Refused) as refusal:
        give(desk, order_id, Opinion(5))

    assert refusal.value.reason == "NOTHING_DELIVERED"
    with pytest.raises(NotFound):
        read(desk, order_id)


@pytest.mark.on_postgres
def test_feedback_given_by_eight_at_once_is_kept_once(desk: Desk) -> None:
    order_id = arrived(desk)

    def outcome() -> str:
        try:
            return give(desk, order_id, Opinion(1)).given_by
        except DomainError as refusal:
            return refusal.reason

    outcomes = at_once([outcome] * 8)

    assert sorted(outcomes) == ["FEEDBACK_GIVEN"] * 7 + ["ann"]
    assert desk.mails(order_id).count("support_case") == 1
    assert desk.broken() == []


def test_support_gives_it_on_behalf_and_a_stranger_does_not_find_the_order(desk: Desk) -> None:
    order_id = arrived(desk)

    with pytest.raises(NotFound):
        give(desk, order_id, Opinion(1), RIVAL)
    given_one = give(desk, order_id, Opinion(4, "said on the phone"), SUPPORT)

    assert (given_one.given_by, given_one.given_role) == ("sue", "support")
    with pytest.raises(NotFound):
        read(desk, order_id, RIVAL)


@pytest.mark.parametrize(
    "broken",
    [
        (Opinion(6), None),
        (Opinion(), None),
        (Opinion(1), None),
        (Opinion(5), "CASE-1"),
        (Opinion(None, "", True), None),
    ],
)
def test_the_table_refuses_what_the_rules_exclude(desk: Desk, broken: tuple[Opinion, str | None]) -> None:
    order_id = arrived(desk)

    with pytest.raises(IntegrityError), desk.database.transaction() as session:
        store.add(session, Feedback(order_id, *broken, "ann", "customer", NOON))


def _delivered_mails(desk: Desk, order_id: str) -> list[dict[str, Any]]:
    notified = [row["detail"] for row in desk.outbox("notify", order_id)]
    return [dict(one["variables"]) for one in notified if one["mail"] == "delivered"]


@pytest.mark.parametrize("order_of_arrival", [(0, 1), (1, 0), (0, 0, 1, 1, 0)])
def test_feedback_is_asked_for_once_by_the_delivery_that_completes_the_order(
    desk: Desk, order_of_arrival: tuple[int, ...]
) -> None:
    order_id = desk.accepted(("PUMP", 2))
    details = (shipment("SH-1", "delivered", {"1": 1}), shipment("SH-2", "delivered", {"1": 1}, before={"1": 1}))
    facts = [desk.fact(order_id, "fulfillment", "shipment_delivered", n, each) for n, each in enumerate(details, 1)]

    for which in order_of_arrival:
        desk.notify(facts[which])

    urls = {str(one["shipment_number"]): one["feedback_url"] for one in _delivered_mails(desk, order_id)}
    assert urls == {"SH-1": "", "SH-2": f"http://shop/{order_id}"}


def test_a_service_visit_is_told_once_and_as_a_visit(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 1), ("INSTALL", 1))
    for sequence, state in enumerate(("shipped", "delivered"), start=1):
        detail = shipment("SV-1", state, {"2": 1})
        detail["shipment"]["is_service"] = True
        desk.notify(desk.fact(order_id, "fulfillment", f"shipment_{state}", sequence, detail))

    assert "shipped" not in desk.mails(order_id)
    said = {"shipment_number": "SV-1", "is_service": True, "feedback_url": "", "support_email": CONTACTS.support}
    assert _delivered_mails(desk, order_id) == [said]


def test_a_system_without_a_page_asks_for_the_rating_by_mail(desk: Desk) -> None:
    order_id = arrived(desk)
    order = desk.read(order_id).order
    customer = Customer(order.customer_id, order.customer_name, order.currency)
    delivered = heard("shipment_delivered", {"shipment": {"shipment_id": "shp_1", "number": "SH-1"}}, "fulfillment")

    mail = mail_of(
        delivered, order, Parties(customer, customer), replace(CONTACTS, feedback_url=""), is_last_delivery=True
    )

    assert mail is not None
    wanted = f"mailto:{CONTACTS.support}?subject=Rating%20of%20order%20{order.number}%20from%201%20to%205"
    assert mail.variables["feedback_url"] == wanted


@pytest.mark.on_postgres
def test_support_cases_are_listed_by_their_number_and_not_by_its_letters(desk: Desk) -> None:
    notified = {number: arrived(desk) for number in ("CASE-9999", "CASE-10000", "CASE-1001")}
    with desk.database.transaction() as session:
        for number, order_id in notified.items():
            store.add(session, Feedback(order_id, Opinion(1), number, "ann", "customer", NOON))

    with desk.database.reading() as session:
        everything = [case.number for case in store.cases(session, SUPPORT.scope)]
        behind = [case.number for case in store.cases(session, SUPPORT.scope, before="CASE-10000")]

    assert everything == ["CASE-10000", "CASE-9999", "CASE-1001"]
    assert behind == ["CASE-9999", "CASE-1001"]

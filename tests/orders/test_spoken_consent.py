"""A customer's spoken consent is recorded with the change itself, and a customer reads why their own change failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.http.orders.change_shapes import change_shape
from services.kernel.errors import DomainError
from services.orders.access.matrix import Caller
from services.orders.changes import consent
from services.orders.domain.changes import ChangeRequest, SpokenConsent
from services.orders.order import aggregate
from services.orders.order.change_orders import find_change
from tests.orders.change_desk import apply, asked, change, propose, quantity, record, swap
from tests.orders.desk import BUYER, NOON, RITA, SUPPORT, Desk, shipment

HEARD = SpokenConsent("Ann, purchasing", NOON + timedelta(seconds=1), "by phone")


def fewer(consent: SpokenConsent | None) -> ChangeRequest:
    return asked(quantity("1", 3), consent=consent)


@pytest.mark.parametrize("by", [RITA, SUPPORT], ids=["sales", "support"])
@pytest.mark.parametrize("line", [quantity("1", 3), swap("1", "CENT")], ids=["decrease", "substitution"])
def test_what_the_customer_agreed_to_by_word_is_not_asked_again(desk: Desk, by: Caller, line: object) -> None:
    order_id = desk.accepted(("PUMP", 4))
    before = desk.mails(order_id)

    done = propose(desk, order_id, asked(line, consent=HEARD), by)  # type: ignore[arg-type]  # parametrised

    kept = change(desk, order_id, done.change.change_id)
    assert (kept.state, kept.needs_consent) == ("agreed", False)
    assert (kept.consented_by, kept.consented_at, kept.request.consent) == (by.principal.sub, HEARD.given_at, HEARD)
    said = next(event for event in desk.events(order_id) if event.what == "change_consented")
    assert (said.who, said.why, said.after["on_behalf_of"]) == (by.principal.sub, "Ann, purchasing: by phone", "Acme")
    assert desk.mails(order_id) == before
    assert apply(desk, order_id, done.change.change_id).is_applied
    assert desk.mails(order_id)[-1] == "order_changed"
    assert desk.broken() == []


def test_without_it_the_customer_is_asked(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))

    assert propose(desk, order_id, fewer(None), RITA).change.state == "awaiting_customer"


@pytest.mark.parametrize(
    ("by", "consent", "reason"),
    [
        (BUYER, HEARD, "CONSENT_NOT_YOURS"),
        (RITA, replace(HEARD, given_at=NOON + timedelta(days=9)), "CONSENT_TIME_IMPOSSIBLE"),
        (RITA, replace(HEARD, given_at=NOON - timedelta(days=9)), "CONSENT_TIME_IMPOSSIBLE"),
    ],
)
def test_a_consent_that_could_not_be_is_refused(desk: Desk, by: Caller, consent: SpokenConsent, reason: str) -> None:
    order_id = desk.accepted(("PUMP", 4))

    with pytest.raises(DomainError) as refusal:
        propose(desk, order_id, fewer(consent), by)

    assert refusal.value.reason == reason


def read_by_customer(desk: Desk, order_id: str, change_id: str) -> str:
    return change_shape(change(desk, order_id, change_id), BUYER).ended_reason


def test_a_customer_reads_that_what_they_gave_back_was_picked_already(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    done = propose(desk, order_id, fewer(None), BUYER)
    desk.notify(desk.fact(order_id, "fulfillment", "shipment_shipped", 1, shipment("SH-1", "shipped", {"1": 4})))

    assert not apply(desk, order_id, done.change.change_id).is_applied

    assert "picked or shipped" in read_by_customer(desk, order_id, done.change.change_id)


def test_a_customer_reads_that_the_warehouse_was_quicker_and_not_its_words(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    done = propose(desk, order_id, fewer(None), BUYER)
    record(desk, order_id, done.change.change_id, "reject", "Joe says no")

    shown = read_by_customer(desk, order_id, done.change.change_id)

    assert "the warehouse has picked or shipped already" in shown
    assert "Joe" not in shown


def test_a_customer_reads_nothing_of_credit(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    done = propose(desk, order_id, asked(quantity("1", 9)), BUYER)

    assert not apply(desk, order_id, done.change.change_id, is_granted=False).is_applied

    kept = change(desk, order_id, done.change.change_id)
    assert (kept.state, read_by_customer(desk, order_id, kept.change_id)) == ("rejected", "")
    assert "credit" in kept.ended_reason


def test_a_customer_reads_nothing_of_why_our_own_change_failed(desk: Desk) -> None:
    order_id = desk.accepted(("PUMP", 4))
    done = propose(desk, order_id, fewer(HEARD), RITA)
    record(desk, order_id, done.change.change_id, "reject", "Joe says no")

    assert read_by_customer(desk, order_id, done.change.change_id) == ""


def mailed_to_customer(desk: Desk, order_id: str) -> str:
    """What the mail about a rejected change lets its customer read of why."""
    [mail] = [row["detail"] for row in desk.outbox("notify", order_id) if row["detail"]["mail"] == "change_rejected"]
    assert "customer" in [each["role"] for each in mail["recipients"]]
    return str(mail["variables"]["customer_reason"])


@pytest.mark.parametrize(
    ("by", "request_", "end", "read"),
    [
        (BUYER, fewer(None), "warehouse", "the warehouse has picked or shipped already what the change takes away"),
        (BUYER, asked(quantity("1", 9)), "credit", ""),
        (BUYER, fewer(None), "withdrawn", ""),
        (RITA, fewer(HEARD), "warehouse", ""),
    ],
    ids=["the warehouse was quicker", "credit", "internal", "our own change"],
)
def test_the_mail_about_a_rejected_change_tells_its_customer_what_they_may_read_and_no_more(
    desk: Desk, by: Caller, request_: ChangeRequest, end: str, read: str
) -> None:
    order_id = desk.accepted(("PUMP", 4))
    change_id = propose(desk, order_id, request_, by).change.change_id

    if end == "warehouse":
        record(desk, order_id, change_id, "reject", "Joe says no")
    elif end == "credit":
        apply(desk, order_id, change_id, is_granted=False)
    else:
        _reject(desk, order_id, change_id, "Max does not like them")

    assert mailed_to_customer(desk, order_id) == read


def _reject(desk: Desk, order_id: str, change_id: str, why: str) -> None:
    with desk.database.transaction() as session:
        before = aggregate.read_for_change(session, order_id)
        found = find_change(session, order_id, change_id)
        after = consent.reject_change(session, before, found, aggregate.Actor("max", "approver"), why, desk.now)
        aggregate.restate(session, after, desk.now)

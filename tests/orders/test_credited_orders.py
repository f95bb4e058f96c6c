"""Orders whose invoices are credited or given up: nothing more is to be paid, and everybody who must know is told."""

from __future__ import annotations

from typing import Any

import pytest

from services.orders.domain import mails
from services.orders.domain.facts import Invoice
from services.orders.domain.mails.mail import Attachment
from services.orders.domain.projection import Progress
from services.orders.order import exceptions
from services.runtime.db import Database
from tests.facts import heard
from tests.orders.desk import Desk, invoice, invoiced
from tests.orders.mail_parties import CONTACTS, CUSTOMER, ORDER
from tests.orders.review_desk import ReviewDesk
from tests.orders.test_mails import CREDITED, INVOICE

TOTAL = 41_506
"""3 pumps at 129.00 with 7.25 % tax."""


@pytest.fixture
def desk(database: Database) -> ReviewDesk:
    return ReviewDesk(database)


def _hear(desk: Desk, order_id: str, kind: str, sequence: int, detail: dict[str, Any]) -> None:
    desk.notify(desk.fact(order_id, "billing", kind, sequence, detail))


def _exceptions(desk: Desk, order_id: str) -> list[str]:
    with desk.database.reading() as session:
        return [one.kind for one in exceptions.list_open(session, order_id)]


def _credited(**members: Any) -> dict[str, Any]:
    bill = invoice("INV-1", TOTAL) | {"open_minor": 0, "status": "credited", "credited_minor": TOTAL} | members
    return {
        "credit_note_id": "cn_1",
        "number": "CN-1001",
        "amount_minor": TOTAL,
        "currency": "USD",
        "reason": "agreed",
        "invoice": bill,
    }


def _given_up() -> dict[str, Any]:
    bill = invoice("INV-1", TOTAL) | {"open_minor": 0, "status": "written_off", "written_off_minor": TOTAL}
    return {"amount_minor": TOTAL, "currency": "USD", "reason": "insolvent", "invoice": bill}


@pytest.mark.parametrize(
    ("kind", "detail", "axis", "why"),
    [
        ("invoice_credited", _credited(), "credited", "INV-1 by CN-1001"),
        ("invoice_written_off", _given_up(), "written_off", "INV-1"),
    ],
)
def test_an_order_is_settled_by_what_is_credited_or_given_up_of_it(
    desk: ReviewDesk, kind: str, detail: dict[str, Any], axis: str, why: str
) -> None:
    order_id = desk.accepted(("PUMP", 3))
    _hear(desk, order_id, "invoice_issued", 1, invoiced("INV-1", TOTAL, {"1": 3}))
    before = desk.read(order_id).is_settled

    _hear(desk, order_id, kind, 2, detail)

    after = desk.read(order_id)
    assert (before, after.is_settled) == (False, True)
    assert after.standing.axes.payment == axis
    assert desk.signals(order_id)[-1] == "payment_settled"
    assert [(event.what, event.why) for event in desk.events(order_id)][-1] == (kind, why)
    assert desk.mails(order_id).count("credit_note") == (kind == "invoice_credited")
    assert desk.broken() == []


def test_what_is_credited_in_part_leaves_the_order_unpaid(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3))
    _hear(desk, order_id, "invoice_issued", 1, invoiced("INV-1", TOTAL, {"1": 3}))

    part = _credited(open_minor=20_000, status="open", credited_minor=TOTAL - 20_000)
    _hear(desk, order_id, "invoice_credited", 2, part)

    after = desk.read(order_id)
    assert (after.is_settled, after.standing.axes.payment) == (False, "unpaid")
    assert "payment_settled" not in desk.signals(order_id)


def test_a_capture_that_failed_is_no_exception_any_more_once_its_invoice_is_credited(desk: ReviewDesk) -> None:
    order_id = desk.accepted(("PUMP", 3), payment_method="card")
    problem = {"amount_minor": TOTAL, "currency": "USD", "reason": "it could not be captured"}
    _hear(desk, order_id, "invoice_issued", 1, invoiced("INV-1", TOTAL, {"1": 3}))
    invoice_id = invoice("INV-1", TOTAL)["invoice_id"]
    _hear(desk, order_id, "card_problem", 2, {**problem, "kind": "capture_failed", "subject_id": invoice_id})
    found = _exceptions(desk, order_id)

    _hear(desk, order_id, "invoice_credited", 3, _credited())

    assert (found, _exceptions(desk, order_id)) == (["capture_failed"], [])


def test_an_invoice_that_was_kept_before_credit_notes_is_read_without_them() -> None:
    names = [name for name in Invoice.__slots__ if name not in ("credited_minor", "written_off_minor")]
    kept = dict.fromkeys(names, "") | {"total_minor": 5, "paid_minor": 0, "sequence": 1, "installments": []}

    progress = Progress.of({"lines": {}, "shipments": {}, "invoices": {"inv_1": kept}})

    assert progress.invoices["inv_1"].credited_minor == 0


def test_the_mail_of_a_credit_note_says_what_is_still_due_and_what_is_kept_on_account() -> None:
    left = {**INVOICE, "open_minor": 5000, "due_on": "2027-01-14"}
    settled = _mail("invoice_credited", {**CREDITED, "cash_minor": 0, "invoice": INVOICE})

    part = _mail("invoice_credited", {**CREDITED, "invoice": left})

    shown = ("credit_note_number", "invoice_number", "total", "left_over", "due", "due_on", "reason")
    reason = "two pumps arrived damaged"
    assert [part.variables[name] for name in shown] == [
        "CN-1001", "INV-000001", "110.00", "60.00", "50.00", "2027-01-14", reason,
    ]  # fmt: skip
    assert part.attachment == Attachment("credit_note", "cn_1", "CN-1001.pdf")
    assert [settled.variables[name] for name in ("left_over", "due", "due_on")] == ["", "", ""]


def _mail(kind: str, detail: dict[str, Any]) -> mails.Mail:
    parties = mails.Parties(CUSTOMER, CUSTOMER)
    mail = mails.mail_of(heard(kind, detail, "billing"), ORDER, parties, CONTACTS, is_last_delivery=False)
    assert mail is not None
    return mail

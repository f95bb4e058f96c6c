"""What is given up of invoices, and credit notes and write-offs that wait for a second person, on both databases."""

from __future__ import annotations

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.corrections import parse_limits
from services.kernel.errors import Refused
from tests.billing.desk import CONTEXT, Desk
from tests.billing.test_credit_notes import billed, listed, standing

ANN, BEN = "ann", "ben"


def decide(
    desk: Desk, waiting: pb.PaymentCorrection, by: str = BEN, *, is_approved: bool = True
) -> pb.DecidePaymentCorrectionResponse:
    request = pb.DecidePaymentCorrectionRequest(
        request_id=f"decision/{waiting.correction_id}/{by}", correction_id=waiting.correction_id, decided_by=by,
        is_approved=is_approved, note="not so",
    )  # fmt: skip
    return desk.billing.DecidePaymentCorrection(request, CONTEXT)


@pytest.mark.on_postgres
def test_what_nobody_will_pay_is_bad_debt_and_made_good_by_a_credit_note_first(desk: Desk) -> None:
    desk.limit(100_000)
    invoice = billed(desk)
    desk.pay(3_000, "BANK-1")

    given_up = desk.write_off(invoice.number).invoice

    assert (given_up.status, given_up.open.minor_units, given_up.written_off.minor_units) == ("written_off", 0, 7_000)
    assert desk.account() == (0, 0)
    assert desk.receivables() == {}
    assert desk.balances()["bad_debt"] == 7_000
    assert [row.number for row in listed(desk, "written_off")] == [invoice.number]
    assert desk.violations() == {}
    note = desk.credit(invoice.number, {"1": 8}).credit_note
    assert (note.recovered.minor_units, note.cash.minor_units) == (7_000, 1_000)
    assert desk.balances()["bad_debt"] == 0
    assert standing(desk.invoice_now(invoice.invoice_id)) == ("paid", 0, 2_000, 8_000)
    assert desk.violations() == {}


def test_no_more_is_written_off_than_is_open(desk: Desk) -> None:
    invoice = billed(desk)
    part = desk.write_off(invoice.number, 1_000).invoice

    with pytest.raises(Refused, match=r"90\.00 USD open: write off at most that"):
        desk.write_off(invoice.number, 9_001)
    desk.write_off(invoice.number, 9_000)
    with pytest.raises(Refused, match="nothing is open"):
        desk.write_off(invoice.number)

    assert (part.status, part.open.minor_units) == ("open", 9_000)
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_over_the_limit_a_second_person_decides_and_parts_count_together(desk: Desk) -> None:
    desk.billing.limits = parse_limits("50.00 USD")
    invoice = billed(desk)
    small = desk.credit(invoice.number, {"1": 3}, by=ANN)

    large = desk.credit(invoice.number, {"1": 3}, by=ANN)

    assert small.credit_note.number == "CN-1001"
    assert (large.waiting.kind, large.waiting.invoice_id, large.waiting.amount.minor_units) == (
        "credit_note",
        invoice.invoice_id,
        3_000,
    )
    assert not large.HasField("credit_note")
    assert large.invoice.credited.minor_units == 3_000
    with pytest.raises(Refused, match="waits for a second person"):
        desk.write_off(invoice.number, by=BEN)
    with pytest.raises(Refused, match="another person"):
        decide(desk, large.waiting, ANN)
    preview = desk.billing.PreviewCreditNote(
        pb.PreviewCreditNoteRequest(correction_id=large.waiting.correction_id), CONTEXT
    )
    assert (preview.credit_note.total.minor_units, preview.needs_second_person) == (3_000, True)
    answer = decide(desk, large.waiting)
    assert (answer.credit_note.number, answer.credit_note.asked_by, answer.credit_note.approved_by) == (
        "CN-1002",
        ANN,
        BEN,
    )
    assert answer.invoice.credited.minor_units == 6_000
    assert not answer.HasField("payment")
    assert desk.violations() == {}


def test_a_write_off_that_is_declined_leaves_the_invoice_open(desk: Desk) -> None:
    desk.billing.limits = parse_limits("50.00 USD")
    invoice = billed(desk)
    waiting = desk.write_off(invoice.number, by=ANN).waiting

    answer = decide(desk, waiting, is_approved=False)

    assert (answer.correction.state, answer.invoice.open.minor_units) == ("declined", 10_000)
    found = desk.billing.ListPaymentCorrections(
        pb.ListPaymentCorrectionsRequest(invoice_id=invoice.invoice_id), CONTEXT
    )
    assert [(row.kind, row.state, row.payment_id) for row in found.corrections] == [("write_off", "declined", "")]
    assert decide(desk, desk.write_off(invoice.number, by=ANN).waiting).invoice.status == "written_off"
    assert desk.violations() == {}

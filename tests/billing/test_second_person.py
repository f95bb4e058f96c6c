"""Corrections of payments over a limit wait for a second person, on both databases."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.billing.domain.corrections import parse_limits
from services.kernel.errors import InvalidArgument, NotFound, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd
from tests.threads import at_once

_IDS = itertools.count(1)
ANN, BEN = "ann", "ben"


@pytest.fixture
def limited(desk: Desk) -> Desk:
    """What is over 100.00 USD is corrected by two people."""
    desk.billing.limits = parse_limits("100.00 USD")
    return desk


def reversal(desk: Desk, payment: pb.Payment, by: str = ANN, *, request_id: str = "") -> pb.ReversePaymentResponse:
    request = pb.ReversePaymentRequest(
        request_id=request_id or f"reversal/{next(_IDS)}", payment_id=payment.payment_id, reason="bounced", asked_by=by
    )
    return desk.billing.ReversePayment(request, CONTEXT)


def decided(
    desk: Desk, correction: pb.PaymentCorrection, by: str = BEN, *, is_approved: bool = True, note: str = "not so"
) -> pb.DecidePaymentCorrectionResponse:
    request = pb.DecidePaymentCorrectionRequest(
        request_id=f"decision/{next(_IDS)}",
        correction_id=correction.correction_id,
        decided_by=by,
        is_approved=is_approved,
        note=note,
    )
    return desk.billing.DecidePaymentCorrection(request, CONTEXT)


def listed(desk: Desk, state: str = "") -> list[tuple[str, str]]:
    found = desk.billing.ListPaymentCorrections(pb.ListPaymentCorrectionsRequest(state=state), CONTEXT)
    return [(row.kind, row.state) for row in found.corrections]


def test_over_the_limit_a_correction_waits_and_is_made_when_another_person_approves(limited: Desk) -> None:
    limited.invoice(order_of({"1": (1, "200.00")}), "shp_1", {"1": 1})
    payment = limited.pay(20_000, "CHECK-1")
    waiting = reversal(limited, payment)
    before = limited.balances()["cash"], listed(limited, "waiting")

    with pytest.raises(Refused, match="another person"):
        decided(limited, waiting.waiting, ANN)
    answer = decided(limited, waiting.waiting)

    assert (waiting.payment.reversed_at_micros, before) == (0, (20_000, [("reversal", "waiting")]))
    assert answer.payment.reversed_at_micros > 0
    assert (answer.correction.asked_by, answer.correction.decided_by) == (ANN, BEN)
    assert limited.balances()["cash"] == 0
    assert listed(limited) == [("reversal", "approved")]
    assert limited.violations() == {}


def test_up_to_the_limit_and_without_limits_nobody_else_is_asked(limited: Desk) -> None:
    small = reversal(limited, limited.pay(10_000, "CHECK-1"))
    limited.billing.limits = {}
    large = reversal(limited, limited.pay(90_000, "CHECK-2"))

    assert [answer.HasField("waiting") for answer in (small, large)] == [False, False]
    assert listed(limited) == []


def test_a_currency_without_a_limit_needs_a_second_person_where_others_have_one(desk: Desk) -> None:
    desk.billing.limits = parse_limits("100.00 EUR")

    assert reversal(desk, desk.pay(1, "CHECK-1")).HasField("waiting")


def test_what_is_declined_leaves_the_payment_and_says_why(limited: Desk) -> None:
    waiting = reversal(limited, limited.pay(20_000, "CHECK-1")).waiting

    with pytest.raises(InvalidArgument, match="say why"):
        decided(limited, waiting, is_approved=False, note="")
    answer = decided(limited, waiting, is_approved=False, note="the bank says it is fine")

    assert (answer.correction.state, answer.correction.note) == ("declined", "the bank says it is fine")
    assert limited.balances()["cash"] == 20_000
    with pytest.raises(Refused, match="declined already"):
        decided(limited, waiting)


def test_one_correction_of_a_payment_waits_at_a_time(limited: Desk) -> None:
    payment = limited.pay(20_000, "CHECK-1")
    first = reversal(limited, payment, request_id="r1")

    assert reversal(limited, payment, request_id="r1") == first
    with pytest.raises(Refused, match="decided first"):
        reversal(limited, payment, BEN)
    with pytest.raises(NotFound):
        decided(limited, pb.PaymentCorrection(correction_id="corr_none"))


def test_a_refund_is_measured_by_what_goes_back(limited: Desk) -> None:
    payment = limited.pay(50_000, "WIRE-1", on_account=True)

    def refund(minor: int) -> pb.RefundPaymentResponse:
        request = pb.RefundPaymentRequest(
            request_id=f"refund/{next(_IDS)}",
            payment_id=payment.payment_id,
            amount=usd(minor),
            reason="twice",
            asked_by=ANN,
        )
        return limited.billing.RefundPayment(request, CONTEXT)

    small, large = refund(10_000), refund(10_001)
    approved = decided(limited, large.waiting)

    assert (small.HasField("waiting"), large.HasField("waiting")) == (False, True)
    assert approved.payment.returned.minor_units == 20_001
    assert refund(1).HasField("waiting")  # parts count with what went back before
    assert limited.violations() == {}


def test_what_cannot_be_made_is_refused_and_does_not_wait(limited: Desk) -> None:
    payment = limited.pay(50_000, "WIRE-1", on_account=True)
    asked = {
        "REFUND_EXCEEDS_CASH": pb.RefundPaymentRequest(amount=usd(50_001)),
        "REFUND_CURRENCY_DIFFERS": pb.RefundPaymentRequest(amount=types_pb2.Money(minor_units=50_000, currency="EUR")),
    }
    reasons = []

    for number, request in enumerate(asked.values()):
        request.MergeFrom(
            pb.RefundPaymentRequest(
                request_id=f"impossible/{number}", payment_id=payment.payment_id, reason="twice", asked_by=ANN
            )
        )
        with pytest.raises(Refused) as refusal:
            limited.billing.RefundPayment(request, CONTEXT)
        reasons.append(refusal.value.reason)

    assert reasons == list(asked)
    assert listed(limited) == []


def test_a_reversal_that_is_made_already_changes_nothing_and_does_not_wait(limited: Desk) -> None:
    payment = limited.pay(20_000, "CHECK-1")
    decided(limited, reversal(limited, payment).waiting)

    again = reversal(limited, payment)

    assert not again.HasField("waiting")
    assert listed(limited, "waiting") == []


@pytest.mark.on_postgres
def test_payments_that_are_moved_to_each_others_customers_at_once_both_move(desk: Desk) -> None:
    desk.limit(0)
    desk.limit(0, customer_id="cus_globex")
    theirs = [desk.pay(100, f"A-{number}", on_account=True) for number in range(6)]
    others = [desk.pay(100, f"B-{number}", customer_id="cus_globex", on_account=True) for number in range(6)]

    def move(payment: pb.Payment, to: str) -> str:
        request = pb.ReapplyPaymentRequest(
            request_id=f"move/{payment.payment_id}",
            payment_id=payment.payment_id,
            customer_id=to,
            is_on_account=True,
            reason="theirs",
            asked_by=ANN,
        )
        return desk.billing.ReapplyPayment(request, CONTEXT).payment.customer_id

    moves = [partial(move, one, "cus_globex") for one in theirs] + [partial(move, one, "cus_acme") for one in others]

    assert sorted(at_once(moves)) == ["cus_acme"] * 6 + ["cus_globex"] * 6
    assert desk.violations() == {}


def test_an_approved_correction_that_no_longer_holds_is_refused_and_waits_on(limited: Desk) -> None:
    payment = limited.pay(50_000, "WIRE-1", on_account=True)
    request = pb.RefundPaymentRequest(
        request_id="refund/x", payment_id=payment.payment_id, amount=usd(50_000), reason="twice", asked_by=ANN
    )
    waiting = limited.billing.RefundPayment(request, CONTEXT).waiting
    limited.refund(payment.payment_id, 1)  # by a program, which nobody is asked about

    with pytest.raises(Refused, match="is there to be refunded"):
        decided(limited, waiting)
    assert listed(limited, "waiting") == [("refund", "waiting")]


@pytest.mark.on_postgres
def test_two_people_deciding_at_once_make_it_once(limited: Desk) -> None:
    limited.invoice(order_of({"1": (1, "200.00")}), "shp_1", {"1": 1})
    waiting = reversal(limited, limited.pay(20_000, "CHECK-1")).waiting

    def decide(by: str) -> str:
        try:
            return decided(limited, waiting, by).correction.decided_by
        except Exception as late:  # noqa: BLE001 - a refusal or a conflict, as the database has it
            return type(late).__name__

    answers = at_once([partial(decide, f"person-{number}") for number in range(6)])

    assert len([one for one in answers if one.startswith("person-")]) == 1
    assert limited.balances()["cash"] == 0
    assert limited.violations() == {}


@pytest.mark.parametrize("given", ["100", "100.001 USD", "x USD", "1 XYZ"])
def test_limits_that_cannot_be_read_are_refused(given: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_limits(given)


@pytest.mark.on_postgres
def test_a_correction_that_waits_is_previewed_as_it_was_asked_for_and_not_once_it_is_decided(limited: Desk) -> None:
    limited.invoice(order_of({"1": (1, "200.00")}), "shp_1", {"1": 1})
    payment = limited.pay(20_000, "CHECK-1")
    wanted = pb.ReapplyPaymentRequest(
        request_id="use/1", payment_id=payment.payment_id, customer_id="cus_bolt", is_on_account=True, reason="theirs",
        asked_by=ANN,
    )  # fmt: skip
    waiting = limited.billing.ReapplyPayment(wanted, CONTEXT).waiting
    asked = pb.PreviewPaymentRequest(correction_id=waiting.correction_id)

    seen = limited.billing.PreviewPayment(asked, CONTEXT)
    made = decided(limited, waiting)

    assert (seen.payment.customer_id, seen.payment.unapplied.minor_units) == ("cus_bolt", 20_000)
    assert [(one.number, one.open_after.minor_units) for one in seen.invoices] == [("INV-000001", 20_000)]
    assert seen.payment == made.payment
    with pytest.raises(Refused, match="approved already"):
        limited.billing.PreviewPayment(asked, CONTEXT)
    with pytest.raises(NotFound):
        limited.billing.PreviewPayment(pb.PreviewPaymentRequest(correction_id="corr_none"), CONTEXT)


def test_a_preview_says_whether_a_second_person_is_needed(limited: Desk) -> None:
    much = limited.pay(20_000, "CHECK-1", on_account=True).payment_id
    little = pb.RefundPaymentRequest(payment_id=much, amount=usd(10_000), reason="twice")
    acts: dict[str, Any] = {
        "reverse": pb.ReversePaymentRequest(payment_id=much, reason="bounced"),
        "reapply": pb.ReapplyPaymentRequest(payment_id=much, is_on_account=True, reason="mixed up"),
        "refund": little,
        "record": pb.RecordPaymentRequest(customer_id="cus_acme", amount=usd(20_000), reference="CHECK-2"),
    }

    found = {
        name: limited.billing.PreviewPayment(pb.PreviewPaymentRequest(**{name: act}), CONTEXT).needs_second_person
        for name, act in acts.items()
    }
    little.amount.minor_units = 10_001
    more = limited.billing.PreviewPayment(pb.PreviewPaymentRequest(refund=little), CONTEXT).needs_second_person

    assert found == {"reverse": True, "reapply": True, "refund": False, "record": False}
    assert more


def test_a_preview_counts_what_was_refunded_before(limited: Desk) -> None:
    payment_id = limited.pay(20_000, "CHECK-1", on_account=True).payment_id
    part = pb.RefundPaymentRequest(
        request_id="part/1", payment_id=payment_id, amount=usd(6_000), reason="twice", asked_by=ANN
    )
    asked = pb.PreviewPaymentRequest(refund=part)

    first = limited.billing.PreviewPayment(asked, CONTEXT)
    limited.billing.RefundPayment(part, CONTEXT)
    second = limited.billing.PreviewPayment(asked, CONTEXT)

    assert (first.needs_second_person, second.needs_second_person) == (False, True)


def test_a_correction_and_payments_are_found_by_their_ids(limited: Desk) -> None:
    paid = [limited.pay(20_000, f"CHECK-{number}") for number in range(3)]
    waiting = [reversal(limited, payment).waiting for payment in paid[:2]]

    one = pb.ListPaymentCorrectionsRequest(correction_id=waiting[1].correction_id)
    two = pb.ListPaymentsRequest(payment_ids=[paid[2].payment_id, paid[0].payment_id], limit=1)
    none = pb.ListPaymentCorrectionsRequest(correction_id="corr_none")

    assert list(limited.billing.ListPaymentCorrections(one, CONTEXT).corrections) == [waiting[1]]
    assert list(limited.billing.ListPayments(two, CONTEXT).payments) == [paid[0], paid[2]]
    assert not limited.billing.ListPaymentCorrections(none, CONTEXT).corrections
    with pytest.raises(InvalidArgument, match="at most 500 payments"):
        limited.billing.ListPayments(pb.ListPaymentsRequest(payment_ids=map(str, range(501))), CONTEXT)

"""Credit notes through the service: invoice, books, cash, credit and facts move together, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.types.v1 import types_pb2
from services.kernel.errors import AlreadyExists, InvalidArgument, NotFound, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import credit_request, usd
from tests.threads import at_once


def billed(desk: Desk, units: int = 10, price: str = "10.00", **members: object) -> pb.Invoice:
    order = order_of({"1": (units, price)}, **members)  # type: ignore[arg-type]  # what a test says of its order
    return desk.invoice(order, f"shp_{order.order_id}", {"1": units})


def standing(invoice: pb.Invoice) -> tuple[str, int, int, int]:
    """Its status, and in minor units what is open, paid and credited."""
    return invoice.status, *(getattr(invoice, name).minor_units for name in ("open", "paid", "credited"))


def notes(desk: Desk, *, invoice_id: str = "", order_id: str = "", customer_id: str = "") -> list[pb.CreditNote]:
    wanted = pb.ListCreditNotesRequest(invoice_id=invoice_id, order_id=order_id, customer_id=customer_id)
    return list(desk.billing.ListCreditNotes(wanted, CONTEXT).credit_notes)


@pytest.mark.on_postgres
def test_what_is_open_falls_by_a_credit_note_with_credit_books_and_ages(desk: Desk) -> None:
    desk.limit(100_000)
    invoice = billed(desk, tax_rate="0.10", freight=500)  # 100.00 + 5.00 + 10.00

    answer = desk.credit(invoice.number, {"1": 4}, freight=100)  # 40.00 + 1.00 + 4.00

    note = answer.credit_note
    assert (note.number, note.total.minor_units, note.off_open.minor_units, note.cash.minor_units) == (
        "CN-1001",
        4_500,
        4_500,
        0,
    )
    assert (note.invoice_number, note.order_number, note.credited_on) == (invoice.number, "SO-ord_1", "2026-03-02")
    assert [(line.line_id, line.sku, line.quantity, line.extended.minor_units) for line in note.lines] == [
        ("1", "SKU-1", 4, 4_000)
    ]
    assert standing(answer.invoice) == ("open", 7_000, 0, 4_500)
    assert desk.account() == (0, 7_000)
    assert desk.receivables()["current_minor"] == 7_000
    balances = desk.balances()
    assert (balances["sales_returns"], balances["accounts_receivable"]) == (4_000, 7_000)
    assert (balances["freight_revenue"], balances["tax_payable"]) == (-400, -600)
    assert notes(desk) == [note]
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_what_was_paid_lies_on_account_and_can_be_refunded(desk: Desk) -> None:
    invoice = billed(desk, tax_rate="0.10")  # 110.00
    desk.pay(6_000, "BANK-1")
    second = desk.pay(5_000, "BANK-2")

    note = desk.credit(invoice.invoice_id, {"1": 6}).credit_note  # 66.00: all of the second payment, 16.00 of the first

    assert note.cash.minor_units == 6_600
    first, last = desk.payments()
    assert [one.unapplied.minor_units for one in (first, last)] == [1_600, 5_000]
    assert sorted((one.payment_id, one.amount.minor_units) for one in note.left_over) == sorted(
        [(first.payment_id, 1_600), (second.payment_id, 5_000)]
    )
    assert standing(desk.invoice_now(invoice.invoice_id)) == ("paid", 0, 4_400, 6_600)
    assert desk.account() == (0, -6_600)
    assert desk.balances()["unapplied_cash"] == -6_600
    desk.refund(last.payment_id, 5_000)
    desk.reapply(first.payment_id, to={billed(desk, 1, order_id="ord_2").invoice_id: 1_000}, on_account=True)
    assert desk.balances()["cash"] == 6_000
    assert desk.violations() == {}


def test_cash_that_is_left_over_waits_for_somebody_and_pays_no_other_invoice_by_itself(desk: Desk) -> None:
    invoice = billed(desk)
    desk.pay(10_000, "BANK-1")
    desk.credit(invoice.number, everything=True)

    other = billed(desk, order_id="ord_2")

    assert standing(desk.invoice_now(invoice.invoice_id)) == ("credited", 0, 0, 10_000)
    assert standing(other) == ("open", 10_000, 0, 0)
    assert desk.violations() == {}


def test_the_credit_notes_of_an_invoice_that_is_credited_in_parts_sum_to_it(desk: Desk) -> None:
    order = order_of({"1": (3, "33.33"), "2": (7, "0.07")}, discount=501, freight=999, tax_rate="0.0825")
    invoice = desk.invoice(order, "shp_1", {"1": 3, "2": 7})

    for one in (
        {"lines": {"1": 1}},
        {"allowance": 1_234},
        {"lines": {"1": 1, "2": 3}, "freight": 7},
        {"everything": True},
    ):
        desk.credit(invoice.number, **one)

    found = notes(desk, invoice_id=invoice.invoice_id)
    assert [one.number for one in found] == ["CN-1001", "CN-1002", "CN-1003", "CN-1004"]
    assert sum(one.total.minor_units for one in found) == invoice.total.minor_units
    assert sum(one.tax.minor_units for one in found) == invoice.tax.minor_units
    assert desk.invoice_now(invoice.invoice_id).status == "credited"
    assert [row.number for row in listed(desk, "credited")] == [invoice.number]
    assert (listed(desk, "paid"), listed(desk, "unpaid")) == ([], [])
    assert desk.violations() == {}


def listed(desk: Desk, status: str) -> list[pb.Invoice]:
    return list(desk.billing.ListInvoices(pb.ListInvoicesRequest(status=status), CONTEXT).invoices)


@pytest.mark.on_postgres
def test_a_unit_is_credited_once_also_when_two_credit_it_at_once(desk: Desk) -> None:
    invoice = billed(desk)

    def credit(number: int) -> str:
        try:
            return desk.credit(invoice.number, {"1": 6}, request_id=f"credit/{number}").credit_note.number
        except Refused as refused:
            return refused.reason

    said = at_once([partial(credit, number) for number in (1, 2)])

    assert sorted(said) == ["CN-1001", "UNITS_CREDITED"]
    assert desk.invoice_now(invoice.invoice_id).credited.minor_units == 6_000
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_a_repeat_gets_the_first_answer_and_the_key_serves_no_other_request(desk: Desk) -> None:
    invoice = billed(desk)

    first = desk.credit(invoice.number, {"1": 1}, request_id="key")
    again = desk.credit(invoice.number, {"1": 1}, request_id="key")

    assert first == again
    assert len(notes(desk)) == 1
    with pytest.raises(AlreadyExists):
        desk.credit(invoice.number, {"1": 2}, request_id="key")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"lines": [types_pb2.LineQuantity(line_id="1", quantity=0)]}, "QUANTITY_NOT_POSITIVE"),
        ({"reason": ""}, "FIELD_MISSING"),
        ({"reason_code": "mood"}, "REASON_CODE_UNKNOWN"),
        ({"freight": usd(0)}, "AMOUNT_TOO_SMALL"),
        ({"allowance": usd(-1)}, "AMOUNT_TOO_SMALL"),
        ({"is_all": True, "freight": usd(1)}, "ALL_AND_PARTS"),
        ({"invoice": ""}, "FIELD_MISSING"),
        ({}, "CREDIT_OF_NOTHING"),
    ],
)
def test_a_request_of_the_wrong_shape_says_what_is_wrong(desk: Desk, members: dict[str, object], reason: str) -> None:
    invoice = billed(desk)
    request = {"request_id": "1", "invoice": invoice.number, "reason_code": "price", "reason": "agreed"} | members

    with pytest.raises(InvalidArgument) as refused:
        desk.billing.CreditInvoice(pb.CreditInvoiceRequest(**request), CONTEXT)  # type: ignore[arg-type]  # spoiled

    assert refused.value.reason == reason
    assert notes(desk) == []


def test_what_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no invoice INV-9"):
        desk.credit("INV-9", {"1": 1})
    with pytest.raises(NotFound, match="no such credit note"):
        desk.billing.GetCreditNote(pb.GetCreditNoteRequest(credit_note="CN-9"), CONTEXT)
    note = desk.credit(billed(desk).number, {"1": 1}).credit_note
    with pytest.raises(NotFound, match="no such credit note"):
        desk.billing.GetCreditNote(pb.GetCreditNoteRequest(credit_note=note.number, customer_id="cus_other"), CONTEXT)
    asked = pb.GetCreditNoteRequest(credit_note=note.number, customer_id="cus_acme")
    assert desk.billing.GetCreditNote(asked, CONTEXT).credit_note == note


@pytest.mark.on_postgres
def test_orders_that_wait_for_credit_take_the_room_that_a_credit_note_makes(desk: Desk) -> None:
    desk.limit(10_000)
    invoice = billed(desk)
    desk.commit("ord_2", 4_000)
    preview = desk.billing.PreviewCreditNote(
        pb.PreviewCreditNoteRequest(credit=credit_request(invoice.number, {"1": 5})), CONTEXT
    )
    waiting = desk.money("ord_2")["waiting_on"]

    desk.credit(invoice.number, {"1": 5})

    assert list(preview.released_order_ids) == ["ord_2"]
    assert (waiting, desk.money("ord_2")["waiting_on"]) == ("credit", "")
    assert desk.account() == (4_000, 5_000)


@pytest.mark.on_postgres
def test_a_preview_says_what_follows_and_changes_nothing(desk: Desk) -> None:
    invoice = billed(desk, tax_rate="0.10")
    desk.pay(6_000, "BANK-1")

    asked = credit_request(invoice.number, {"1": 10})
    preview = desk.billing.PreviewCreditNote(pb.PreviewCreditNoteRequest(credit=asked), CONTEXT)

    note = preview.credit_note
    assert (note.credit_note_id, note.number) == ("", "")
    assert (note.total.minor_units, note.tax.minor_units, note.off_open.minor_units, note.cash.minor_units) == (
        11_000,
        1_000,
        5_000,
        6_000,
    )
    assert (standing(preview.before), standing(preview.after)) == (
        ("part_paid", 5_000, 6_000, 0),
        ("credited", 0, 0, 11_000),
    )
    assert standing(desk.invoice_now(invoice.invoice_id)) == ("part_paid", 5_000, 6_000, 0)
    assert notes(desk) == []
    with pytest.raises(InvalidArgument, match="act is missing"):
        desk.billing.PreviewCreditNote(pb.PreviewCreditNoteRequest(), CONTEXT)
    assert desk.credit(invoice.number, {"1": 10}).credit_note.number == "CN-1001"


def test_a_discount_for_paying_early_shrinks_with_what_is_credited_before_and_after_it_is_taken(desk: Desk) -> None:
    before = billed(desk, terms="2/10 net 30")
    desk.credit(before.number, {"1": 5})
    paid = desk.pay(4_900, "BANK-1", to={before.invoice_id: 4_900}, received_on="2026-03-02")
    after = billed(desk, terms="2/10 net 30", order_id="ord_2")
    desk.pay(9_800, "BANK-2", to={after.invoice_id: 9_800}, received_on="2026-03-02")

    note = desk.credit(after.number, {"1": 5}).credit_note

    assert standing(desk.invoice_now(before.invoice_id)) == ("paid", 0, 4_900, 5_000)
    assert (note.discount_lost.minor_units, note.cash.minor_units) == (100, 4_900)
    assert standing(desk.invoice_now(after.invoice_id)) == ("paid", 0, 4_900, 5_000)
    assert desk.balances()["sales_discounts"] == 200
    assert desk.violations() == {}
    desk.reverse(paid.payment_id)
    assert standing(desk.invoice_now(before.invoice_id)) == ("open", 5_000, 0, 5_000)
    assert desk.violations() == {}


def test_a_prepaid_order_whose_cash_is_credited_is_not_asked_for_it_again(desk: Desk) -> None:
    order = order_of({"1": (10, "10.00")}, payment_method="prepaid")
    desk.commit("ord_1", 10_000, method="prepaid")
    payment = desk.pay(10_000, "BANK-1", orders={"ord_1": 10_000})
    invoice = desk.invoice(order, "shp_1", {"1": 5})
    desk.credit(invoice.number, everything=True)
    [paid] = desk.payments()

    desk.refund(payment.payment_id, 5_000)

    assert (paid.unapplied.minor_units, paid.deposits[0].remaining.minor_units) == (5_000, 5_000)
    assert desk.money("ord_1")["waiting_on"] == ""
    assert desk.committed("ord_1") == 5_000
    second = desk.invoice(order, "shp_2", {"1": 5})
    assert second.status == "paid"
    assert desk.violations() == {}


def test_orders_are_told_of_each(desk: Desk) -> None:
    invoice = billed(desk)
    desk.pay(4_000, "BANK-1")
    desk.credit(invoice.number, {"1": 8})
    other = billed(desk, order_id="ord_2")
    desk.write_off(other.number)

    [credited] = desk.facts("invoice_credited")
    [given_up] = desk.facts("invoice_written_off")

    assert {name: credited[name] for name in ("number", "amount_minor", "cash_minor", "reason_code", "reason")} == {
        "number": "CN-1001", "amount_minor": 8_000, "cash_minor": 2_000, "reason_code": "price", "reason": "agreed on the phone",
    }  # fmt: skip
    bill = credited["invoice"]
    assert (bill["status"], bill["open_minor"], bill["paid_minor"], bill["credited_minor"]) == ("paid", 0, 2_000, 8_000)
    assert (given_up["amount_minor"], given_up["invoice"]["status"]) == (10_000, "written_off")


def test_lists_are_of_an_invoice_an_order_or_a_customer_and_come_in_pages(desk: Desk) -> None:
    first, second = billed(desk), billed(desk, order_id="ord_2", customer_id="cus_b")
    for invoice in (first, second, first):
        desk.credit(invoice.number, {"1": 1})

    page = desk.billing.ListCreditNotes(pb.ListCreditNotesRequest(limit=2), CONTEXT)
    rest = desk.billing.ListCreditNotes(pb.ListCreditNotesRequest(limit=2, cursor=page.next_cursor), CONTEXT)

    assert [one.number for one in page.credit_notes] == ["CN-1001", "CN-1002"]
    assert ([one.number for one in rest.credit_notes], rest.next_cursor) == (["CN-1003"], "")
    assert [one.number for one in notes(desk, order_id="ord_1")] == ["CN-1001", "CN-1003"]
    assert [one.number for one in notes(desk, customer_id="cus_b")] == ["CN-1002"]


def test_a_credit_note_has_the_company_day_on_which_it_was_posted(desk: Desk) -> None:
    invoice = billed(desk)
    desk.now = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)

    assert desk.credit(invoice.number, {"1": 1}).credit_note.credited_on == "2026-04-01"

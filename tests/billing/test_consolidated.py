"""One invoice over several orders of a customer: one number, a share an order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.billing.domain import consolidated
from services.billing.invoice_runner import InvoiceRunner
from services.kernel.errors import Refused
from services.runtime import statements
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.test_policies import SUNDAY, at


def monthly(number: int, lines: dict[str, tuple[int, str]] | None = None, **terms: Any) -> orders_pb2.Order:
    """An order whose customer is invoiced by the week."""
    wanted = lines or {"1": (number, "10.00")}
    return order_of(wanted, order_id=f"ord_{number}", invoicing=terms.pop("invoicing", "weekly"), **terms)


def left(desk: Desk, *orders: orders_pb2.Order) -> None:
    """All of these orders leaves, and the week is over."""
    for order in orders:
        units = {line.line_id: line.quantity for line in order.lines}
        desk.leave(order, f"shp_{order.order_id}", units)
    desk.now = at(SUNDAY + timedelta(days=1))


def listed(desk: Desk, **of: Any) -> list[pb.Invoice]:
    return list(desk.billing.ListInvoices(pb.ListInvoicesRequest(**of), CONTEXT).invoices)


@pytest.fixture
def together(desk: Desk) -> pb.Invoice:
    """One invoice of three orders: 10.00, 20.00 and 30.00."""
    left(desk, monthly(1), monthly(2), monthly(3))
    desk.run_policies()
    (one,) = desk.listed()
    return one


def test_the_orders_of_a_week_are_one_invoice_with_one_number_and_a_share_each(desk: Desk) -> None:
    left(desk, monthly(2), monthly(1), monthly(3))

    made = desk.run_policies()

    (one,) = desk.listed()
    assert (made, one.number, one.total.minor_units, one.order_id, one.status) == (1, "INV-000001", 6000, "", "open")
    assert (one.invoiced_on, one.due_on) == ("2026-03-08", "2026-04-07")
    assert [(share.order_number, share.total.minor_units) for share in one.shares] == [
        ("SO-ord_1", 1000), ("SO-ord_2", 2000), ("SO-ord_3", 3000),
    ]  # fmt: skip
    assert [(line.order_number, line.quantity) for line in one.lines] == [
        ("SO-ord_1", 1),
        ("SO-ord_2", 2),
        ("SO-ord_3", 3),
    ]
    assert desk.violations() == {}


def test_an_order_has_its_share_as_an_invoice_of_its_own_under_the_one_number(desk: Desk, together: pb.Invoice) -> None:
    (share,) = listed(desk, order_id="ord_2")

    assert (share.number, share.order_id, share.total.minor_units) == ("INV-000001", "ord_2", 2000)
    assert share.consolidated_invoice_id == together.invoice_id
    assert desk.invoice_now(share.invoice_id) == share
    assert desk.invoice_now(together.invoice_id) == together
    assert listed(desk, invoice_ids=[together.invoice_id]) == [together]


def test_the_next_invoice_has_the_next_number(desk: Desk, together: pb.Invoice) -> None:
    alone = desk.invoice(order_of({"1": (1, "5.00")}, order_id="ord_9"), "shp_9", {"1": 1})

    assert alone.number == "INV-000002"
    assert desk.violations() == {}


def test_pages_have_a_number_once_and_an_orders_shares_each(desk: Desk, together: pb.Invoice) -> None:
    desk.invoice(order_of({"1": (1, "5.00")}, order_id="ord_9"), "shp_9", {"1": 1})

    def pages(**of: Any) -> list[str]:
        found: list[str] = []
        request = pb.ListInvoicesRequest(limit=1, **of)
        while True:
            page = desk.billing.ListInvoices(request, CONTEXT)
            found += [one.order_number or one.number for one in page.invoices]
            if not page.next_cursor:
                return found
            request.cursor = page.next_cursor

    assert pages() == ["INV-000001", "SO-ord_9"]
    assert pages(customer_id="cus_acme", status="unpaid") == ["INV-000001", "SO-ord_9"]
    assert pages(order_ids=["ord_1", "ord_3", "ord_9"]) == ["SO-ord_1", "SO-ord_3", "SO-ord_9"]


@pytest.mark.parametrize("named", ["identity", "number"])
def test_one_sum_pays_the_shares_the_oldest_order_first(desk: Desk, together: pb.Invoice, named: str) -> None:
    key = together.invoice_id if named == "identity" else together.number

    payment = desk.pay(2500, "BANK-1", to={key: 2500})

    assert [one.amount.minor_units for one in payment.applications] == [1000, 1500]
    (one,) = desk.listed()
    assert (one.status, one.paid.minor_units, one.open.minor_units) == ("part_paid", 2500, 3500)
    assert [share.open.minor_units for share in one.shares] == [0, 500, 3000]
    assert desk.pay(2500, "BANK-1", to={key: 2500}).payment_id == payment.payment_id
    assert desk.violations() == {}


def test_it_is_paid_in_one_sum_and_not_overpaid(desk: Desk, together: pb.Invoice) -> None:
    with pytest.raises(Refused, match=r"60\.00 USD open"):
        desk.pay(7000, "BANK-1", to={together.invoice_id: 6001})

    desk.pay(6000, "BANK-2", to={together.number: 6000})

    assert [one.status for one in desk.listed()] == ["paid"]
    assert desk.account()[1] == 0
    assert desk.violations() == {}


def test_the_discount_for_paying_early_is_that_of_its_shares(desk: Desk) -> None:
    left(desk, *(monthly(number, terms="2/10 net 30") for number in (1, 2, 3)))
    desk.run_policies()
    (one,) = desk.listed()
    assert (one.early_discount.amount.minor_units, one.early_discount.pays.minor_units) == (120, 5880)

    desk.pay(5880, "BANK-1", to={one.invoice_id: 5880}, received_on="2026-03-09")

    (paid,) = desk.listed()
    assert (paid.status, paid.discount_taken.minor_units) == ("paid", 120)
    assert desk.violations() == {}


def test_installments_are_paid_by_their_days_over_all_orders(desk: Desk) -> None:
    left(desk, *(monthly(number, terms="50%@10 50%@40") for number in (1, 3)))
    desk.run_policies()
    (one,) = desk.listed()
    assert [(part.amount.minor_units, part.open.minor_units) for part in one.installments] == [
        (2000, 2000),
        (2000, 2000),
    ]
    first_due = one.due_on

    desk.pay(2000, "BANK-1", to={one.invoice_id: 2000})

    (after,) = desk.listed()
    assert [part.open.minor_units for part in after.installments] == [0, 2000]
    assert after.due_on > first_due
    assert desk.violations() == {}


def test_a_credit_note_corrects_a_share_and_names_the_one_invoice(desk: Desk, together: pb.Invoice) -> None:
    share = together.shares[1]

    note = desk.credit(share.invoice_id, {"1": 1}).credit_note

    assert (note.invoice_number, note.order_id, note.total.minor_units) == ("INV-000001", "ord_2", 1000)
    (one,) = desk.listed()
    assert (one.credited.minor_units, one.open.minor_units, one.status) == (1000, 5000, "open")
    for name in (together.number, together.invoice_id):
        found = desk.billing.ListCreditNotes(pb.ListCreditNotesRequest(invoice_id=name), CONTEXT).credit_notes
        assert [each.number for each in found] == [note.number]
    assert desk.violations() == {}


def test_what_corrects_it_names_the_share_of_an_order(desk: Desk, together: pb.Invoice) -> None:
    for name in (together.number, together.invoice_id):
        with pytest.raises(Refused, match="name the share of one of them"):
            desk.credit(name, {"1": 1})
        with pytest.raises(Refused) as refused:
            desk.write_off(name)
        assert refused.value.reason == "INVOICE_OF_SEVERAL_ORDERS"


@pytest.mark.parametrize(
    ("acts", "status"),
    [
        ((), "open"), (("pay",), "part_paid"), (("pay", "write off", "write off 3"), "written_off"),
        (("credit", "credit 2", "credit 3"), "credited"), (("credit",), "open"), (("pay", "pay 2", "credit 3"), "paid"),
        (("credit", "pay 2"), "part_paid"),
    ],
)  # fmt: skip
def test_its_status_is_that_of_all_shares_and_lists_find_it_under_it(
    desk: Desk, together: pb.Invoice, acts: tuple[str, ...], status: str
) -> None:
    for number, act in enumerate(acts):
        share = together.shares[int(act[-1]) - 1 if act[-1].isdigit() else number]
        if act.startswith("pay"):
            desk.pay(share.total.minor_units, f"BANK-{number}", to={share.invoice_id: share.total.minor_units})
        elif act.startswith("write"):
            desk.write_off(share.invoice_id)
        else:
            desk.credit(share.invoice_id, everything=True)

    assert [one.status for one in desk.listed()] == [status]
    for asked in ("open", "part_paid", "paid", "credited", "written_off"):
        assert [one.number for one in listed(desk, status=asked)] == (["INV-000001"] if asked == status else [])
    is_unpaid = status in ("open", "part_paid")
    assert bool(listed(desk, status="unpaid")) == is_unpaid
    assert desk.violations() == {}


@pytest.mark.parametrize(
    "other",
    [
        {"net_days": 60}, {"payment_method": "deposit"}, {"payment_method": "prepaid"}, {"calendar": "US"},
        {"customer_id": "cus_bolt"}, {"terms": "delivery 10", "net_days": 10}, {"invoicing": "monthly"},
    ],
)  # fmt: skip
def test_an_order_whose_money_has_other_rules_has_an_invoice_of_its_own(desk: Desk, other: dict[str, Any]) -> None:
    left(desk, monthly(1), monthly(2, **other), monthly(3))
    desk.now = at(SUNDAY + timedelta(days=30))
    desk.run_policies()

    found = {tuple(one.order_number for one in each.shares) or each.order_number for each in desk.listed()}

    assert found == {("SO-ord_1", "SO-ord_3"), "SO-ord_2"}
    assert desk.violations() == {}


def test_one_in_another_place_or_billed_to_another_address_is_by_itself(desk: Desk) -> None:
    orders = [monthly(number) for number in (1, 2, 3, 4)]
    for order in orders:
        order.billing_address.country = order.ship_to.country = "DE"
    orders[1].ship_to.country = "FR"
    orders[2].billing_address.city = "Ulm"
    left(desk, *orders)

    desk.run_policies()

    assert sorted(len(one.shares) for one in desk.listed()) == [0, 0, 2]


def test_the_mail_of_it_is_told_with_the_first_share(desk: Desk, together: pb.Invoice) -> None:
    named = [fact["consolidated"] for fact in desk.facts("invoice_issued")]

    assert [one["share"] for one in named] == [1, 2, 3]
    assert named[0]["order_numbers"] == ["SO-ord_1", "SO-ord_2", "SO-ord_3"]
    assert named[0]["total_minor"] == 6000


def runner(desk: Desk) -> InvoiceRunner:
    return InvoiceRunner(desk.database, desk.orders.__getitem__, lambda: desk.now)


def test_an_order_that_is_being_changed_keeps_the_others_waiting_for_their_one_invoice(desk: Desk) -> None:
    left(desk, monthly(1), monthly(2), monthly(3))
    block = pb.BlockInvoicingRequest(order_id="ord_2", customer_id="cus_acme", currency="USD", least_version=2)
    desk.billing.BlockInvoicing(block, CONTEXT)

    while_it_changes = desk.run_policies()
    desk.orders["ord_2"].version = 2

    assert (while_it_changes, desk.run_policies()) == (0, 1)
    assert len(desk.listed()[0].shares) == 3


@pytest.mark.parametrize("is_unreadable", [True, False])
def test_an_order_that_cannot_be_invoiced_leaves_the_others_one_invoice(desk: Desk, is_unreadable: bool) -> None:
    left(desk, monthly(1), monthly(2), monthly(3), monthly(4))
    broken, making = desk.orders["ord_2"], runner(desk)
    if is_unreadable:
        del desk.orders["ord_2"]
    else:  # fewer are ordered by now than have left
        desk.orders["ord_2"] = monthly(2, {"1": (1, "10.00")})

    made = making.issue_due()
    desk.orders["ord_2"] = broken
    desk.now += timedelta(seconds=61)

    assert (made, making.issue_due()) == (1, 1)
    assert [len(one.shares) for one in desk.listed()] == [3, 0]
    assert desk.violations() == {}


def test_a_hundred_orders_are_on_one_invoice_and_the_next_on_another(desk: Desk) -> None:
    left(desk, *(monthly(number, {"1": (1, "1.00")}) for number in range(1, 103)))

    desk.run_policies()

    assert [len(one.shares) for one in desk.listed()] == [100, 2]
    assert desk.violations() == {}


def test_an_invoice_and_a_page_of_them_hold_as_many_lines_as_is_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orders of 2 lines: with bounds of 5 and 9 lines two orders are an invoice, and two such invoices a page."""
    monkeypatch.setattr(consolidated, "MAX_LINES", 5)
    monkeypatch.setattr(statements, "MAX_PAGE_LINES", 9)
    left(desk, *(monthly(number, {"1": (1, "1.00"), "2": (1, "2.00")}) for number in range(1, 8)))

    desk.run_policies()
    first = desk.billing.ListInvoices(pb.ListInvoicesRequest(), CONTEXT)

    assert [len(one.shares) for one in desk.all_listed()] == [2, 2, 2, 0]
    assert [len(one.lines) for one in first.invoices] == [4, 4]
    assert desk.violations() == {}


def test_what_leaves_after_the_invoice_of_its_week_is_on_another(desk: Desk, together: pb.Invoice) -> None:
    late = order_of({"1": (2, "10.00")}, order_id="ord_4", invoicing="weekly")
    desk.leave(late, "shp_late", {"1": 2})

    desk.run_policies()

    assert [one.number for one in desk.listed()] == ["INV-000001", "INV-000002"]


@pytest.mark.parametrize(
    ("broken", "invariant"),
    [
        ("number = 'INV-000009'", "billing.shares_are_of_one_invoice"),
        ("share = 4", "billing.shares_count_from_one"),
        ("payment_method = 'card'", "billing.shares_are_on_terms"),
    ],
)
def test_the_audit_finds_a_share_that_is_wrong(desk: Desk, together: pb.Invoice, broken: str, invariant: str) -> None:
    with desk.database.transaction() as session:
        session.execute(text(f"UPDATE invoice SET {broken} WHERE order_id = 'ord_3'"))

    assert invariant in desk.violations()

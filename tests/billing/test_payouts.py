"""Orders that need no credit of ours, what channels owe for those they took the money for, and their payouts, on both databases."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from services.kernel.errors import InvalidArgument, Refused
from tests.billing.desk import CONTEXT, Desk, order_of
from tests.billing.messages import usd
from tests.threads import at_once

_IDS = itertools.count(1)


def sold(reference: str = "113-4402", *, order_id: str = "ord_1", is_tax_remitted: bool = True) -> orders_pb2.Order:
    """10 at 10.00 with 8.30 of tax, bought on Amazon."""
    order = order_of({"1": (10, "10.00")}, order_id=order_id, payment_method="settled_elsewhere", tax_rate="0.083")
    order.channel = "amazon"
    order.settlement.CopyFrom(orders_pb2.Settlement(reference=reference, is_tax_remitted=is_tax_remitted))
    return order


def paid_out(
    desk: Desk, amount: int, sales: dict[str, tuple[int, int]], *, reference: str = "P-1", fees: int = 0
) -> pb.Payout:
    lines = [pb.PayoutLine(reference=name, amount=usd(cash), fees=usd(kept)) for name, (cash, kept) in sales.items()]
    request = pb.RecordPayoutRequest(
        request_id=f"payout/{next(_IDS)}",
        channel="amazon",
        reference=reference,
        amount=usd(amount),
        fees=usd(fees),
        lines=lines,
    )
    return desk.billing.RecordPayout(request, CONTEXT).payout


def standing(desk: Desk, status: str = "") -> dict[str, tuple[int, str]]:
    """Reference → what is open, and the status."""
    request = pb.ListMarketplaceSalesRequest(status=status)
    sales = desk.billing.ListMarketplaceSales(request, CONTEXT).sales
    return {sale.reference: (sale.open.minor_units, sale.status) for sale in sales}


def test_what_a_marketplace_took_the_money_for_is_owed_by_it_and_not_by_the_buyer(desk: Desk) -> None:
    desk.limit(0)
    granted = desk.commit("ord_1", 10_830, method="settled_elsewhere").is_granted
    invoice = desk.invoice(sold(), "shp_1", {"1": 10})

    assert granted
    assert (invoice.total.minor_units, invoice.open.minor_units, invoice.status) == (10_830, 0, "paid")
    assert desk.account() == (0, 0)
    assert desk.balances() == {"marketplace_clearing": 10_000, "revenue": -10_000}
    assert desk.violations() == {}


def test_its_payout_after_fees_settles_it(desk: Desk) -> None:
    desk.invoice(sold(), "shp_1", {"1": 10})
    before = standing(desk)

    paid_out(desk, 8_375, {"113-4402": (8_375, 1_625)})

    assert (before, standing(desk)) == ({"113-4402": (10_000, "open")}, {"113-4402": (0, "settled")})
    assert standing(desk, "open") == {}
    assert desk.balances() == {"cash": 8_375, "marketplace_fees": 1_625, "marketplace_clearing": 0, "revenue": -10_000}
    assert desk.violations() == {}


@pytest.mark.on_postgres
def test_sales_are_found_by_their_references_however_these_are_written(desk: Desk) -> None:
    for number, reference in enumerate(("113-4402", "AB-1", "AB-2")):
        desk.invoice(sold(reference, order_id=f"ord_{number}"), f"shp_{number}", {"1": 10})
    paid_out(desk, 10_000, {"AB-2": (10_000, 0)})
    wanted = pb.ListMarketplaceSalesRequest(references=["ab\u20111", "AB-2", "none"], channel="amazon", limit=1)

    found = desk.billing.ListMarketplaceSales(wanted, CONTEXT)
    wanted.status = "open"
    still_open = desk.billing.ListMarketplaceSales(wanted, CONTEXT)

    assert ([sale.reference for sale in found.sales], found.next_cursor) == (["AB-1", "AB-2"], "")
    assert [sale.reference for sale in still_open.sales] == ["AB-1"]


def test_tax_of_a_till_is_ours_to_remit(desk: Desk) -> None:
    desk.invoice(sold(is_tax_remitted=False), "shp_1", {"1": 10})

    assert desk.balances() == {"marketplace_clearing": 10_830, "revenue": -10_000, "tax_payable": -830}
    assert desk.violations() == {}


def test_a_payout_may_come_before_the_goods_leave_and_in_parts(desk: Desk) -> None:
    paid_out(desk, 4_000, {"113-4402": (4_000, 500)})
    early = standing(desk)
    desk.invoice(sold(), "shp_1", {"1": 4})
    part = standing(desk)
    desk.invoice(sold(), "shp_2", {"1": 6})
    paid_out(desk, 5_300, {"113-4402": (5_500, 0)}, reference="P-2", fees=200)

    assert (early, part) == ({}, {"113-4402": (-500, "overpaid")})
    assert standing(desk) == {"113-4402": (0, "settled")}
    assert desk.balances()["marketplace_fees"] == 700
    assert desk.violations() == {}


def test_a_payout_whose_figures_do_not_add_up_or_that_comes_again_with_others_is_refused(desk: Desk) -> None:
    first = paid_out(desk, 8_375, {"113-4402": (8_375, 1_625)}, reference="p-1")
    again = paid_out(desk, 8_375, {"113-4402": (8_375, 1_625)}, reference="P-1")

    assert again == first
    with pytest.raises(Refused, match="check the statement"):
        paid_out(desk, 8_375, {"113-4402": (8_374, 0)}, reference="P-2")
    with pytest.raises(Refused, match="recorded already"):
        paid_out(desk, 9_000, {"113-4402": (9_000, 1_000)})
    with pytest.raises(InvalidArgument, match="each sale once"):
        paid_out(desk, 2, {"a": (1, 0), "A": (1, 0)}, reference="P-3")
    assert desk.balances()["cash"] == 8_375


@pytest.mark.on_postgres
def test_the_same_payout_sent_in_parallel_is_one(desk: Desk) -> None:
    at_once([partial(paid_out, desk, 8_375, {"113-4402": (8_375, 1_625)}) for _ in range(6)])

    assert desk.balances()["cash"] == 8_375
    assert desk.violations() == {}


def test_cash_on_delivery_needs_no_room_and_is_owed_once_it_is_invoiced(desk: Desk) -> None:
    desk.limit(5_000)
    granted = desk.commit("ord_1", 10_000, method="cod").is_granted
    before = desk.account()
    invoice = desk.invoice(order_of({"1": (1, "100.00")}, payment_method="cod"), "shp_1", {"1": 1})

    assert granted
    assert before == (0, 0)
    assert desk.account() == (0, 10_000)
    assert (invoice.due_on, invoice.status) == (invoice.invoiced_on, "open")
    assert not desk.commit("ord_2", 1).is_granted
    assert desk.violations() == {}


def test_a_settled_order_without_its_settlement_is_refused(desk: Desk) -> None:
    order = sold()
    order.ClearField("settlement")

    with pytest.raises(InvalidArgument, match="settlement is missing"):
        desk.invoice(order, "shp_1", {"1": 10})


@pytest.mark.on_postgres
def test_sales_are_read_page_by_page_whatever_their_references_have(desk: Desk) -> None:
    references = sorted(["113 4402", "Bestellung Ä/7", "注文-1"])
    for number, reference in enumerate(references):
        desk.invoice(sold(reference, order_id=f"ord_{number}"), f"shp_{number}", {"1": 10})
    seen, cursor = [], ""

    for _ in references:
        request = pb.ListMarketplaceSalesRequest(limit=1, cursor=cursor)
        page = desk.billing.ListMarketplaceSales(request, CONTEXT)
        seen += [sale.reference for sale in page.sales]
        cursor = page.next_cursor
        assert all("!" <= letter <= "~" for letter in cursor)

    assert (sorted(seen), cursor) == (references, "")


@pytest.mark.parametrize(
    "cursor", ["x", "amazon\x1fa\x1fUSD", "WyJhIiwiYgAiLCJVU0QiXQ==", "WzEsMiwzXQ==", "WzEsMl0=", "MQ==", "W1tb" * 900]
)
def test_a_cursor_that_no_page_gave_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(InvalidArgument, match="send back the next_cursor"):
        desk.billing.ListMarketplaceSales(pb.ListMarketplaceSalesRequest(cursor=cursor), CONTEXT)

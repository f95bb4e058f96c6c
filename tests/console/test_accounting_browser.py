"""The pages of accounting in a real browser: accessible, silent, in both themes and widths; a payment recorded and reversed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.corrections import parse_limits
from tests.billing.desk import order_of
from tests.billing.test_deposit_invoices import make as make_deposit_invoices
from tests.billing.test_deposit_invoices import with_deposit
from tests.console import chrome
from tests.console.conftest import open_database
from tests.console.money_world import MoneyWorld, billing_database, money_world, wait_for_invoices
from tests.console.test_acts import hold_id
from tests.console.test_browser import _NOT_OURS, DESKTOP, at, faults


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chrome.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def live(
    filled: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[MoneyWorld, str]]:
    """A console that is served, and its address."""
    folder = tmp_path_factory.mktemp("accounting")
    shutil.copy(filled[0], folder / "orders.db")
    orders, cash = open_database(folder / "orders.db"), billing_database(folder)
    money = money_world(orders, cash, folder / "keys", filled[1], public_url="http://127.0.0.1")
    _wait_for_a_second_person(money)
    _together(money)
    wait_for_invoices(money)
    money.cashier.draft(money.ids["bolt"])
    _deposit(money)
    with chrome.served(money.console.app) as url:
        yield money, url
    for database in (orders, cash):
        database.close()


def _together(money: MoneyWorld) -> None:
    """One invoice of two orders, a fortnight ago."""
    for units, name in enumerate(("held", "backordered"), 1):
        order = order_of({"1": (units, "100.00")}, order_id=money.ids[name], invoicing="weekly")
        order.number, order.po_number = money.numbers[name], f"PO-{units}"
        left_at = money.cashier.now - timedelta(days=14)
        money.cashier.leave(order, f"shp_together_{units}", {"1": units}, shipped_at=left_at)
    money.cashier.run_policies()


def _deposit(money: MoneyWorld) -> None:
    """A deposit, of which a part is credited."""
    with_deposit(money.cashier, order_id="ord_deposit", customer_id="cus_bolt", tax_rate="0.1")
    paid = money.cashier.pay(33_000, "WIRE-D", customer_id="cus_bolt", orders={"ord_deposit": 33_000})
    make_deposit_invoices(money.cashier)
    money.cashier.refund(paid.payment_id, 11_000, "ord_deposit")


def _of_several(money: MoneyWorld) -> tuple[str, str]:
    """The number of the invoice of two orders, and the id of one order's share."""
    one = next(found for found in money.cashier.listed() if found.shares)
    return one.number, one.shares[0].invoice_id


_CREDIT = urlencode({"line-1": "1", "reason_code": "damaged", "reason": "arrived broken"})


def _wait_for_a_second_person(money: MoneyWorld) -> None:
    """Somebody has asked for a refund and a credit note over the limit, which there is none of afterwards; one invoice is credited in part."""
    money.billing.limits = parse_limits("10.00 USD")
    request = pb.RefundPaymentRequest(
        request_id="refund/bolt", payment_id=money.payments["bolt"], reason="paid twice", asked_by="ben"
    )
    request.amount.minor_units, request.amount.currency = 4_000, "USD"
    money.billing.RefundPayment(request, cast(Any, None))
    money.cashier.credit("INV-000001", {"1": 1})
    money.cashier.billing.limits = money.billing.limits
    money.cashier.credit("INV-000002", {"1": 1}, by="ben")
    money.cashier.billing.limits = {}
    money.billing.limits = {}


def _correction(money: MoneyWorld, invoice: str = "") -> str:
    """What waits for a second person: the refund, or what waits of an invoice."""
    found = money.billing.ListPaymentCorrections(pb.ListPaymentCorrectionsRequest(state="waiting"), cast(Any, None))
    return next(str(one.correction_id) for one in found.corrections if bool(one.invoice_id) == bool(invoice))


def pages(money: MoneyWorld) -> list[tuple[str, str]]:
    """(role, path) of every kind of page."""
    new, payments = "/accounting/payments/new", "/accounting/payments"
    held, account = (f"{payments}/{money.payments[name]}" for name in ("held", "account"))
    payment = {"customer": "cus_acme", "amount": "450", "currency": "USD", "reference": "WIRE-78"}
    payment[f"order-{money.ids['held']}"] = "300"
    payout = {"channel": "amazon", "reference": "A-1", "amount": "71", "currency": "USD"}
    line = {"reference-1": "114-22", "amount-1": "71.00", "fees-1": "12.00"}
    hold = hold_id(money.console, money.numbers["held"], "accounting")
    return [
        *(
            ("accounting", f"/accounting{path}")
            for path in ("", "/waiting", "/payments", "/receivables", "/invoices", "/deposit-invoices", "/tax-rates")
        ),
        *((role, "/accounting/billable") for role in ("accounting", "auditor")),
        *(("accounting", f"/accounting/billable/{money.numbers['edi']}{units}") for units in ("", "?units-1=3")),
        ("accounting", f"/accounting/drafts/{money.cashier.drafts()[0].draft_id}"),
        ("accounting", "/accounting/corrections"),
        ("auditor", "/accounting/corrections"),
        ("accounting", f"/accounting/corrections/{_correction(money)}"),
        *(("auditor", f"/accounting/{path}") for path in ("marketplaces", "payouts", "ledger", "entries")),
        ("auditor", held),
        *(("accounting", f"{payments}/{key}") for key in money.payments.values()),
        ("accounting", new),
        ("accounting", f"{new}?customer=cus_acme"),
        ("accounting", f"{new}/preview?{urlencode(payment)}"),
        ("accounting", f"{held}/reversal"),
        ("accounting", f"{held}/reapply"),
        ("accounting", f"{held}/reapply/preview?on_account=yes&reason=for+later"),
        ("accounting", f"{account}/refund"),
        ("accounting", f"{account}/refund/preview?amount=25.00&from=&reason=paid+twice"),
        *(("accounting", f"/invoices/INV-000001{path}") for path in ("", "/credit", f"/credit/preview?{_CREDIT}")),
        ("auditor", "/invoices/INV-000002"),
        *(("accounting", f"/invoices/{key}") for key in _of_several(money)),
        ("accounting", "/invoices/INV-000002/write-off"),
        ("accounting", f"/accounting/corrections/{_correction(money, 'INV-000002')}"),
        ("accounting", "/accounting/payouts/new"),
        ("accounting", "/accounting/payouts/new?channel=amazon"),
        ("accounting", f"/accounting/payouts/new/preview?{urlencode({**payout, **line})}"),
        ("accounting", f"/accounting/payouts/new/preview?{urlencode({**payout, **line, 'amount': '70'})}"),
        ("accounting", f"/orders/{money.numbers['held']}"),
        ("accounting", f"/orders/{money.numbers['held']}/holds/{hold}"),
        ("customer", "/my"),
        ("customer", f"/my/orders/{money.numbers['held']}"),
    ]


def visits(browser: Browser, live: tuple[MoneyWorld, str]) -> Iterator[tuple[str, Page, list[str]]]:
    """Every kind of page as it opens on a desktop, and what the browser's console has said of it."""
    money, url = live
    for role, paths in groupby(sorted(pages(money), key=itemgetter(0)), itemgetter(0)):
        with at(browser, (money.console, url), role, viewport=DESKTOP) as (page, said):
            for _, path in paths:
                said.clear()
                page.set_viewport_size(DESKTOP)
                answer = page.goto(path, wait_until="load")
                assert answer is not None
                assert answer.status == 200, path
                yield path, page, said


@pytest.mark.prove
@pytest.mark.slice
def test_every_page_of_accounting_is_silent_as_wide_as_the_screen_and_accessible_in_both_themes(
    browser: Browser, live: tuple[MoneyWorld, str]
) -> None:
    wrong = []
    for path, page, said in visits(browser, live):
        fault = faults(page, said)
        if any(fault):
            wrong.append((path, *fault))

    assert wrong == [], json.dumps(wrong, indent=1)


def test_the_line_on_top_stays_one_line_for_a_long_name(browser: Browser, live: tuple[MoneyWorld, str]) -> None:
    money, url = live
    with at(browser, (money.console, url), "accounting:christopher.featherstone", viewport=DESKTOP) as (page, _said):
        page.goto("/accounting")
        below = page.evaluate(
            "[...document.querySelectorAll('.top > *')].map(part => part.getBoundingClientRect().bottom)"
        )

    assert max(below) - min(below) < 20, below


def test_accounting_works_without_script_from_a_waiting_order_to_its_payment_and_back(
    browser: Browser, live: tuple[MoneyWorld, str]
) -> None:
    money, url = live
    number = money.numbers["held"]
    with at(browser, (money.console, url), "accounting", java_script_enabled=False) as (page, said):
        page.goto(f"/orders/{number}")
        page.get_by_role("link", name="Record a payment…").click()
        page.get_by_label("Amount", exact=True).fill("1e400")
        page.get_by_label("Bank reference").fill("WIRE-99")
        page.get_by_label(f"Amount for order {number}").fill("300.00")
        page.get_by_role("button", name="Preview payment").click()
        expect(page.get_by_role("alert")).to_contain_text("Amount: must be an amount")
        page.get_by_label("Amount", exact=True).fill("300.00")
        page.get_by_role("button", name="Preview payment").click()
        expect(page.locator("main")).to_contain_text(f"Order {number} has its money")
        page.get_by_role("button", name="Record the payment").click()
        expect(page.get_by_role("status")).to_contain_text("The payment is recorded.")
        expect(page.locator("main")).to_contain_text("is held until its orders are shipped and invoiced")

        page.get_by_role("button", name="Reverse…").click()
        expect(page.locator("main")).to_contain_text(f"Order {number} is waiting for its money again")
        page.get_by_label("Reason").fill("the check bounced")
        page.get_by_role("button", name="Reverse the payment").click()
        expect(page.get_by_role("status")).to_contain_text("The payment is reversed.")
        page.goto("/accounting/waiting")
        expect(page.locator("tr", has_text=number)).to_contain_text("300.00 USD")
    assert [text for text in said if not _NOT_OURS.search(text)] == []
    assert money.cashier.violations() == {}

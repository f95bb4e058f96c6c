"""Recording, reversing, reapplying and refunding payments on their pages: preview, button, refusals, a second press."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from services.runtime.grpc_client import Unreachable
from tests.billing.desk import order_of
from tests.console.money_world import MoneyWorld, hidden_in
from tests.console.test_accounting import plain
from tests.console.test_refused_forms import ALERT
from tests.console.world import BASE

NEW = "/accounting/payments/new"


def wire(money: MoneyWorld, **more: str) -> dict[str, str]:
    """450 of Acme, 300 of it for the order that waits."""
    order = {f"order-{money.ids['held']}": "300.00"}
    typed = {"customer": "cus_acme", "amount": "450.00", "currency": "usd", "reference": "WIRE-77", **order}
    return {**typed, **more}


def preview_of(fields: dict[str, str]) -> str:
    return f"{NEW}/preview?{urlencode(fields)}"


async def test_the_form_lists_what_the_customer_may_pay(money: MoneyWorld) -> None:
    browser = money.console.browser("accounting")

    first = (await browser.get(NEW)).text
    form = plain((await browser.get(f"{NEW}?customer=Acme")).text)

    assert 'name="customer" list="customers"' in first
    assert f"Order {money.numbers['held']} prepaid before its goods leave 300.00 USD missing" in form
    assert f"Invoice INV-000001 {money.numbers['delivered']}" in form


async def test_a_payment_is_previewed_and_recorded_once_however_often_the_button_is_pressed(money: MoneyWorld) -> None:
    browser, preview = money.console.browser("accounting"), preview_of(wire(money))
    shown = plain((await browser.get(preview)).text)
    before = len(money.stored)

    page = (await browser.get(preview)).text
    hidden = dict(part.split('" value="') for part in _hidden(page))
    answers = [await browser.client.post("/accounting/payments", data=hidden) for _ in range(2)]

    # 300 is held, 100 pays the rest of the oldest invoice, 50 the next
    assert f"Held for order {money.numbers['held']} 0.00 USD 300.00 USD" in shown
    assert f"Open on invoice INV-000001 ({money.numbers['delivered']}) 100.00 USD 0.00 USD" in shown
    assert f"Order {money.numbers['held']} has its money: its hold is released automatically" in shown
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert len(money.stored) == before + 1
    assert money.cashier.money(money.ids["held"])["waiting_on"] == ""
    assert "The payment is recorded." in (await browser.get(answers[0].headers["Location"])).text


def _hidden(page: str) -> list[str]:
    form = page.partition('action="/accounting/payments"')[2].partition("</form>")[0]
    return [part.partition('">')[0] for part in form.split('<input type="hidden" name="')[1:]]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"amount": "1e400"}, "Amount: must be an amount of at least 0 as text"),
        ({"amount": "-5"}, "Amount: must be an amount"),
        ({"amount": "0.00"}, "Amount: must be more than 0"),
        ({"amount": "450.001"}, "decimal"),
        ({"currency": "EUR"}, "name a part of it in that currency"),
        ({"currency": "ZZZ"}, "ZZZ"),
        ({"currency": ""}, "Currency: must be a currency of three capital letters"),
        ({"reference": ""}, "Bank reference: must not be empty"),
        ({"part-1": "INV-999999", "part-amount-1": "5"}, "There is no invoice INV-999999"),
        ({"part-1": "SO-99999", "part-amount-1": "5"}, "order"),
        ({"part-amount-1": "5"}, "Enter the invoice or order that 5 is for"),
        ({"part-1": "INV-000001"}, "Amount for INV-000001: must be an amount"),
        ({"part-1": "INV-000001", "part-amount-1": "100.01"}, "has 100.00 USD open"),
        ({"part-1": "INV-000001", "part-amount-1": "100", "amount": "50"}, "apply at most what was paid"),
        ({"reference": "wire-1"}, "is a payment of 100.00 USD of 2026-"),
    ],
)
async def test_what_cannot_be_recorded_is_a_sentence_at_the_form_and_nothing_is_lost(
    money: MoneyWorld, wrong: dict[str, str], sentence: str
) -> None:
    fields, form = wire(money, **wrong), f"{NEW}?customer=cus_acme"
    before = len(money.stored)

    answer = await money.console.browser("accounting").get(preview_of(fields), Referer=f"{BASE}{form}")

    alert = plain(answer.text.partition(ALERT)[2].partition("</p>")[0])
    assert answer.status_code in (404, 409, 422)
    assert sentence in alert
    for name, value in fields.items():
        if value and name != "customer":
            assert f'name="{name}" value="{value}"' in answer.text, name
    assert len(money.stored) == before


async def test_a_payment_that_is_recorded_already_says_so_and_has_no_button(money: MoneyWorld) -> None:
    fields = {"customer": "cus_acme", "amount": "100.00", "currency": "USD", "reference": "wire 1"}

    page = (await money.console.browser("accounting").get(preview_of({**fields, "reference": "WIRE-1"}))).text

    assert "This payment is recorded already" in page
    assert "Record the payment</button>" not in page


async def test_a_reversal_says_what_follows_and_then_does_it(money: MoneyWorld) -> None:
    browser, page = money.console.browser("accounting"), f"/accounting/payments/{money.payments['applied']}"
    shown = plain((await browser.get(f"{page}/reversal")).text)

    done = await money.confirm(browser, f"{page}/reversal", f"{page}/reversal", reason="the check bounced")
    after = (await browser.get(done.headers["Location"])).text

    assert f"Open on invoice INV-000001 ({money.numbers['delivered']}) 100.00 USD 200.00 USD" in shown
    assert "The bank reference is free again" in shown
    assert "The payment is reversed." in after
    assert money.cashier.violations() == {}
    again = (await browser.get(f"{page}/reversal")).text
    assert ("already" in again, "Reverse the payment</button>" in again) == (True, False)


async def test_a_reversal_without_a_reason_is_refused_at_its_form(money: MoneyWorld) -> None:
    page = f"/accounting/payments/{money.payments['applied']}/reversal"

    answer = await money.confirm(money.console.browser("accounting"), page, page, reason="")

    assert (answer.status_code, f"{ALERT}Reason: must not be empty" in answer.text) == (422, True)


async def test_a_payment_is_put_to_another_use(money: MoneyWorld) -> None:
    browser, page = money.console.browser("accounting"), f"/accounting/payments/{money.payments['held']}"
    fields = {
        "customer": "Acme",
        "part-1": "inv-000001",
        "part-amount-1": "100",
        "on_account": "yes",
        "reason": "a mix-up",
    }
    preview = f"{page}/reapply/preview?{urlencode(fields)}"
    shown = plain((await browser.get(preview)).text)

    done = await money.confirm(browser, preview, f"{page}/reapply")

    assert f"Held for order {money.numbers['held']} 200.00 USD 0.00 USD" in shown
    assert f"Open on invoice INV-000001 ({money.numbers['delivered']}) 100.00 USD 0.00 USD" in shown
    assert "100.00 USD stays unapplied until somebody applies it." in shown
    assert done.status_code == 303
    assert money.cashier.money(money.ids["held"])["held"] == 0
    assert money.cashier.violations() == {}


async def test_a_payment_moves_to_another_customer(money: MoneyWorld) -> None:
    browser, page = money.console.browser("accounting"), f"/accounting/payments/{money.payments['account']}"
    preview = f"{page}/reapply/preview?{urlencode({'customer': 'Bolt', 'reason': 'was theirs'})}"
    shown = plain((await browser.get(preview)).text)

    await money.confirm(browser, preview, f"{page}/reapply")

    assert "Customer Acme Bolt" in shown
    assert "exceeds what is open and pays the customer's next invoice" in shown.replace("&#39;", "'")
    assert [one.customer_id for one in money.stored if one.reference == "WIRE-2"] == ["cus_bolt"]


async def test_a_refund_is_previewed_recorded_and_refused_beyond_what_is_there(money: MoneyWorld) -> None:
    browser, page = money.console.browser("accounting"), f"/accounting/payments/{money.payments['held']}"
    form = f"{page}/refund"
    fields = {"amount": "50.00", "from": money.ids["held"], "reason": "too much"}
    too_much = f"{form}/preview?{urlencode({**fields, 'amount': '200.01'})}"

    refused = await browser.get(too_much, Referer=f"{BASE}{form}")
    preview = f"{form}/preview?{urlencode(fields)}"
    shown = plain((await browser.get(preview)).text)
    await money.confirm(browser, preview, form)

    assert refused.status_code == 409
    assert f"{ALERT}200.00 USD of payment" in refused.text
    assert 'value="200.01"' in refused.text
    assert "Returned to the payer 0.00 USD 50.00 USD" in shown
    assert money.cashier.money(money.ids["held"])["held"] == 15_000


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ({"reference-01": "114-22", "amount-01": "71.00"}, "Enter cash or fees of at least one sale"),
        ({"reference-0": "114-22", "amount-0": "71.00"}, "Enter cash or fees of at least one sale"),
        (
            {f"{name}-{line}": "1" for line in range(1, 2002) for name in ("reference", "amount")},
            "Sales: must have at most 2000 entries",
        ),
    ],
)
async def test_lines_that_no_form_of_ours_has_are_refused_and_not_our_mistake(
    money: MoneyWorld, lines: dict[str, str], sentence: str
) -> None:
    new, browser = "/accounting/payouts/new", money.console.browser("accounting")
    fields = {"channel": "amazon", "reference": "AMZ-1", "amount": "71.00", "currency": "USD"}

    form = await browser.get(f"{new}?{urlencode({**fields, **lines})}")
    preview = await browser.get(f"{new}/preview?{urlencode({**fields, **lines})}")

    assert (form.status_code, preview.status_code) == (200, 422)
    assert sentence in preview.text


@pytest.mark.parametrize("is_page_lost", [False, True])
async def test_a_refund_whose_answer_is_lost_is_made_once_however_often_its_button_is_pressed(
    money: MoneyWorld, monkeypatch: pytest.MonkeyPatch, is_page_lost: bool
) -> None:
    browser, page = money.console.browser("accounting"), f"/accounting/payments/{money.payments['held']}"
    fields = {"amount": "50.00", "from": money.ids["held"], "reason": "too much"}
    preview = f"{page}/refund/preview?{urlencode(fields)}"
    with monkeypatch.context() as lost:
        _lose_answers(lost, money, "RefundPayment")
        if is_page_lost:
            lost.setattr(money.billing, "ListPayments", _away_after(money.billing.ListPayments, answered=2))
        first = await money.confirm(browser, preview, f"{page}/refund")
    back = re.search(r'<a href="([^"]+)">Back to the form', first.text)
    shown = (await browser.get(html.unescape(back.group(1)))).text if back else first.text

    again = await browser.client.post(f"{page}/refund", data=hidden_in(shown, f"{page}/refund"))

    assert (first.status_code, bool(back)) == (503, is_page_lost)
    assert again.status_code == 303
    assert [one.returned.minor_units for one in money.stored if one.reference == "CHECK-7"] == [5_000]


def _lose_answers(lost: pytest.MonkeyPatch, money: MoneyWorld, method: str) -> None:
    """Billing does what it is asked, and its answer does not come."""
    does = getattr(money.billing, method)

    def act(request: Any, context: Any) -> Any:
        does(request, context)
        raise Unreachable("the answer is lost")

    lost.setattr(money.billing, method, act)


def _away_after(does: Callable[[Any, Any], Any], answered: int) -> Callable[[Any, Any], Any]:
    """A call that is answered so many times and then not any more."""
    left = itertools.count(answered, -1)

    def act(request: Any, context: Any) -> Any:
        if next(left) <= 0:
            raise Unreachable("billing is away")
        return does(request, context)

    return act


async def test_a_payout_settles_the_sales_it_names_and_is_checked_before(money: MoneyWorld) -> None:
    browser, new = money.console.browser("accounting"), "/accounting/payouts/new"
    form = plain((await browser.get(f"{new}?channel=amazon")).text)
    fields = {"channel": "amazon", "reference": "AMZ-1", "amount": "71.00", "currency": "USD"}
    line = {"reference-1": "114-22", "amount-1": "71.00", "fees-1": "12.00"}
    short = f"{new}/preview?{urlencode({**fields, **line, 'amount': '70.00'})}"

    wrong = (await browser.get(short)).text
    preview = f"{new}/preview?{urlencode({**fields, **line})}"
    shown = plain((await browser.get(preview)).text)
    done = await money.confirm(browser, preview, "/accounting/payouts")
    sales = plain((await browser.get("/accounting/marketplaces?channel=amazon")).text)

    assert f"114-22 {money.numbers['shipping']} 83.00 USD" in form
    assert "the lines do not add up to it" in wrong
    assert f"114-22 {money.numbers['shipping']} 71.00 12.00 83.00 0.00" in shown
    assert done.status_code == 303
    assert "83.00 USD 71.00 12.00 – settled" in sales
    assert "AMZ-1 Amazon 71.00 USD" in plain((await browser.get(done.headers["Location"])).text)


async def test_a_payouts_preview_knows_every_sale_that_it_names(money: MoneyWorld) -> None:
    _sell_many(money, 201)
    browser, new = money.console.browser("accounting"), "/accounting/payouts/new"
    before = {"channel": "amazon", "reference": "AMZ-0", "amount": "4.00", "currency": "USD"}
    paid = f"{new}/preview?{urlencode({**before, 'reference-1': 'A-000', 'amount-1': '4.00'})}"
    await money.confirm(browser, paid, "/accounting/payouts")
    fields = {"channel": "amazon", "reference": "AMZ-1", "amount": "9.00", "currency": "USD"}
    lines = {"reference-1": "z\u20119", "amount-1": "4.00", "reference-2": "A-000", "amount-2": "4.00"}
    other = {"reference-3": "unheard-of", "amount-3": "1.00"}

    shown = plain((await browser.get(f"{new}/preview?{urlencode({**fields, **lines, **other})}")).text)
    euros = plain((await browser.get(f"{new}/preview?{urlencode({**fields, **lines, 'currency': 'EUR'})}")).text)

    number = money.numbers["shipping"]
    assert f"z-9 {number} 4.00 – 4.00 0.00" in shown
    assert f"A-000 {number} 4.00 – 0.00 -4.00" in shown
    assert "unheard-of none yet 1.00 – – –" in shown
    assert "Nothing is shipped in EUR under a reference without an order" in euros
    assert "A-000 none yet 4.00 – – –" in euros


def _sell_many(money: MoneyWorld, count: int) -> None:
    """So many sales of 4.00 at Amazon, A-000 and so on, and Z-9 behind them."""
    references = [*(f"A-{number:03}" for number in range(count)), "Z-9"]
    for reference in references:
        sold = order_of(
            {"1": (1, "4.00")}, order_id=f"{money.ids['shipping']}{reference}", payment_method="settled_elsewhere"
        )
        sold.number, sold.channel = money.numbers["shipping"], "amazon"
        sold.settlement.reference = reference
        money.cashier.invoice(sold, f"shp_{reference}", {"1": 1})


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"amount-1": "1e9"}, "Cash of 114-22: must be an amount"),
        ({"amount-1": "", "fees-1": ""}, "Enter cash or fees of at least one sale"),
        ({"reference-1": ""}, "Reference of line 1: must not be empty"),
        ({"channel": "fax"}, "Channel: must be one of amazon, ebay, pos"),
    ],
)
async def test_a_payout_that_cannot_be_read_is_a_sentence_at_the_form(
    money: MoneyWorld, wrong: dict[str, str], sentence: str
) -> None:
    fields = {"channel": "amazon", "reference": "AMZ-1", "amount": "71.00", "currency": "USD"}
    line = {"reference-1": "114-22", "amount-1": "71.00", "fees-1": "12.00"}
    preview = f"/accounting/payouts/new/preview?{urlencode({**fields, **line, **wrong})}"

    answer = await money.console.browser("accounting").get(
        preview, Referer=f"{BASE}/accounting/payouts/new?channel=amazon"
    )

    assert (answer.status_code, f"{ALERT}{sentence}" in answer.text) == (422, True)
    assert 'name="reference" value="AMZ-1"' in answer.text

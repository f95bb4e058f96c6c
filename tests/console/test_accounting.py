"""The lists of accounting: what they show, how they are narrowed, and what they say when they are empty."""

from __future__ import annotations

import re

import pytest

from tests.console.money_world import MoneyWorld
from tests.console.world import ConsoleWorld

REFERENCES = re.compile(r'<a href="/accounting/payments/pay_[^"]+"><bdi>([^<]+)<')


def plain(page: str) -> str:
    """What a person reads, without tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_orders_wait_the_longest_first_with_what_is_missing_and_a_way_to_decide(money: MoneyWorld) -> None:
    page = (await money.console.browser("accounting").get("/accounting/waiting")).text

    rows = [plain(row) for row in page.partition("<tbody>")[2].split("</tr>")]
    held, bolt = money.numbers["held"], money.numbers["bolt"]
    assert rows[0].startswith(f"{held} Acme the customer’s cash prepaid 500.00 USD 200.00 USD 300.00 USD 3 d Decide…")
    assert rows[1].startswith(f"{bolt} Bolt credit on credit 900.00 USD – – 3 d")
    assert re.search(rf'href="/orders/{held}/holds/hold_\w+">Decide…', page)
    read = (await money.console.browser("auditor").get("/accounting/waiting")).text
    assert (held in read, "Decide…" in read) == (True, False)
    theirs = (await money.console.browser("accounting").get("/accounting/waiting?customer=bolt")).text
    assert (held in theirs, bolt in theirs) == (False, True)


@pytest.mark.parametrize(
    ("query", "references"),
    [
        ("", ["BOLT-1", "CHECK-8", "WIRE-2", "CHECK-7", "WIRE-1"]),
        ("customer=cus_bolt", ["BOLT-1"]),
        ("customer=ACME&reference=wire", ["WIRE-2", "WIRE-1"]),
        ("state=held", ["CHECK-7"]),
        ("state=reversed", ["CHECK-8"]),
        ("reference=nothing", []),
    ],
)
async def test_payments_are_listed_newest_first_and_narrowed(
    money: MoneyWorld, query: str, references: list[str]
) -> None:
    page = (await money.console.browser("auditor").get(f"/accounting/payments?{query}")).text

    assert REFERENCES.findall(page) == references
    assert ("No payment matches" in page) == (not references)


async def test_pages_of_payments_join_without_gap(money: MoneyWorld) -> None:
    for number in range(60):
        money.cashier.pay(100, f"MANY-{number:02}")
    browser = money.console.browser("accounting")

    first = (await browser.get("/accounting/payments?customer=cus_acme")).text
    following = re.search(r'<p class="more"><a href="([^"]+)"', first)
    assert following
    second = (await browser.get(following.group(1).replace("&amp;", "&"))).text

    seen = [REFERENCES.findall(page) for page in (first, second)]
    assert (len(seen[0]), len(seen[1]), seen[1][-1]) == (50, 14, "WIRE-1")
    assert len({*seen[0], *seen[1]}) == 64


async def test_a_payment_says_what_it_paid_what_is_held_and_whom_it_waits_on(money: MoneyWorld) -> None:
    browser, auditor = money.console.browser("accounting"), money.console.browser("auditor")

    pages = {name: (await browser.get(f"/accounting/payments/{key}")).text for name, key in money.payments.items()}
    read = (await auditor.get(f"/accounting/payments/{money.payments['held']}")).text

    assert f"INV-000001 {money.numbers['delivered']} 100.00 USD 200.00 100.00" in plain(pages["applied"])
    assert f"{money.numbers['held']} 200.00 USD 200.00 USD" in plain(pages["held"])
    assert "Waiting on accounting: 75.00 USD is on account" in plain(pages["account"])
    assert ("Reapply…" in pages["held"], "Reapply…" in pages["bounced"], "Reapply…" in read) == (True, False, False)


async def test_receivables_are_aged_and_lead_to_the_open_invoices(money: MoneyWorld) -> None:
    browser = money.console.browser("accounting")

    aged = (await browser.get("/accounting/receivables")).text
    invoices = (await browser.get("/accounting/invoices?customer=cus_acme")).text

    # 200 was due 63 days ago, of which 100 is paid; 400 is due in 22 days; 200 is held and 75 on account
    assert "Acme 400.00 – – 100.00 500.00 USD 275.00" in plain(aged)
    assert 'href="/accounting/invoices?customer=cus_acme"' in aged
    assert re.findall(r'<th scope="row"><a [^>]+>(INV-\d+)', invoices) == ["INV-000001", "INV-000002"]
    assert "partially paid" in invoices


async def test_a_trial_balance_leads_to_its_entries(money: MoneyWorld) -> None:
    browser = money.console.browser("auditor")

    balance = plain((await browser.get("/accounting/ledger")).text)
    entries = plain((await browser.get(f"/accounting/entries?order={money.numbers['held']}")).text)

    assert "Customer deposits 0.00 200.00 -200.00 USD" in balance
    assert "Debits equal credits in USD." in balance
    assert f"Cash Customer deposits 200.00 USD {money.numbers['held']}" in entries
    assert "Revenue" not in entries.partition("Journal entries, oldest first")[2]


async def test_the_first_page_says_what_waits_for_whom(money: MoneyWorld) -> None:
    page = plain((await money.console.browser("accounting").get("/accounting")).text)

    assert f"{money.numbers['held']} Acme the customer’s cash" in page
    assert "over 60 days late 100.00" in page
    assert "WIRE-2 Acme 75.00 USD 75.00 USD accounting: apply or refund" in page
    assert "Cash that pays no invoice yet: 315.00 USD" in page


async def test_the_pages_of_a_company_that_has_booked_nothing_say_what_would_fill_them(world: ConsoleWorld) -> None:
    world.billing.receivables = []
    browser = world.browser("accounting")
    for path, sentence in (
        ("", "No order is waiting for money"),
        ("/waiting", "No order is waiting for money"),
        ("/payments", "No payment has been recorded yet"),
        ("/receivables", "Nobody owes anything"),
        ("/invoices", "No invoice matches"),
        ("/payouts", "No payout is recorded yet"),
    ):
        assert sentence in (await browser.get(f"/accounting{path}")).text, path


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("payments?customer=nobody", 404, "There is no such customer: enter its id"),
        ("payments?state=lost", 422, "use one of applied, held"),
        ("payments/pay_none", 404, "There is no such payment"),
        ("entries?order=SO-99999", 404, "order"),
        ("invoices?status=blue", 422, "use one of credited, open, paid"),
    ],
)
async def test_an_address_that_names_nothing_says_so(money: MoneyWorld, path: str, status: int, sentence: str) -> None:
    answer = await money.console.browser("accounting").get(f"/accounting/{path}")

    assert (answer.status_code, sentence in answer.text) == (status, True)


async def test_billing_that_is_away_is_a_sentence(world: ConsoleWorld) -> None:
    world.billing.is_away = True

    answer = await world.browser("accounting").get("/accounting/payments")

    assert answer.status_code == 503
    assert "did not answer in time" in answer.text

"""A correction over the limit waits for another person on its page, and is made there once."""

from __future__ import annotations

from services.billing.domain.corrections import parse_limits
from tests.console.money_world import MoneyWorld
from tests.console.test_accounting import plain

LIST = "/accounting/corrections"


async def test_a_reversal_over_the_limit_is_decided_by_another_person(money: MoneyWorld) -> None:
    money.billing.limits = parse_limits("50.00 USD")
    payment_id = money.payments["applied"]
    path = f"/accounting/payments/{payment_id}/reversal"
    ann, ben = money.console.browser("accounting", sub="ann"), money.console.browser("accounting", sub="ben")

    asked = await money.confirm(ann, path, path, reason="the check bounced")
    notice = plain((await ann.get(asked.headers["Location"])).text)
    assert "Waiting on another person in accounting: the reversal of 100.00 USD" in notice
    assert "Reverse…" not in notice
    own, others = plain((await ann.get(LIST)).text), (await ben.get(LIST)).text
    correction = others.partition('action="/accounting/corrections/')[2].partition('"')[0]
    refused = await money.confirm(ben, LIST, f"{LIST}/{correction}", decision="decline")
    before = [one.reversed_at_micros for one in money.stored if one.payment_id == payment_id]
    made = await money.confirm(ben, LIST, f"{LIST}/{correction}", decision="approve")

    assert "another one in accounting decides under Corrections" in notice
    assert "WIRE-1" in own
    assert "another person in accounting" in own
    assert "the check bounced" in plain(others)
    assert "Say why it is declined" in plain(refused.text)
    assert before == [0]
    assert made.status_code == 303
    assert [one.reversed_at_micros > 0 for one in money.stored if one.payment_id == payment_id] == [True]
    assert "No correction waits" in plain((await ben.get(LIST)).text)


async def test_nobody_decides_what_they_asked_for_whatever_they_send(money: MoneyWorld) -> None:
    money.billing.limits = parse_limits("50.00 USD")
    path = f"/accounting/payments/{money.payments['applied']}/reversal"
    ann, ben = money.console.browser("accounting", sub="ann"), money.console.browser("accounting", sub="ben")
    await money.confirm(ann, path, path, reason="the check bounced")
    page = (await ben.get(LIST)).text
    correction = page.partition('action="/accounting/corrections/')[2].partition('"')[0]

    own = await ann.client.post(
        f"{LIST}/{correction}", data={"csrf": ann.csrf, "key": "k1", "decision": "approve", "note": ""}
    )

    assert own.status_code >= 400
    assert "another person" in plain(own.text)


async def test_an_auditor_reads_what_waits_and_decides_nothing(money: MoneyWorld) -> None:
    auditor = money.console.browser("auditor")

    assert (await auditor.get(LIST)).status_code == 200
    assert (await auditor.client.post(f"{LIST}/corr_1", data={"decision": "approve"})).status_code in (400, 403)

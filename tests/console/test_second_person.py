"""A correction over the limit waits for another person on its page, and is made there once."""

from __future__ import annotations

import itertools
import re
from typing import Any, cast
from urllib.parse import urlencode

import pytest

from oms.billing.v1 import billing_pb2 as pb
from services.billing.domain.corrections import parse_limits
from tests.console.money_world import MoneyWorld, hidden_in
from tests.console.test_accounting import plain

LIST = "/accounting/corrections"


def found_in(page: str) -> str:
    """The address of the first correction in the list."""
    link = re.search(r'href="(/accounting/corrections/corr_[^"]+)"', page)
    assert link
    return link.group(1)


async def ask_for_reversal(money: MoneyWorld) -> str:
    """Ann asks for the reversal of WIRE-1, which is over the limit; the correction's id."""
    money.billing.limits = parse_limits("50.00 USD")
    path = f"/accounting/payments/{money.payments['applied']}/reversal"
    await money.confirm(money.console.browser("accounting", sub="ann"), path, path, reason="the check bounced")
    found = money.billing.ListPaymentCorrections(pb.ListPaymentCorrectionsRequest(state="waiting"), cast(Any, None))
    return str(found.corrections[0].correction_id)


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
    page = found_in(others)
    refused = await money.confirm(ben, page, page, decision="decline")
    before = [one.reversed_at_micros for one in money.stored if one.payment_id == payment_id]
    made = await money.confirm(ben, page, page, decision="approve")

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
    page = found_in((await ben.get(LIST)).text)

    shown = (await ann.get(page)).text
    own = await ann.client.post(page, data={"csrf": ann.csrf, "key": "k1", "decision": "approve", "note": ""})

    assert ("you asked for it yourself" in shown, f'action="{page}"' in shown) == (True, False)
    assert own.status_code >= 400
    assert "another person" in plain(own.text)


async def test_a_decision_that_another_site_sends_decides_nothing(money: MoneyWorld) -> None:
    page = f"{LIST}/{await ask_for_reversal(money)}"
    ann, ben = money.console.browser("accounting", sub="ann"), money.console.browser("accounting", sub="ben")
    decision = {"key": "k1", "decision": "approve"}

    sent = [
        await ben.client.post(page, data={**decision, **token})
        for token in ({}, {"csrf": ""}, {"csrf": "guessed"}, {"csrf": ann.csrf})
    ]
    reversed_at = [one.reversed_at_micros for one in money.stored if one.reference == "WIRE-1"]
    own = await ben.client.post(page, data={**decision, "csrf": ben.csrf})

    assert [answer.status_code for answer in sent] == [403] * 4
    assert all("belongs to another login" in answer.text for answer in sent)
    assert reversed_at == [0]
    assert own.status_code == 303


async def test_an_auditor_reads_what_waits_and_decides_nothing(money: MoneyWorld) -> None:
    correction_id = await ask_for_reversal(money)
    auditor, page = money.console.browser("auditor"), f"{LIST}/{correction_id}"

    listed, shown = await auditor.get(LIST), await auditor.get(page)
    sent = await auditor.client.post(page, data={"csrf": auditor.csrf, "key": "k1", "decision": "approve"})

    assert (listed.status_code, shown.status_code, sent.status_code) == (200, 200, 403)
    assert ("Decide…" in listed.text, f'action="{page}"' in shown.text) == (False, False)
    assert "Open on invoice INV-000001" in plain(shown.text)
    assert "ask an administrator who may" in plain(sent.text)
    assert [one.reversed_at_micros for one in money.stored if one.reference == "WIRE-1"] == [0]


async def test_a_reapplication_says_whose_it_would_be_and_what_it_would_pay_before_its_buttons(
    money: MoneyWorld,
) -> None:
    money.billing.limits = parse_limits("50.00 USD")
    path = f"/accounting/payments/{money.payments['applied']}/reapply"
    ann, ben = money.console.browser("accounting", sub="ann"), money.console.browser("accounting", sub="ben")
    order = {"customer": "Bolt", "part-1": money.numbers["bolt"], "part-amount-1": "100", "reason": "was theirs"}
    preview = f"{path}/preview?{urlencode(order)}"
    before = plain((await ann.get(preview)).text)
    await money.confirm(ann, preview, path)

    listed = (await ben.get(LIST)).text
    page = found_in(listed)
    shown = plain((await ben.get(page)).text)
    made = await money.confirm(ben, page, page, decision="approve")
    after = (await ben.get(page)).text

    assert "Over the limit: another person in accounting decides before it is made" in before
    assert "<button" not in listed.partition("<tbody>")[2].partition("</tbody>")[0]
    follows, _, buttons = shown.partition("Approve the reapplication")
    assert "Customer Acme Bolt" in follows
    assert f"Held for order {money.numbers['bolt']} 0.00 USD 100.00 USD" in follows
    assert f"Open on invoice INV-000001 ({money.numbers['delivered']}) 100.00 USD 200.00 USD" in follows
    assert "Decline the reapplication" in buttons
    assert made.status_code == 303
    assert ("Approved by" in after, f'action="{page}"' in after) == (True, False)


async def test_enter_in_the_note_does_not_approve(money: MoneyWorld) -> None:
    page = f"{LIST}/{await ask_for_reversal(money)}"

    shown = (await money.console.browser("accounting", sub="ben").get(page)).text

    forms = [form.partition("</form>")[0] for form in shown.split(f'action="{page}"')[1:]]
    assert [('name="note"' in form, 'value="approve"' in form) for form in forms] == [(False, True), (True, False)]


async def test_what_cannot_be_made_any_more_says_why_and_can_only_be_declined(money: MoneyWorld) -> None:
    money.billing.limits = parse_limits("20.00 USD")
    path = f"/accounting/payments/{money.payments['account']}"
    ann, ben = money.console.browser("accounting", sub="ann"), money.console.browser("accounting", sub="ben")
    refund = f"{path}/refund/preview?{urlencode({'amount': '75.00', 'from': '', 'reason': 'paid twice'})}"
    await money.confirm(ann, refund, f"{path}/refund")
    money.cashier.refund(money.payments["account"], 5_000)

    page = found_in((await ben.get(LIST)).text)
    shown = (await ben.get(page)).text
    declined = await ben.client.post(page, data={**hidden_in(shown, page), "decision": "decline", "note": "spent"})
    after = plain((await ben.get(page)).text)

    assert "It cannot be made as things are: 25.00 USD of payment" in plain(shown)
    assert "Approve the refund" not in shown
    assert declined.status_code == 303
    assert "Note spent Nothing pending: the payment stayed as it was." in after


async def test_the_payment_says_who_decided_its_latest_correction_and_why(money: MoneyWorld) -> None:
    payment = f"/accounting/payments/{money.payments['applied']}"
    ann, ben = money.console.browser("accounting", sub="ann"), money.console.browser("accounting", sub="ben")
    pages, seen = [], []
    for note in ("the bank took it back", "it has cleared since"):
        before = (await ann.get(payment)).text
        page = f"{LIST}/{await ask_for_reversal(money)}"
        await money.confirm(ben, page, page, decision="decline", note=note)
        pages.append(page)
        seen += [before, (await ann.get(payment)).text]

    assert [[page in text for page in pages] for text in seen] == [
        [False, False],
        [True, False],
        [True, False],
        [False, True],
    ]
    last = plain(seen[-1])
    assert re.search("declined the reversal of 100.00 USD .*: it has cleared since", last)
    assert "the bank took it back" not in last


async def test_the_list_asks_billing_for_all_its_payments_at_once(
    money: MoneyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    money.billing.limits = parse_limits("10.00 USD")
    for name in ("applied", "account", "bolt"):
        asked = pb.ReversePaymentRequest(
            request_id=name, payment_id=money.payments[name], reason="bounced", asked_by="ann"
        )
        money.billing.ReversePayment(asked, cast(Any, None))
    calls, list_payments = itertools.count(), money.billing.ListPayments

    def counted(request: pb.ListPaymentsRequest, context: Any) -> pb.ListPaymentsResponse:
        next(calls)
        return list_payments(request, context)

    monkeypatch.setattr(money.billing, "ListPayments", counted)

    shown = plain((await money.console.browser("accounting", sub="ben").get(LIST)).text)

    assert next(calls) == 1
    assert ("WIRE-1 Acme" in shown, "WIRE-2 Acme" in shown, "BOLT-1 Bolt" in shown) == (True, True, True)

"""A4: two tiers, a delegate, a substitution that the customer must agree to, a late approval, an escalation, one e-mail 2."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests import history_reader
from tests.system.deal import Deal, acceptances, strike
from tests.system.harness import System
from tests.system.trade import Trade, ok


@pytest.fixture(scope="module")
def system(moving: System) -> System:
    return moving


@pytest.fixture
def deal(trade: Trade) -> Deal:
    return strike(trade)


def substitute(deal: Deal) -> dict[str, Any]:
    """Sales replaces G by H at 372.50."""
    body = {
        "version": 1,
        "reason": "G is sold out at the maker",
        "lines": [{"line_id": "2", "sku": deal.skus["H"], "unit_price": "372.50"}],
    }
    change: dict[str, Any] = ok(deal.room.post("rep", f"/v1/orders/{deal.order_id}/changes", body))
    return change


def answer(deal: Deal, change_id: str, word: str) -> httpx.Response:
    buyer = deal.trade.system.api("customer", deal.customer_id)
    return buyer.post(f"/v1/orders/{deal.order_id}/changes/{change_id}/consent", json={"answer": word})


@pytest.mark.on_postgres
def test_a4_a_review_with_delegate_substitution_consent_and_escalation_ends_in_one_acceptance(deal: Deal) -> None:
    system, trade = deal.trade.system, deal.trade

    # v1 is 26,400: a manager, then the finance director
    placed = deal.order()
    assert (placed["version"], placed["status"], placed["totals"]["total"]["amount"]) == (1, "in_review", "26400.00")
    assert deal.stock("G") == (40, 0)

    # the rep's own approval is refused; the manager is away and the delegate approves
    own = deal.decide("rep", version=1)
    assert (own.status_code, own.json()["code"]) == (403, "OWN_ORDER")
    deal.room.delegate("manager", "delegate")
    ok(deal.decide("delegate", version=1))
    director_step = deal.room.open_step(deal.order_id)
    assert director_step["position"] == "finance_director"

    # the substitution voids it; self-service shows what is proposed beside what is
    change = substitute(deal)
    assert (change["to_version"], change["is_material"], change["needs_consent"]) == (2, True, True)
    assert change["totals_after"]["total"]["amount"] == "24900.00"
    assert deal.until("awaiting_customer")["waiting_for"]["who"] == "customer"
    seen = ok(system.api("customer", deal.customer_id).get(f"/v1/orders/{deal.order_id}"))
    assert seen["change"]["change_id"] == change["change_id"]
    assert [row["kind"] for row in seen["change"]["difference"]][:1] == ["substituted"]
    late = deal.decide("director", version=1, step_id=director_step["step_id"])
    assert late.status_code == 409

    # the customer accepts: v2 at 24,900 asks the manager alone
    ok(answer(deal, change["change_id"], "accept"))
    second = deal.until("in_review")
    assert (second["version"], second["totals"]["total"]["amount"]) == (2, "24900.00")
    assert {step["position"] for step in deal.room.steps(deal.order_id) if step["state"] in ("open", "waiting")} == {
        "manager"
    }
    assert deal.decide("director", version=1, step_id=director_step["step_id"]).status_code == 409

    # nobody acts for 24 hours: it escalates to the manager's manager, who approves
    assert deal.escalate()["escalated_to"] == [deal.room.sub("director")]
    ok(deal.decide("director", version=2))

    accepted = deal.until("in_fulfilment")
    assert accepted["version"] == 2
    assert (deal.stock("H"), deal.stock("G")) == ((40, 40), (40, 0))

    whats = [event["what"] for event in deal.history()]
    assert whats.count("review_escalated") == 1
    assert whats.count("decision_refused") >= 2
    delegated = [event for event in deal.history() if event["after"].get("acting_for")]
    assert [event["after"]["acting_for"] for event in delegated] == [deal.room.sub("manager")]
    versions = ok(system.api("auditor").get(f"/v1/orders/{deal.order_id}/versions"))["rows"]
    assert [row["version"] for row in versions] == [1, 2]
    voided = [step for step in deal.room.steps(deal.order_id) for one in step["decisions"] if one["is_void"]]
    assert len(voided) == 1
    assert acceptances(deal) == 1
    trade.until_audit_is_clean()
    read_alone(deal)


def read_alone(deal: Deal) -> None:
    """The workflow's history alone says who decided what, what each timer was for, and where the units come from."""
    system = deal.trade.system
    history = system.on_loop(system.workflow(deal.order_id).fetch_history())

    company = deal.order()["customer_name"]
    assert [(one.who, one.what) for one in history_reader.decisions(history)] == [
        ("Delegate for Manager", "approved: manager approval (tier 1)"),
        ("Rep", "proposed a change"),
        (company, "accepted the proposed change"),
        ("Director", "approved: manager approval (tier 1)"),
    ]
    assert {timer.replace(deal.number, "it") for timer in history_reader.timers(history)} == {
        "Reminder: manager approval of it",
        "Reminder: finance director approval of it",
        "Consent deadline: answer to the change of it",
        "No wait: save that it is to change",
        "Escalation: manager approval of it",
        "Review deadline: manager approval of it",
    }
    (reserved,) = history_reader.answers(history, "inventory.ReserveStock")
    assert len(reserved["sources"]) == 1
    assert reserved["sources"][0].startswith("50 units from ")
    assert reserved["missing"] == []


def test_a4_a_consent_that_expires_brings_the_order_back_to_review(deal: Deal) -> None:
    deal.room.delegate("manager", "delegate")
    ok(deal.decide("delegate", version=1))
    change = substitute(deal)
    deal.until("awaiting_customer")

    deal.trade.system.skip(deal.order_id, timedelta(hours=48, seconds=30))

    back = deal.until("in_review")
    assert (back["version"], back["change"]) == (1, None)
    assert answer(deal, change["change_id"], "accept").status_code == 409
    assert deal.stock("H") == (40, 0)
    assert not [subject for subject in deal.trade.mails(deal.number) if "accepted" in subject.lower()]
    deal.trade.until_audit_is_clean()

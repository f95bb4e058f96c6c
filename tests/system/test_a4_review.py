"""A4: two tiers, a delegate, a substitution that the customer must agree to, a late approval, an escalation, one e-mail 2."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.system.boardroom import Boardroom
from tests.system.trade import Trade, ok, wait_for


@dataclass(frozen=True, slots=True)
class Deal:
    """The order of A4 as it was placed: 10 F at 1,000 and 40 G at 410."""

    trade: Trade
    room: Boardroom
    customer_id: str
    order_id: str
    number: str
    skus: dict[str, str]

    def order(self) -> dict[str, Any]:
        return self.trade.order(self.order_id)

    def decide(self, who: str, decision: str = "approve", *, version: int, step_id: str = "") -> httpx.Response:
        return self.room.decide(who, self.order_id, decision, version=version, step_id=step_id)

    def until(self, status: str) -> dict[str, Any]:
        return self.trade.until(self.order_id, lambda order: order["status"] == status, status)

    def stock(self, what: str) -> tuple[int, int]:
        """On hand and allocated over all warehouses."""
        rows = self.trade.stock(self.skus[what]).values()
        return sum(row[0] for row in rows), sum(row[1] for row in rows)

    def history(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = ok(self.trade.system.api("auditor").get(f"/v1/orders/{self.order_id}/history"))[
            "rows"
        ]
        return rows


@pytest.fixture
def deal(trade: Trade) -> Deal:
    room = Boardroom(trade)
    room.hire("rep", roles=["sales_rep", "approver"], positions=["manager"], limit="50000.00")
    room.hire("director", roles=["approver"], positions=["finance_director"], limit="100000.00")
    room.hire("manager", roles=["approver"], positions=["manager"], limit="25000.00", manager="director")
    room.hire("delegate", roles=["approver"], positions=[], limit="0.00")
    customer_id = trade.customer(sales_rep=room.sub("rep"))
    skus = {
        "F": trade.product("f", "1000.00", cost="700.00"),
        "G": trade.product("g", "410.00", cost="300.00"),
        "H": trade.product("h", "372.50", cost="300.00"),
    }
    warehouse = trade.warehouses({"w1": 900})["w1"]
    for sku, quantity in ((skus["F"], 10), (skus["G"], 40), (skus["H"], 40)):
        trade.receive(warehouse, sku, quantity, "100.00")
    room.policy()
    lines = [{"sku": skus["F"], "quantity": 10}, {"sku": skus["G"], "quantity": 40}]
    placed = ok(room.place("rep", trade.order_body(customer_id, lines)))
    return Deal(trade, room, customer_id, placed["order_id"], placed["number"], skus)


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
    system.skip(deal.order_id, timedelta(hours=24, seconds=30))
    wait_for(lambda: True if deal.room.open_step(deal.order_id)["escalated_to"] else None, "the escalation")
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
    trade.until_audit_is_clean()
    wait_for(lambda: acceptances(deal) or None, "e-mail 2")
    assert acceptances(deal) == 1


def acceptances(deal: Deal) -> int:
    """How many e-mails 2 the buyer got."""
    told = [subject for to, subject in deal.trade.letters(deal.number) if "buyer-" in to]
    return sum("accepted" in subject.lower() for subject in told)


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

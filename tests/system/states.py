"""Orders in every state of their life, and how each of them is lived to its end: for tests that disturb some and compare."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import text

from services.orders.policies import engine
from tests.system.boardroom import OVER_5000, Boardroom
from tests.system.pending import pending
from tests.system.trade import Trade, eventually, key, ok

PRICE = "100.00"
SCARCE = 5
"""Units of what is scarce that one order of each state comes to want in all."""
ACKNOWLEDGED = {"answer": "acknowledge", "reason": ""}


@dataclass
class Company:
    """One wholesaler's master data, so that an order is in a certain state by what it asks for."""

    trade: Trade
    room: Boardroom = field(init=False)
    warehouse: str = field(init=False)
    skus: dict[str, str] = field(init=False)
    serial: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        trade = self.trade
        self.room = Boardroom(trade)
        self.room.hire("manager", roles=["approver"], positions=["manager"], limit="1000000.00")
        self.room.policy(OVER_5000, rules=[asdict(rule) for rule in engine.built_in().rules])
        self.warehouse = trade.warehouses({"w1": 900})["w1"]
        self.skus = {what: trade.product(what, PRICE, cost="60.00") for what in ("plenty", "scarce", "other")}
        for what in ("plenty", "other"):
            trade.receive(self.warehouse, self.skus[what], 100_000, "60.00")

    def customer(self, what: str, **terms: Any) -> str:
        """A customer of its own for each order: what it has ordered before is nothing that orders differ by."""
        name = f"cus-{what}-{next(self.serial)}-{self.trade.tag}"
        self.trade.customer(customer_id=name, **terms)
        return name

    def place(self, what: str, *lines: tuple[str, int], **terms: Any) -> str:
        """An order of so many units of these SKUs, as the customer of a kind; its id."""
        body = self.trade.order_body(
            self.customer(what, **terms), [{"sku": self.skus[sku], "quantity": count} for sku, count in lines]
        )
        return str(ok(self.trade.place(body))["order_id"])

    def move(self, order_id: str, *verbs: str) -> None:
        """Take the order's shipments these steps through the warehouse."""
        for shipment in self.trade.shipments(order_id):
            for verb in verbs:
                path = f"/v1/shipments/{shipment['shipment_id']}/{verb}"
                ok(self.trade.system.api("warehouse").post(path, headers=key()))

    def change(self, order_id: str, role: str, *lines: dict[str, Any]) -> dict[str, Any]:
        """Propose a change of these lines."""
        customer = self.trade.order(order_id)["customer_id"]
        api = self.trade.system.api(role, customer if role == "customer" else None)
        body = {"reason": "as agreed", "lines": list(lines)}
        made: dict[str, Any] = ok(api.post(f"/v1/orders/{order_id}/changes", json=body, headers=key()))
        return made

    def substitute(self, order_id: str) -> None:
        """Support offers other goods: the customer must agree."""
        self.change(order_id, "support", {"line_id": "1", "sku": self.skus["other"]})

    def fewer(self, order_id: str) -> None:
        """The customer wants less."""
        self.change(order_id, "customer", {"line_id": "1", "quantity": 2})

    def cancel(self, order_id: str) -> None:
        """Support asks for the whole order to be cancelled."""
        path = f"/v1/orders/{order_id}/cancellation"
        ok(self.trade.system.api("support").post(path, json={"reason": "no need"}, headers=key()))

    def deliver(self, order_id: str) -> None:
        """The carrier brings what has left."""
        for shipment in self.trade.shipments(order_id, "shipped"):
            self.trade.deliver(shipment)

    def pay(self, order_id: str) -> None:
        """The customer pays what is open of the order."""
        order = self.trade.order(order_id)
        for invoice in order["invoices"]:
            if invoice["status"] != "paid":
                amount = invoice["total"]["amount"]
                self.trade.pay(order["customer_id"], amount, [(invoice["invoice_id"], amount)])

    def idle(self, *order_ids: str) -> None:
        """Wait until nothing goes on by itself. A workflow that is about to settle a change rests a moment, which is no rest."""

        def claim() -> None:
            left = pending(self.trade.system, *order_ids) or self._agreed()
            assert not left, f"still under way: {left}"

        eventually(claim)

    def _agreed(self) -> list[str]:
        with self.trade.system.processes["orders"].database.reading() as session:
            return list(session.scalars(text("SELECT change_id FROM change_order WHERE state = 'agreed'")))


Act = Callable[[Company, str], None]


@dataclass(frozen=True)
class State:
    """How an order comes there: placed with these lines, then acts while its workflow works, and acts while it does not listen."""

    name: str
    lines: tuple[tuple[str, int], ...] = (("plenty", 5),)
    terms: dict[str, Any] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()
    unheard: tuple[Act, ...] = ()


def approve(company: Company, order_id: str) -> None:
    """The manager approves."""
    ok(company.room.decide("manager", order_id, "approve", version=1))


def reject(company: Company, order_id: str) -> None:
    """The manager refuses."""
    ok(company.room.decide("manager", order_id, "reject", version=1))


def _ship(company: Company, order_id: str) -> None:
    company.move(order_id, "pick", "pack", "ship")


STATES = (
    State("held", terms={"credit_limit": "10.00"}),
    State("review", lines=(("plenty", 60),)),
    State("consent", acts=(Company.substitute,)),
    State("backordered", lines=(("scarce", 3), ("plenty", 2))),
    State("released"),
    State("picked", acts=(lambda company, order_id: company.move(order_id, "pick"),)),
    State("shipped", acts=(_ship,)),
    State("shipped_unheard", unheard=(_ship,)),
    State("delivered", acts=(_ship, Company.deliver)),
    State(
        "paid_unheard",
        acts=(_ship, Company.deliver),
        unheard=(Company.pay,),
    ),
    State("cancelling", unheard=(Company.cancel,)),
    State("recalled", acts=(Company.fewer,)),
    State("changing", lines=(("scarce", 5),), unheard=(Company.fewer,)),
    State("approved_unheard", lines=(("plenty", 60),), unheard=(approve,)),
    State("rejected_unheard", lines=(("plenty", 60),), unheard=(reject,)),
)


def begin(company: Company, count: int) -> dict[str, list[str]]:
    """State → ids of so many orders in it, as far as their workflow hears of it."""
    orders = {
        state.name: [company.place(state.name, *state.lines, **state.terms) for _ in range(count)] for state in STATES
    }
    every = [order_id for order_ids in orders.values() for order_id in order_ids]
    company.idle(*every)
    for turn in range(max(len(state.acts) for state in STATES)):
        for state in STATES:
            for act in state.acts[turn : turn + 1]:
                for order_id in orders[state.name]:
                    act(company, order_id)
        company.idle(*every)
    return orders


def go_on_unheard(company: Company, orders: dict[str, list[str]]) -> None:
    """What happens to orders in their states while their workflow may not listen."""
    for state in STATES:
        for act in state.unheard:
            for order_id in orders[state.name]:
                act(company, order_id)


def decide(company: Company, order_id: str) -> None:
    """Whatever the order waits for of people is answered."""
    order, trade = company.trade.order(order_id), company.trade
    for hold in order["holds"]:
        if hold["released_at"] is None:
            path = f"/v1/orders/{order_id}/holds/{hold['hold_id']}/release"
            ok(trade.system.api(hold["owner_role"]).post(path, json={"note": "checked"}, headers=key()))
    if any(step["state"] == "open" for step in company.room.steps(order_id)):
        ok(company.room.decide("manager", order_id, "approve", version=order["version"]))
    change = order["change"]
    if change and change["state"] == "awaiting_customer":
        buyer = trade.system.api("customer", order["customer_id"])
        ok(buyer.post(f"/v1/orders/{order_id}/changes/{change['change_id']}/consent", json={"answer": "accept"}))


def answer_recall(company: Company, order_id: str) -> None:
    """What the warehouses were asked back, they give."""
    trade = company.trade
    for recall in ok(trade.system.api("warehouse").get("/v1/recalls", params={"order_id": order_id}))["rows"]:
        path = f"/v1/recalls/{recall['recall_id']}/answer"
        ok(trade.system.api("warehouse").post(path, json=ACKNOWLEDGED, headers=key()))


def send_off(company: Company, order_id: str) -> None:
    """What is with the warehouse leaves and arrives."""
    verbs = {"released": ("pick", "pack", "ship"), "picked": ("pack", "ship"), "packed": ("ship",)}
    for shipment in company.trade.shipments(order_id):
        for verb in verbs.get(shipment["state"], ()):
            path = f"/v1/shipments/{shipment['shipment_id']}/{verb}"
            ok(company.trade.system.api("warehouse").post(path, headers=key()))
    company.deliver(order_id)


def live_to_the_end(company: Company, order_ids: list[str], scarce: int) -> None:
    """People, goods and money do what is still to be done; `scarce` units come of what was missing."""
    for answer in (decide, answer_recall):
        for order_id in order_ids:
            answer(company, order_id)
        company.idle(*order_ids)
    if scarce:
        company.trade.receive(company.warehouse, company.skus["scarce"], scarce, "60.00")
        company.idle(*order_ids)
    for act in (send_off, Company.pay):
        for order_id in order_ids:
            act(company, order_id)
        company.idle(*order_ids)


def end_of(company: Company, order_id: str) -> dict[str, Any]:
    """How an order ended: what must be the same for two that were lived alike."""
    order = company.trade.order(order_id)
    said = (re.sub(r"INV-\d+", "INV", subject) for subject in company.trade.mails(order["number"]))
    mails = Counter(subject.replace(order["number"], "SO") for subject in said)
    days = {one["promised_on"] for one in order["shipments"]}
    return {
        "stand": (order["status"], order["phase"], order["version"], order["axes"], order["totals"]),
        "lines": [(line["sku"], line["quantities"]) for line in order["lines"]],
        "promises": [
            sorted((promise["quantity"], promise["promised_on"] in days) for promise in line["promises"])
            for line in order["lines"]
        ],
        "shipments": [(one["state"], [line["quantity"] for line in one["lines"]]) for one in order["shipments"]],
        "invoices": [(one["status"], one["total"]) for one in order["invoices"]],
        "cancellations": [one["state"] for one in order["cancellations"]],
        "mails": mails,
    }

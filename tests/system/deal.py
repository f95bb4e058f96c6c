"""The order of scenario A4 and the people around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from tests.system.boardroom import Boardroom
from tests.system.trade import Trade, ok


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
        """The order once it has this status, and all that follows from it has happened."""
        self.trade.until(self.order_id, lambda order: order["status"] == status, status)
        return self.trade.when_idle(self.order_id)

    def escalate(self) -> dict[str, Any]:
        """Nobody acts for 24 hours; the open step afterwards."""
        self.trade.system.skip(self.order_id, timedelta(hours=24, seconds=30))
        self.trade.when_idle(self.order_id)
        return self.room.open_step(self.order_id)

    def stock(self, what: str) -> tuple[int, int]:
        """On hand and allocated over all warehouses."""
        rows = self.trade.stock(self.skus[what]).values()
        return sum(row[0] for row in rows), sum(row[1] for row in rows)

    def history(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = ok(self.trade.system.api("auditor").get(f"/v1/orders/{self.order_id}/history"))[
            "rows"
        ]
        return rows


def strike(trade: Trade) -> Deal:
    """The people of A4, its policy and stock, and the order as the rep enters it."""
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
    placed = trade.when_idle(ok(room.place("rep", trade.order_body(customer_id, lines)))["order_id"])
    return Deal(trade, room, customer_id, placed["order_id"], placed["number"], skus)


def acceptances(deal: Deal) -> int:
    """How many e-mails 2 the buyer has; all of them once the order is idle."""
    notified = [subject for to, subject in deal.trade.addressed_mails(deal.number) if "buyer-" in to]
    return sum("accepted" in subject.lower() for subject in notified)

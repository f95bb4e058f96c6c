"""One order, driven by a seed: people, machines, time and crashes act on it, and after each the system is what the model says."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import httpx
import pytest
from temporalio.client import WorkflowHandle

from tests.system.trade import eventually, key, ok
from tests.whole.ground import Ground
from tests.whole.model import Line, Model
from workflows.names import order_workflow_id, return_workflow_id

PRICES = {"1": ("40.00", 4000, 4320), "2": ("12.50", 1250, 1350)}
"""Line → price, and what a unit costs without and with 8 % tax, in cents."""
CHECK_S = 15.0
ENDED = ("closed", "cancelled", "rejected", "expired")
Options = list[tuple[int, str, Callable[[], None]]]
Row = dict[str, Any]


class Refusal(Exception):
    """The system refuses what was asked."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
        self.code = answer.json().get("code", "")


class Walk:
    """The state of a walk: the chance, the order as it was last read, the model, and what was done."""

    def __init__(self, ground: Ground, seed: int, methods: Sequence[str]) -> None:
        self.ground, self.trade = ground, ground.trade
        self.chance = random.Random(seed)
        self.done: list[str] = []
        self.method = self.chance.choice(methods)
        self.customer = self.trade.customer(f"cus-{seed}-{key()['Idempotency-Key'][:6]}", tax_rate="0.08")
        tag = self.customer.removeprefix("cus-")
        skus = {
            line_id: self.trade.product(f"s{line_id}-{tag}", row[0], cost="5.00") for line_id, row in PRICES.items()
        }
        self.model = Model(
            {line_id: Line(skus[line_id], net, gross, 0) for line_id, (_, net, gross) in PRICES.items()},
            by_card=self.method == "card",
        )
        self.order_id = self.number = ""
        self.order: Row = {}
        self.shipments: list[Row] = []
        self.returns: list[Row] = []
        self.asked_back: list[str] = []
        self.replacements: list[Row] = []
        """Orders that replace what came back."""
        self.overdue: set[str] = set()
        self.refunds: dict[str, Row] = {}
        self.is_refused = False
        """Whether somebody has just rejected the order, or the change of it."""
        self.asked_to_cancel: dict[str, int] = {}
        self.asked_to_change: tuple[str, int] = ("", 0)

    # Asking.

    def post(self, role: str, path: str, body: Any = None) -> Row:
        """Ask for something as a role; one in five is sent twice, and both answers are the same. Raises Refusal."""
        company = self.customer if role in ("customer", "channel") else None
        client, headers = self.trade.system.api(role, company if role == "customer" else None), key()
        answer = self.ground.answer(client, path, body, headers)
        if not answer.is_success:
            raise Refusal(answer)
        if self.chance.random() < 0.2:
            again = self.ground.answer(client, path, body, headers)
            assert (again.status_code, again.json()) == (answer.status_code, answer.json()), f"{path} sent twice"
        found: Row = answer.json()
        return found

    def refused(self, code: str, role: str, path: str, body: Any) -> None:
        """Ask for what must be refused with this code."""
        with pytest.raises(Refusal) as refusal:
            self.post(role, path, body)
        assert refusal.value.code == code, refusal.value

    def get(self, role: str, path: str, **query: str) -> Any:
        """Read something."""
        return ok(self.trade.system.api(role).get(path, params=query))

    # Looking.

    def handles(self) -> list[WorkflowHandle[Any, Any]]:
        """The workflows of the order, of its returns, and of what replaces goods of them."""
        numbers = [self.number, *(one["number"] for one in self.replacements)]
        ids = [*map(order_workflow_id, numbers), *map(return_workflow_id, self.asked_back)]
        return [self.trade.system.temporal.get_workflow_handle(one) for one in ids]

    def settle(self) -> None:
        """Wait until nothing is under way, and read how things stand."""
        known = -1
        while known < len(self.replacements):
            known = len(self.replacements)
            self.ground.until_quiet(self.handles())
            self.read()

    def read(self) -> None:
        """Read how things stand."""
        self.order = self.trade.order(self.order_id)
        self.shipments = self.trade.shipments(self.order_id)
        self.returns = [self.get("auditor", f"/v1/returns/{number}") for number in self.asked_back]
        self.replacements = [self.trade.order(one["order_id"]) for rma in self.returns for one in rma["replacements"]]

    def is_asked(self) -> bool:
        """Whether a change or a cancellation waits for somebody's word."""
        return bool(self.order["change"]) or any(one["state"] == "requested" for one in self.order["cancellations"])

    def has_ended(self) -> bool:
        """Whether nothing more leaves of the order."""
        return self.order["phase"] in ENDED

    def has_come_to_rest(self) -> bool:
        """Whether nothing more is to happen to the order, to its returns, and to what replaces goods of them."""
        are_back = all(one["ended_at"] for one in self.returns)
        return self.has_ended() and are_back and all(one["phase"] in ENDED for one in self.replacements)

    def is_over(self) -> bool:
        """Whether nothing of the order has left and nothing will."""
        return self.has_ended() and not any(line.shipped for line in self.model.lines.values())

    def due(self) -> int:
        """What of the order is not paid yet, in cents: for one that is paid before it ships."""
        return cents(self.order["totals"]["total"]) - self.model.paid + self.model.refunded

    def line(self, line_id: str) -> dict[str, int]:
        """The quantities of a line, as the system says."""
        (found,) = [line for line in self.order["lines"] if line["line_id"] == line_id]
        quantities: dict[str, int] = found["quantities"]
        return quantities

    def backordered(self, line_id: str) -> int:
        """Units of a line, and of what replaces units of it, for which there are no goods."""
        sku = self.model.lines[line_id].sku
        lines = [line for order in (self.order, *self.replacements) for line in order["lines"] if line["sku"] == sku]
        return sum(int(line["quantities"]["backordered"]) for line in lines)

    def take_answers(self) -> None:
        """Take into the model what people's answers made of a cancellation or a change that was asked for."""
        if self.is_asked():
            return
        if self.is_refused and self.order["phase"] == "rejected":
            for line in self.model.lines.values():
                line.cancelled += line.open
        self.is_refused = False
        for line_id, units in self.asked_to_cancel.items():
            line, said = self.model.lines[line_id], self.line(line_id)
            gone = said["cancelled"] + said["closed"] - line.cancelled
            assert 0 <= gone <= units, f"{gone} of line {line_id} are gone, of {units}"
            line.cancelled += gone
        self.model.give_up()
        line_id, ordered = self.asked_to_change
        if line_id:
            said = self.line(line_id)
            assert said["ordered"] in (ordered, self.model.lines[line_id].ordered), said
            self.model.lines[line_id].ordered = said["ordered"]
        self.asked_to_cancel, self.asked_to_change = {}, ("", 0)

    # Checking.

    def check(self) -> None:
        """The system is what the model says, and no invariant is broken; a moment after it is quiet at the latest."""
        try:
            self._agrees()
        except AssertionError:
            eventually(self._read_again, CHECK_S)

    def _read_again(self) -> None:
        self.read()
        self._agrees()

    def _agrees(self) -> None:
        wrong = self.wrong()
        assert not wrong, f"{self.order['phase']}, {self.order['status']}: what is said and what must be: {wrong}"
        broken = self.ground.broken()
        assert not broken, f"the audit is not clean: {broken}"

    def wrong(self) -> Row:
        """What the system says otherwise than the model, and what it must be."""
        said, wanted = self._said(), self._wanted()
        return {what: (said[what], wanted[what]) for what in wanted if said[what] != wanted[what]}

    def _said(self) -> Row:
        invoices = self.get("accounting", "/v1/invoices", order_id=self.order_id)["rows"]
        credit = self.get("auditor", f"/v1/customers/{self.customer}")["credit"]
        found: Row = {
            "billed": sum(cents(one["total"]) - cents(one["credited"]) for one in invoices),
            "receivable": cents(credit["receivable"]),
            "committed": cents(credit["committed"]),
        }
        for line_id, line in self.model.lines.items():
            said = self.line(line_id)
            gone = said["cancelled"] + said["closed"]
            stock = self.trade.stock(line.sku).values()
            found |= {
                f"line {line_id}": (said["ordered"], gone, said["shipped"], said["delivered"], said["returned"]),
                f"on hand {line_id}": sum(on_hand for on_hand, _ in stock),
                f"allocated {line_id}": sum(allocated for _, allocated in stock),
            }
        return found

    def _wanted(self) -> Row:
        model = self.model
        is_free = not self.is_asked() and all(hold["released_at"] for hold in self.order["holds"])
        is_held = self.order["phase"] == "accepted" and is_free
        wanted: Row = {"billed": model.billed, "receivable": model.receivable}
        if is_held or self.has_ended():
            wanted["committed"] = model.committed
        for line_id, line in model.lines.items():
            wanted |= {
                f"line {line_id}": (line.ordered, line.cancelled, line.shipped, line.delivered, line.returned),
                f"on hand {line_id}": model.on_hand(line.sku),
            }
            if is_held or self.has_ended():
                wanted[f"allocated {line_id}"] = model.allocated(line.sku)
        return wanted


def cents(money: Row) -> int:
    """An amount in cents."""
    return int(Decimal(money["amount"]) * 100)

"""What goes the other way: units are canceled while a warehouse has them, goods come back, and are credited or exchanged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from cli.output import text
from samples.documents import Body, Day
from samples.door import Door, Person, Refusal, Row, Unanswered
from samples.narration import Board

Found = TypeVar("Found")

_PATIENCE_S = 20.0
_PAUSE_S = 0.1
_EXPECTED_SOON = ("RETURN_UNKNOWN", "RETURN_STATE")
"""What a warehouse says of a return that it will hear of in a moment."""


class Reverse:
    """The day's people when something goes back; `placed` is key → order id, `mark` makes the keys of this day its own."""

    def __init__(self, door: Door, day: Day, board: Board, mark: str, placed: Mapping[str, str]) -> None:
        self._door = door
        self._day = day
        self._board = board
        self._mark = mark
        self._placed = placed

    def cancel_part(self) -> None:
        """Support cancels units that are with a warehouse, which is asked for them and gives them back."""
        wanted = self._day.cancels
        order_id = self._placed[wanted["key"]]
        self._until(lambda: self._order(order_id)["status"] == "in_fulfilment" or None, "a release")
        body = {
            "reason": wanted["reason"],
            "lines": [{"line_id": wanted["line_id"], "quantity": wanted["quantity"]}],
        }
        path = f"/v1/orders/{order_id}/cancellation"
        done = self._as("support").post(path, body, key=self._key("cancel", order_id)).document
        units = f"{wanted['quantity']} units of line {wanted['line_id']}"
        number, freed = self._order(order_id)["number"], text(done["consequences"]["total"])
        self._board.say(f"[yellow]{number}[/] support cancels {units}, {freed} less: {wanted['reason']}")
        recall = self._until(lambda: self._recall(order_id), "a recall")
        answer = f"/v1/recalls/{recall['recall_id']}/answer"
        self._as("warehouse").post(
            answer, {"answer": "acknowledge", "reason": ""}, key=self._key("recall", recall["recall_id"])
        )
        self._board.say(f"[yellow]{number}[/] the warehouse gives them back, and the rest goes on")

    def take_back(self, work: Callable[[Mapping[str, Row]], int]) -> None:
        """Customers send goods back: counted, inspected, and credited or exchanged; `work` is a round of everybody on some orders."""
        for wanted in self._day.returns:
            rma = self._take_back(wanted)
            if wanted["replace"]:
                self._replace(rma, work)
            else:
                self._give_back(rma)

    def _take_back(self, wanted: Body) -> str:
        order_id = self._placed[wanted["key"]]
        order = self._order(order_id)
        line = {"line_id": wanted["line_id"], "quantity": wanted["quantity"]}
        instead: Body = {"replace": {}} if wanted["replace"] else {}
        asked = {
            "order": order_id,
            "lines": [{**line, **instead, "reason": wanted["reason"]}],
            "reason": wanted["words"],
        }
        customer = self._door.person("customer", wanted["sub"], order["customer_id"])
        rma = customer.post("/v1/returns", asked, key=self._key("return", order_id)).document["number"]
        self._board.say(
            f"[magenta]{rma}[/] the customer returns {wanted['quantity']} of {order['number']}: {wanted['words']}"
        )
        counted = {"warehouse_id": wanted["warehouse_id"], "lines": [line]}
        self._until(lambda: self._count(rma, counted), "the announcement of a return")
        units = [{**line, **wanted["found"]}]
        body = {"warehouse_id": wanted["warehouse_id"], "units": units}
        self._as("warehouse").post(f"/v1/returns/{rma}/inspect", body, key=self._key("inspect", rma))
        found = wanted["found"]
        self._board.say(f"[magenta]{rma}[/] counted and inspected: grade {found['grade']}, {found['disposition']}")
        return str(rma)

    def _replace(self, rma: str, work: Callable[[Mapping[str, Row]], int]) -> None:
        """The same goods leave again, and nothing is credited or invoiced."""
        [replacement] = self._until(
            lambda: self._as("auditor").get(f"/v1/returns/{rma}")["replacements"] or None, "a replacement"
        )
        self._board.say(
            f"[magenta]{rma}[/] replaced by {replacement['order_number']}: nothing credited, nothing invoiced"
        )
        self._until(lambda: self._work_on(replacement["order_id"], work), "the end of a replacement")

    def _work_on(self, order_id: str, work: Callable[[Mapping[str, Row]], int]) -> Row | None:
        row = self._order(order_id)
        if row["status"] == "completed":
            return row
        work({order_id: row})
        return None

    def _give_back(self, rma: str) -> None:
        """What was paid goes back."""
        credited = self._until(lambda: self._credited(rma), "the credit of a return")
        refund = f"/v1/returns/{rma}/refund"
        returned = self._as("accounting").post(refund, key=self._key("refund", rma)).document["refunded"]
        note = ", ".join(credited["credit_notes"])
        self._board.say(f"[magenta]{rma}[/] credited by {note}, and {text(returned)} goes back to the customer")

    def _count(self, rma: str, body: Body) -> Row | None:
        try:
            counted: Row = (
                self._as("warehouse").post(f"/v1/returns/{rma}/receive", body, key=self._key("count", rma)).document
            )
        except Refusal as refusal:
            if refusal.code not in _EXPECTED_SOON:
                raise
            return None
        return counted

    def _credited(self, rma: str) -> Row | None:
        inspections = self._as("auditor").get(f"/v1/returns/{rma}")["inspections"]
        return next((one for one in inspections if one["credited_at"]), None)

    def _recall(self, order_id: str) -> Row | None:
        rows = self._as("warehouse").rows("/v1/recalls", order_id=order_id)
        return rows[0] if rows else None

    def _order(self, order_id: str) -> Row:
        found: Row = self._as("auditor").get(f"/v1/orders/{order_id}")
        return found

    def _as(self, role: str) -> Person:
        return self._door.person(role, self._day.people[role])

    def _key(self, *words: str) -> str:
        return "-".join((self._mark, *words))

    def _until(self, look: Callable[[], Found | None], what: str) -> Found:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if (found := look()) is not None:
                return found
            time.sleep(_PAUSE_S)
        raise Unanswered(f"waited {_PATIENCE_S:.0f} s in vain for {what}: look at `oms status`")

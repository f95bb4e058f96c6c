"""One order's life as its customer, warehouse, carrier and bank live it, through the public API alone."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bench import company
from bench.door import Door

PATIENCE_S = 60.0
_POLL_S = 0.2
_IDLE_S = 1.0
_PAGE = 20
_MOST_PAGES = 1000

Row = dict[str, Any]


class NotReached(Exception):
    """An order did not come as far as it must; the message says how far."""


class Board:
    """Polls for everybody what is invoiced and what is completed: two lists a turn, and only while somebody waits."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._changed = threading.Condition()
        self._invoices: dict[str, Row] = {}
        self._completed: set[str] = set()
        self._waiting = {"invoice": 0, "completion": 0}
        self._is_over = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="board")

    def __enter__(self) -> Self:
        """Begin to poll."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join(PATIENCE_S)

    def invoice_of(self, order_id: str) -> Row:
        """The order's invoice, as soon as it is issued."""
        self._wait("invoice", order_id, lambda: order_id in self._invoices)
        return self._invoices[order_id]

    def completion_of(self, order_id: str) -> None:
        """Return once the order is completed."""
        self._wait("completion", order_id, lambda: order_id in self._completed)

    def _wait(self, what: str, order_id: str, is_so: Callable[[], bool]) -> None:
        with self._changed:
            self._waiting[what] += 1
            self._changed.notify_all()
            is_there = self._changed.wait_for(lambda: is_so() or self._failure is not None, PATIENCE_S)
            self._waiting[what] -= 1
        if self._failure is not None:
            raise NotReached(f"{what} of {order_id}: {self._failure}") from self._failure
        if not is_there:
            raise NotReached(f"no {what} of {order_id} in {PATIENCE_S:.0f} s")

    def _run(self) -> None:
        try:
            while not self._is_over:
                self._poll()
                time.sleep(_POLL_S)
                with self._changed:
                    self._changed.wait_for(lambda: self._is_over or any(self._waiting.values()), _IDLE_S)
        except Exception as failure:  # noqa: BLE001  # whoever waits raises it, whatever it is
            with self._changed:
                self._failure = failure
                self._changed.notify_all()

    def _poll(self) -> None:
        invoices: list[Row] = []
        completed: list[Row] = []
        if self._waiting["invoice"]:
            invoices = self._news("accounting", "/v1/invoices", lambda _: False, status="open")
        if self._waiting["completion"]:
            query = {"status": "completed", "sort": "-changed_at"}
            completed = self._news("auditor", "/v1/orders", lambda row: row["order_id"] in self._completed, **query)
        with self._changed:
            self._invoices.update({row["order_id"]: row for row in invoices})
            self._completed.update(row["order_id"] for row in completed)
            self._changed.notify_all()

    def _news(self, role: str, path: str, is_known: Callable[[Row], bool], **query: str) -> list[Row]:
        """Rows of a list, page by page, as far as the first that is known."""
        rows: list[Row] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = self._door.get(role, path, limit=_PAGE, cursor=cursor, **query)
            rows += page["rows"]
            cursor = page["next_cursor"]
            if not cursor or is_known(rows[-1]):
                return rows
        raise NotReached(f"{path} has no last page among {_MOST_PAGES}")


@dataclass(frozen=True, slots=True)
class Lived:
    """A completed order: how long its POST and its whole life took."""

    order_id: str
    number: str
    placed_s: float
    life_s: float


def place(door: Door, lines: int) -> Row:
    """Place an order and give its receipt; one that is rejected or held is NotReached."""
    receipt: Row = door.post("channel", "/v1/orders", company.order(lines))
    if receipt["phase"] not in {"received", "accepted"}:
        raise NotReached(f"{receipt['number']} is {receipt['status']}: {receipt['reasons']}")
    return receipt


def live(door: Door, board: Board, lines: int) -> Lived:
    """One order from placed to completed."""
    began = time.perf_counter()
    receipt = place(door, lines)
    order_id = str(receipt["order_id"])
    placed = time.perf_counter()
    for shipment in shipments_of(door, order_id):
        shipped = shipment
        for verb in ("pick", "pack", "ship"):
            label = {"tracking_numbers": [f"1Z{uuid.uuid4().hex}".upper()]} if verb == "ship" else None
            shipped = door.post("warehouse", f"/v1/shipments/{shipment['shipment_id']}/{verb}", label)
        door.carrier_says(shipped["carrier"], shipped["tracking_number"], "delivered")
    pay(door, board.invoice_of(order_id))
    board.completion_of(order_id)
    return Lived(order_id, str(receipt["number"]), placed - began, time.perf_counter() - began)


def shipments_of(door: Door, order_id: str) -> list[Row]:
    """What the warehouse is to send: there at once, unless the POST was answered before the verdict (202)."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        rows: list[Row] = door.get("warehouse", "/v1/shipments", order_id=order_id)["rows"]
        if rows:
            return rows
        time.sleep(_POLL_S)
    raise NotReached(f"no shipment of {order_id} in {PATIENCE_S:.0f} s")


def pay(door: Door, invoice: Row) -> None:
    """Pay an invoice in full."""
    payment = {
        "customer_id": invoice["customer_id"],
        "amount": invoice["total"],
        "reference": f"BANK-{invoice['number']}",
        "applications": [{"invoice_id": invoice["invoice_id"], "amount": invoice["total"]}],
    }
    door.post("accounting", "/v1/payments", payment)

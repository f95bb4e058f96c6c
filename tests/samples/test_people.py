"""What the day's people and carriers send, without a system behind them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from samples import documents, people
from samples.door import Door
from samples.narration import Board
from samples.people import People

SOLD = {
    "channel": "amazon",
    "reference": "113-1",
    "order_id": "ord_1",
    "open": {"amount": "100.00", "currency": "USD"},
    "announced_fees": {"amount": "16.25", "currency": "USD"},
}
PARCEL = {
    "shipment_id": "shp_1",
    "order_id": "ord_1",
    "order_number": "SO-1001",
    "number": "SH-1",
    "carrier": "swiftline",
    "tracking_number": "SWI-1",
    "is_service": False,
}


class Recorder(Door):
    """A door that keeps what a carrier says."""

    def __init__(self, var: Path) -> None:
        super().__init__("http://nobody", var)
        self.said: dict[str, list[Mapping[str, Any]]] = {}

    def carrier_says(self, carrier: str, event_id: str, event: Mapping[str, Any]) -> dict[str, Any]:
        self.said.setdefault(event_id, []).append(dict(event))
        return {"state": "delivered"}


class EverySecond(datetime):
    """A clock that is a second later each time."""

    _seconds = itertools.count()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime(2026, 12, 1, tzinfo=tz) + timedelta(seconds=next(cls._seconds))


class Carriers(People):
    """The day's people, of whom the carriers alone have something to do."""

    def _shipments(self, state: str, orders: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [PARCEL] if state == "shipped" and "ord_1" in orders else []


def test_a_scan_that_comes_twice_says_the_same_to_the_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "datetime", EverySecond)
    door = Recorder(tmp_path)
    day = Carriers(door, documents.day(), Board(Console(file=io.StringIO())), "today")

    day._carriers({"ord_1": {}})
    day._carriers({"ord_1": {}})

    twice = door.said["SWI-1-delivered"]
    assert len(twice) == 2
    assert twice[0] == twice[1]


class Statement(Door):
    """A door that lists sales, and keeps what channels pay out."""

    def __init__(self, var: Path, *sold: Mapping[str, Any]) -> None:
        super().__init__("http://nobody", var)
        self.sold = sold
        self.paid: list[Any] = []

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        if method == "POST":
            self.paid.append(request["json"])
        return httpx.Response(200, json={"rows": self.sold, "next_cursor": None})


def test_each_channel_pays_out_what_the_days_sales_have_open_less_their_fees(tmp_path: Path) -> None:
    second = {**SOLD, "reference": "113-2", "announced_fees": None}
    till = {**second, "channel": "pos", "reference": "POS-1"}
    door = Statement(tmp_path, SOLD, second, till, {**SOLD, "order_id": "ord_of_another_day"})

    People(door, documents.day(), Board(Console(file=io.StringIO())), "today").pay_out({"ord_1"})

    assert [(paid["channel"], paid["amount"]["amount"], paid["sales"]) for paid in door.paid] == [
        (
            "amazon",
            "183.75",
            [
                {"reference": "113-1", "amount": "83.75", "fees": "16.25"},
                {"reference": "113-2", "amount": "100.00", "fees": "0.00"},
            ],
        ),
        ("pos", "100.00", [{"reference": "POS-1", "amount": "100.00", "fees": "0.00"}]),
    ]
    assert len({paid["reference"] for paid in door.paid}) == 2

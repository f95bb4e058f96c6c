"""The sample documents as they are stored: master data, opening stock, and the day's orders."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Placing:
    """One sending of an order document: by whom and under which Idempotency-Key."""

    name: str
    key: str
    role: str
    sub: str
    company: str | None
    body: Body


@dataclass(frozen=True, slots=True)
class Tour:
    """An order that is told from beginning to end: the key it is placed under, a title, and what to see in it."""

    key: str
    title: str
    about: str


@dataclass(frozen=True, slots=True)
class Day:
    """The day's orders in their order, whose invoices stay open, and who acts in each role (role → subject of the token).

    `buyer` answers for the customer to whom a change is proposed; `tours` are told one after another. `cancels` is the units of an
    order that are canceled while a warehouse has them, `returns` is what comes back when all orders are at rest.
    """

    placings: Sequence[Placing]
    pays_later: frozenset[str]
    people: Mapping[str, str]
    buyer: str
    tours: Sequence[Tour]
    cancels: Body
    returns: Sequence[Body]


def read(name: str) -> Any:
    """One YAML document of this folder."""
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))


def order(name: str) -> Body:
    """The body of POST /v1/orders in orders/<name>.json."""
    document: Body = json.loads((FOLDER / "orders" / f"{name}.json").read_text("utf-8"))
    return document


def day() -> Day:
    """The narrated day."""
    document = read("day")
    placings = [
        Placing(row["file"], row["key"], row["role"], row["sub"], row.get("company"), order(row["file"]))
        for row in document["orders"]
    ]
    tours = [Tour(**row) for row in document["tours"]]
    pays_later, backwards = frozenset(document["pays_later"]), (document["cancels"], document["returns"])
    return Day(placings, pays_later, document["people"], document["buyer"], tours, *backwards)


def receipts() -> Sequence[Body]:
    """Bodies of POST /v1/stock/receipts: what stands on the shelves when the day begins."""
    document = read("opening_stock")
    return [{**row, "currency": document["currency"]} for row in document["receipts"]]


def bins() -> Sequence[Body]:
    """Where stock lies, as PUT /v1/stock/bins takes it."""
    of = read("opening_stock")["bins"]
    return [{"warehouse_id": place, "sku": sku, "bin": name} for place, lie in of.items() for sku, name in lie.items()]

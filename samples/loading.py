"""Loads master data and opening stock, and hears how many orders it already knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from samples import documents
from samples.documents import Body, Day
from samples.door import Answer, Door, Person
from samples.narration import Board
from services.kernel.clock import business_day, utc_now

_AT_ONCE = 6
_RANKS = 3

Act = Callable[[], Answer]


def day_mark(door: Door, day: Day) -> str:
    """Empty on a system without orders; else a word that makes today's keys and references different from earlier days'."""
    known = door.person("auditor", day.people["auditor"]).get("/v1/orders", limit=1)["rows"]
    return f"{datetime.now(UTC):%d%H%M%S}" if known else ""


def load_samples(door: Door, day: Day, board: Board, mark: str) -> None:
    """Load everything; on a system that has seen a day before, the shelves are filled up again and the rules stay."""
    master, stock = _master_data(door, day, is_first=not mark), _stock(door, day, mark)
    board.chapter(sum(len(wave) for wave in (*master, stock)))
    for wave in master:
        _together(wave, board)
    board.say(
        f"catalog, customers, prices, taxes, warehouses, rates, rules and people are in: {sum(map(len, master))} documents"
    )
    _together(stock, board)
    board.say(f"opening stock is on the shelves: {len(stock) - 1} receipts, each a cost layer, and in its bins")


def _master_data(door: Door, day: Day, *, is_first: bool) -> Sequence[Sequence[Act]]:
    """Waves of actions: those of a wave need nothing of each other."""
    admin, accounting = (door.person(role, day.people[role]) for role in ("admin", "accounting"))

    def put(path: str, bodies: Sequence[Body], who: Person = admin) -> list[Act]:
        return [lambda body=body: who.post(path, body) for body in bodies]  # type: ignore[misc]  # binds the loop's body

    customers, warehouses = documents.read("customers"), documents.read("warehouses")
    first = [
        *put("/v1/products", documents.read("catalog")["products"]),
        *put("/v1/customers", customers["customers"]),
        *put("/v1/warehouses", warehouses["warehouses"]),
        *put("/v1/tax-rates", documents.read("tax_rates")["tax_rates"], accounting),
    ]
    second = [*put("/v1/prices", customers["prices"]), *put("/v1/rates", [warehouses["rates"]])]
    if is_first:
        second += put("/v1/policies", [documents.read("policies")])
    staff = documents.read("people")
    ranks = [[row for row in staff["people"] if _rank(row, staff["people"]) == rank] for rank in range(_RANKS)]
    third = [
        partial(_themselves(door, row).post, "/v1/me/password", {"password": staff["password"]})
        for row in staff["people"]
    ]
    return (first, second, *(put("/v1/people", rank) for rank in ranks), third)


def _themselves(door: Door, row: Body) -> Person:
    """Somebody of the directory by their own token: a password is chosen by its owner alone."""
    return door.person(row["roles"][0], row["sub"], row.get("company"))


def _rank(person: Body, people: Sequence[Body]) -> int:
    """How many managers are above somebody: they are entered first."""
    above = next((row for row in people if row["sub"] == person.get("manager")), None)
    return 0 if above is None else 1 + _rank(above, people)


def _stock(door: Door, day: Day, mark: str) -> Sequence[Act]:
    warehouse = door.person("warehouse", day.people["warehouse"])

    def post(path: str, body: Body, key: str) -> Act:
        return lambda: warehouse.post(path, body, key=key)

    short = {row["sku"] for row in documents.read("opening_stock")["expected"]}
    rows = [row for row in documents.receipts() if not mark or row["sku"] not in short]
    acts = [post("/v1/stock/receipts", row, f"demo{mark}-{row['reference']}") for row in rows]
    if not mark:
        acts += [post("/v1/stock/expected-receipts", body, f"demo-{body['reference']}") for body in _expected()]
    return [*acts, lambda: warehouse.put("/v1/stock/bins", {"bins": documents.bins()})]


def _expected() -> Sequence[Body]:
    today = business_day(utc_now(), "UTC")
    bodies = []
    for row in documents.read("opening_stock")["expected"]:
        day = today + timedelta(days=row["in_days"])
        kept = {name: value for name, value in row.items() if name != "in_days"}
        bodies.append({**kept, "expected_on": day.isoformat()})
    return bodies


def _together(acts: Sequence[Act], board: Board) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _answer in pool.map(lambda act: act(), acts):
            board.step()

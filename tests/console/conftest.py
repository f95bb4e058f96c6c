from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from services.orders import models
from services.runtime.db import Database
from tests.conftest import ROOT
from tests.console.card_world import CardWorld, card_world
from tests.console.money_world import MoneyWorld, billing_database, money_world
from tests.console.world import ConsoleWorld, build, fill
from tests.orders.desk import Desk


def open_database(path: Path) -> Database:
    return Database(f"sqlite:///{path}", models.Table.metadata, ROOT / "services" / "orders" / "migrations")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A database file with orders of every kind, to be copied, and their numbers."""
    path = tmp_path_factory.mktemp("console") / "orders.db"
    database = open_database(path)
    database.migrate()
    numbers = fill(Desk(database))
    database.close()
    return path, numbers


MakeWorld = Callable[..., ConsoleWorld]


@pytest.fixture
def make_world(filled: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[MakeWorld]:
    """Make a console; its settings may differ."""
    with ExitStack() as stack:

        def make(**console: Any) -> ConsoleWorld:
            path = tmp_path / "orders.db"
            shutil.copy(filled[0], path)
            database = open_database(path)
            stack.callback(database.close)
            return build(database, tmp_path / "keys", **console)

        yield make


@pytest.fixture
def money(filled: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[MoneyWorld]:
    """A console over orders and a billing service of its own."""
    shutil.copy(filled[0], tmp_path / "orders.db")
    orders, cash = open_database(tmp_path / "orders.db"), billing_database(tmp_path)
    yield money_world(orders, cash, tmp_path / "keys", filled[1])
    for database in (orders, cash):
        database.close()


@pytest.fixture
def cards(filled: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[CardWorld]:
    shutil.copy(filled[0], tmp_path / "orders.db")
    orders, cash = open_database(tmp_path / "orders.db"), billing_database(tmp_path)
    with card_world(orders, cash, tmp_path) as made:
        yield made
    for database in (orders, cash):
        database.close()


@pytest.fixture
def world(make_world: MakeWorld) -> ConsoleWorld:
    return make_world()


@pytest.fixture
def numbers(filled: tuple[Path, dict[str, str]]) -> dict[str, str]:
    """Name of a kind of order → its number."""
    return filled[1]

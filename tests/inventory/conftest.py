from __future__ import annotations

import pytest

from services.inventory import models
from services.runtime.db import Database
from tests.conftest import MakeDatabase
from tests.inventory.stockroom import Stockroom


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database(models.Table.metadata, "inventory")


@pytest.fixture
def stockroom(database: Database) -> Stockroom:
    return Stockroom(database)

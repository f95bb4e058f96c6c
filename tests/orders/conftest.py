from __future__ import annotations

import pytest

from services.orders import models
from services.runtime.db import Database
from tests.conftest import MakeDatabase
from tests.orders.desk import Desk


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database(models.Table.metadata, "orders")


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)

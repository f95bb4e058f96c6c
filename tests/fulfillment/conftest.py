from __future__ import annotations

import pytest

from services.fulfillment import models
from services.runtime.db import Database
from tests.conftest import MakeDatabase
from tests.fulfillment.desk import WarehouseDesk


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database(models.Table.metadata, "fulfillment")


@pytest.fixture
def desk(database: Database) -> WarehouseDesk:
    return WarehouseDesk(database)

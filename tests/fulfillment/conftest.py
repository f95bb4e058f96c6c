from __future__ import annotations

import pytest

from services.fulfillment import models
from services.runtime.db import Database
from tests.conftest import MakeDatabase
from tests.fulfillment.floor import Floor


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database(models.Table.metadata, "fulfillment")


@pytest.fixture
def floor(database: Database) -> Floor:
    return Floor(database)

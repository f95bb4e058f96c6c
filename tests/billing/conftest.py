from __future__ import annotations

import pytest

from services.billing import models
from services.runtime.db import Database
from tests.billing.desk import Desk
from tests.conftest import MakeDatabase


@pytest.fixture
def database(make_database: MakeDatabase) -> Database:
    return make_database(models.Table.metadata, "billing")


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)

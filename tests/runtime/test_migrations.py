from __future__ import annotations

from pathlib import Path

import pytest

from services.runtime.migrations import SERVICES, check, database_of, upgrade


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_finds_its_migrations_whatever_shape_its_models_have(service: str, tmp_path: Path) -> None:
    database = database_of(service, f"sqlite:///{tmp_path / service}.db")

    upgrade(database)

    check(database)
    database.close()

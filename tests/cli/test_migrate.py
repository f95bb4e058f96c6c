"""`oms up` brings every database to this release, and says what to do about one that it cannot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cli.embedded import SERVICES
from cli.migrate import main


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("var")
    assert main(folder) == 0
    return folder


def test_every_service_gets_a_database_and_a_second_time_changes_nothing(migrated: Path) -> None:
    before = {path.name: path.read_bytes() for path in migrated.glob("*.db")}

    assert main(migrated) == 0

    assert set(before) == {f"{service}.db" for service in SERVICES}
    assert {path.name: path.read_bytes() for path in migrated.glob("*.db")} == before


def test_a_database_of_a_newer_release_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(tmp_path / "billing.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()

    assert main(tmp_path) == 78

    said = capsys.readouterr().err
    assert said.startswith("billing: ")
    assert "revision 9999, which this release does not know" in said


def test_a_damaged_database_is_refused_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "inventory.db").write_bytes(b"this is no database" * 1000)

    assert main(tmp_path) == 78

    said = capsys.readouterr().err
    assert (
        said == f"inventory: {tmp_path}/inventory.db cannot be used (file is not a database): restore a backup of it\n"
    )

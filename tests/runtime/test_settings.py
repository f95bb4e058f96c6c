from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest

from services.runtime.settings import ServiceSettings, UnusableSettings, read_settings

SERVICES = ("orders", "inventory", "fulfillment", "billing", "notifications")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OMS_MODE", "staging"),
        ("OMS_LISTEN", "everywhere"),
        ("OMS_DATABASE_URL", "mysql://x"),
        ("OMS_LOG_LEVEL", "LOUD"),
        ("OMS_GRPC_WORKERS", "many"),
    ],
)
def test_a_bad_variable_is_named_in_a_sentence_that_keeps_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(UnusableSettings) as refusal:
        read_settings(ServiceSettings)

    assert variable in str(refusal.value)
    assert value not in str(refusal.value).replace(variable, "")


@pytest.mark.parametrize(
    ("variable", "value", "service"),
    [
        *product(["OMS_LISTEN"], ["everywhere"], SERVICES),
        *product(["OMS_DATABASE_URL"], ["mysql://x"], SERVICES),
        ("OMS_HTTP_LISTEN", "8000", "orders"),
    ],
)
def test_each_service_names_an_address_or_database_that_cannot_be_one(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, service: str
) -> None:
    own = import_module(f"services.{service}.settings")
    [settings] = [one for one in ServiceSettings.__subclasses__() if one.__module__ == own.__name__]
    monkeypatch.setenv(variable, value)

    with pytest.raises(UnusableSettings, match=variable):
        read_settings(settings)


@pytest.mark.parametrize("value", ["", None])
def test_without_a_folder_to_watch_the_disk_is_that_of_the_database_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None
) -> None:
    monkeypatch.setenv("OMS_DATABASE_URL", f"sqlite:///{tmp_path}/orders.db")
    if value is not None:
        monkeypatch.setenv("OMS_DISK_FOLDER", value)

    assert read_settings(ServiceSettings).disk.folder == tmp_path


def test_a_folder_to_watch_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OMS_DISK_FOLDER", str(tmp_path / "nowhere"))

    with pytest.raises(UnusableSettings, match="OMS_DISK_FOLDER"):
        read_settings(ServiceSettings)


@pytest.mark.parametrize("process", ["services.inventory", "services.orders", "services.notifications", "workflows"])
def test_a_process_with_a_bad_variable_ends_with_a_sentence(process: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", process],
        env=os.environ | {"OMS_MODE": "prod"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert ended.returncode == 78
    assert "OMS_MODE" in ended.stderr
    assert "Traceback" not in ended.stderr

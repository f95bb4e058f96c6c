"""What people read: names, thousands, dates and the trade's spelling; programs get what the API says."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli import output, version
from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms
from tests.conftest import ROOT


@pytest.fixture(autouse=True)
def _formats_are_read_per_test() -> Iterator[None]:
    output.formats.cache_clear()
    yield
    output.formats.cache_clear()


ROW: dict[str, Any] = {
    "number": "SO-1001",
    "customer_name": "ACME",
    "channel": "in_person",
    "po_number": "2026-12-01",
    "status": "in_fulfilment",
    "total": {"amount": "26400.00", "currency": "USD"},
    "waiting_for": {"what": "stock of PUMP-100"},
    "placed_at": "2026-12-01T23:05:00.000Z",
}


def test_a_list_has_thousands_dates_and_words_as_people_write_them(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/orders", ROW)

    heading, line = command("orders").out.splitlines()

    assert heading.split() == [
        "Number",
        "Customer",
        "Channel",
        "PO",
        "Status",
        "Total",
        "Waiting",
        "on",
        "Placed",
        "(UTC)",
    ]
    assert "in person" in line
    assert " 2026-12-01 " in line  # a purchase order number, and no day
    assert "in fulfillment" in line
    assert "26,400.00 USD" in line
    assert line.rstrip().endswith("Dec 1, 2026, 11:05 PM")


def test_a_list_for_programs_is_what_the_api_says(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/orders", ROW)

    assert json.loads(command("orders", "--json").out) == [ROW]


def test_the_zone_and_the_formats_are_those_of_the_company(
    command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TIME_ZONE", "America/Chicago"), ("DATE_ORDER", "dmy"), ("CLOCK", "24h")):
        monkeypatch.setenv(f"OMS_{name}", value)
    api.page("GET /v1/orders", ROW)

    heading, line = command("orders").out.splitlines()

    assert heading.rstrip().endswith("Placed (CST)")
    assert line.rstrip().endswith("1 Dec 2026, 17:05")


def test_formats_that_are_none_are_refused_in_a_sentence(
    command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_TIME_ZONE", "Dallas")
    api.page("GET /v1/orders", ROW)

    answer = command("orders")

    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("correct the environment: OMS_TIME_ZONE")


def test_people_are_named_in_an_orders_history(command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.orders._RECONNECT_S", 0.0)
    event = {
        "occurred_at": "2026-12-01T09:00:00.000Z",
        "what": "step_approved",
        "who": "dan",
        "role": "sales_rep",
        "why": "",
    }
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1"})
    api.page("GET /v1/people", {"sub": "dan", "name": "Dan Holt"})
    api.on("GET /v1/orders/ord_1/stream", f"id: 7\ndata: {json.dumps(event)}\n\n")
    api.on("GET /v1/orders/ord_1/stream", "", 204)

    answer = command("orders", "watch", "SO-1001")

    assert answer.out == "Dec 1, 2026, 9:00 AM  step approved  by Dan Holt (sales rep)\n"


def test_figures_are_grouped_and_numbers_that_name_something_are_not() -> None:
    written = io.StringIO()

    columns = (("SKU", "sku"), ("On hand", "on_hand>"), ("Price", "price>"))
    Console(file=written).print(output.table([{"sku": "1200", "on_hand": 1200, "price": "1329.50"}], columns))

    assert written.getvalue().splitlines()[1].split() == ["1200", "1,200", "1,329.50"]
    assert [output.grouped(one) for one in ("-1200.5", "-0.50", "", "PO-1")] == ["-1,200.5", "-0.50", "", "PO-1"]


def test_the_version_is_that_of_the_clone_though_nothing_is_installed(command: Oms) -> None:
    [said] = [line for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines() if line.startswith("version")]

    answer = command("--version")

    assert (answer.code, f'version = "{answer.out.removeprefix("oms ").strip()}"') == (0, said)


def test_without_a_clone_the_version_is_that_of_the_installed_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"{name} 9.9")

    assert version.version(Path("/nowhere/pyproject.toml")) == "oms 9.9"


def test_without_a_clone_or_a_package_the_version_is_unknown() -> None:
    assert version.version(Path("/nowhere/pyproject.toml")) == "unknown"


def test_a_shell_completes_nouns_and_commands(command: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_OMS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "oms orders wa")
    monkeypatch.setenv("COMP_CWORD", "2")

    assert command().out.split() == ["watch"]
    assert "--install-completion" in _help(command, monkeypatch)


def _help(command: Oms, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("_OMS_COMPLETE")
    return command("--help").out


@pytest.mark.parametrize(
    "typed", ["[bold]Acme[/]", "[/nothing]", ":smile: & Sons", "[link=https://evil.example]x[/link]", "<b>A</b>"]
)
def test_what_people_typed_is_no_markup(command: Oms, api: FakeApi, typed: str) -> None:
    api.page("GET /v1/orders", {**ROW, "customer_name": typed})

    answer = command("orders", "list")

    assert answer.code == 0
    assert typed in answer.out

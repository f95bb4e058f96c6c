"""A client in another's program: generated from the document, and nothing else."""

from __future__ import annotations

import importlib
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from gateway.http.plumbing.openapi import operations
from tests.api.conftest import ORDER, World


async def test_a_generated_client_has_every_operation_and_places_and_reads_an_order(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await world.send("GET", "/openapi.json")
    complaints = generate_client(document.content, tmp_path / "order_client")
    monkeypatch.syspath_prepend(tmp_path)
    world.validates()

    functions = {
        operation["operationId"]: importlib.import_module(
            f"order_client.api.{room(operation)}.{operation['operationId']}"
        )
        for _, _, operation in operations(document.json())
    }
    models = importlib.import_module("order_client.models")
    async with connected(world) as client:
        wanted = models.OrderInput.from_dict(ORDER)
        placed = await functions["place_order"].asyncio_detailed(client=client, body=wanted, idempotency_key="first")
        repeat = await functions["place_order"].asyncio(client=client, body=wanted, idempotency_key="first")
        order = await functions["get_order"].asyncio(placed.parsed.number, client=client)
        listed = await functions["list_orders"].asyncio(client=client, customer_id="cus_acme")
        unknown = await functions["get_order"].asyncio_detailed("SO-9999", client=client)

    assert complaints == []
    assert [name for name, one in functions.items() if not hasattr(one, "asyncio_detailed")] == []
    assert placed.status_code is HTTPStatus.CREATED
    assert (placed.parsed.number, placed.parsed.status) == ("SO-1001", "accepted")
    assert repeat.order_id == order.order_id == placed.parsed.order_id
    assert order.lines[0].sku == "PUMP-100"
    assert order.totals.merchandise == models.Money("1316.00", "USD")  # 4 × 129.00 + 800.00
    assert [row.number for row in listed.rows] == ["SO-1001"]
    assert isinstance(unknown.parsed, models.Problem)
    assert unknown.parsed.code == "ORDER_UNKNOWN"


_FILES = ("application/pdf", "application/vnd.zebra.zpl", "application/xml", "image/jpeg", "image/png", "image/webp")


def generate_client(document: bytes, package: Path) -> list[Any]:
    """Write a client's package from a document; what the generator complains of."""
    source = package.with_suffix(".json")
    source.write_bytes(document)
    settings = ConfigFile(
        post_hooks=[],
        content_type_overrides=dict.fromkeys(_FILES, "application/octet-stream"),
    )
    config = Config.from_sources(
        settings, MetaType.NONE, document_source=source, file_encoding="utf-8", overwrite=False, output_path=package
    )
    return list(generate(config=config))


def room(operation: Any) -> str:
    """The module of the client that holds an operation."""
    return str(operation["tags"][0]).replace(" ", "_")


def connected(world: World) -> Any:
    """The generated client of a customer, connected to the application of this process."""
    kind = importlib.import_module("order_client").AuthenticatedClient
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=True)
    return kind(base_url="http://test", token=world.token("customer"), httpx_args={"transport": transport})

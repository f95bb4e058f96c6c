from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from temporalio import activity, workflow
from temporalio.worker import Worker

from bench.ports import free_port
from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1 import inventory_pb2_grpc as rpc
from services.inventory.__main__ import assemble
from services.inventory.settings import Settings
from services.kernel.errors import InvalidArgument
from services.notifications import store as deliveries
from services.notifications.domain import Delivery, Recipient
from services.notifications.models import Table as NotificationsTable
from services.runtime import outbox
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from services.runtime.grpc_server import AddressTaken
from services.runtime.process import ServiceProcess
from services.runtime.settings import ServiceSettings
from tests.conftest import MakeDatabase
from tests.temporal import temporal_environment
from tests.workflows.driver import at_work
from workflows.__main__ import connect as connect_worker
from workflows.__main__ import measured


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/inventory.db"
    metrics_listen = f"127.0.0.1:{free_port()}"
    return Settings(database_url=url, keys_dir=tmp_path / "keys", listen="127.0.0.1:0", metrics_listen=metrics_listen)


@pytest.fixture
def process(settings: Settings) -> Iterator[ServiceProcess]:
    process = assemble(settings)
    process.database.migrate()
    process.start()
    yield process
    process.stop(0)


def scrape(listen: str) -> dict[tuple[str, ...], float]:
    """Name and label values of every sample → its value."""
    families = text_string_to_metric_families(httpx.get(f"http://{listen}/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, *map(str, sample.labels.values())): sample.value for sample in samples}


def test_a_service_tells_what_its_outbox_could_not_send(process: ServiceProcess, settings: Settings) -> None:
    a_minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    with process.database.transaction() as session:
        for kind in ("nobody_takes_this", "nor_this"):
            outbox.emit(session, kind=kind, order_id="ord_1", detail={}, now=a_minute_ago)
        dead = outbox.emit(session, kind="poison", order_id="ord_2", detail={}, now=a_minute_ago)
    with process.database.transaction() as session:
        outbox.mark_failed(session, dead, "NOT_UNDERSTOOD", retry_at=None)

    notified = scrape(settings.metrics_listen)

    assert (notified["oms_outbox_waiting",], notified["oms_outbox_dead",]) == (2, 1)
    assert 60 <= notified["oms_outbox_age_seconds",] < 90


def test_a_service_tells_how_long_its_calls_take_and_how_they_end(process: ServiceProcess, settings: Settings) -> None:
    channel = connect(f"127.0.0.1:{process.port}", machine_token(settings, "worker"))
    rpc.InventoryServiceStub(channel).Audit(pb.AuditRequest())
    with pytest.raises(InvalidArgument):
        rpc.InventoryServiceStub(channel).ReserveStock(pb.ReserveStockRequest())

    notified = scrape(settings.metrics_listen)

    assert notified["oms_rpc_seconds_count", "/oms.inventory.v1.InventoryService/Audit", "OK"] == 1
    assert notified["oms_rpc_seconds_count", "/oms.inventory.v1.InventoryService/ReserveStock", "INVALID_ARGUMENT"] == 1


def test_a_service_whose_database_is_away_still_tells_how_its_calls_end(
    process: ServiceProcess, settings: Settings
) -> None:
    with process.database.transaction() as session:
        session.execute(text("ALTER TABLE outbox RENAME TO away"))
    channel = connect(f"127.0.0.1:{process.port}", machine_token(settings, "worker"))
    with pytest.raises(InvalidArgument):
        rpc.InventoryServiceStub(channel).ReserveStock(pb.ReserveStockRequest())

    notified = scrape(settings.metrics_listen)

    assert notified["oms_rpc_seconds_count", "/oms.inventory.v1.InventoryService/ReserveStock", "INVALID_ARGUMENT"] == 1
    assert notified["oms_disk_free_bytes",] > 0
    assert ("oms_outbox_waiting",) not in notified


@pytest.mark.on_postgres
def test_mails_that_wait_are_the_backlog_of_notifications(make_database: MakeDatabase) -> None:
    a_minute_ago = datetime.now(UTC) - timedelta(minutes=1)
    database = make_database(NotificationsTable.metadata, "notifications")
    with database.transaction() as session:
        assert deliveries.backlog(session) == (0, None, 0)
        deliveries.add(session, [waiting_mail("1"), waiting_mail("2")], a_minute_ago)

        waiting, oldest, dead = deliveries.backlog(session)

    assert (waiting, oldest, dead) == (2, a_minute_ago, 0)


def waiting_mail(number: str) -> Delivery:
    """A mail that has not left."""
    return Delivery(
        delivery_id=f"dlv_{number}",
        event_id=f"fact_{number}",
        kind="shipped",
        order_id="ord_1",
        order_number="SO-1001",
        recipient=Recipient("buyer@acme.example", "Buyer", "customer"),
        variables={},
        subject="Shipped",
        state="waiting",
        attempts=0,
        last_error="",
    )


@activity.defn(name="inventory.ReserveStock")
async def reserve_stock() -> None:
    """A step that does nothing."""


@workflow.defn(sandboxed=False)
class OneStep:
    """A workflow of one step."""

    @workflow.run
    async def run(self) -> None:
        """Take the step."""
        await workflow.execute_local_activity(reserve_stock, start_to_close_timeout=timedelta(seconds=5))


async def test_the_worker_tells_how_long_each_step_takes() -> None:
    listen = f"127.0.0.1:{free_port()}"
    async with temporal_environment(skips_time=False) as environment:
        target = environment.client.service_client.config.target_host
        client = await connect_worker(ServiceSettings(temporal_target=target, metrics_listen=listen))
        async with at_work(Worker(client, task_queue="steps", workflows=[OneStep], activities=[reserve_stock])):
            await client.execute_workflow(OneStep.run, id="one", task_queue="steps")

        notified = await asyncio.to_thread(httpx.get, f"http://{listen}/metrics")

    lines = [
        line for line in notified.text.splitlines() if line.startswith("temporal_local_activity_execution_latency")
    ]
    assert any('activity_type="inventory.ReserveStock"' in line and "_count{" in line for line in lines)


def test_a_taken_address_is_said_in_a_sentence(process: ServiceProcess, settings: Settings) -> None:
    with pytest.raises(AddressTaken, match="set OMS_METRICS_LISTEN"):
        assemble(settings)


def test_metrics_are_off_unless_an_address_is_given(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/off.db"
    process = assemble(Settings(database_url=database_url, keys_dir=tmp_path / "keys", listen="127.0.0.1:0"))

    assert process.metrics is None
    assert measured("") is None

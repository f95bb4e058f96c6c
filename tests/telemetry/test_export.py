from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)

from bench.ports import free_port
from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1 import inventory_pb2_grpc as rpc
from services.inventory.__main__ import assemble
from services.inventory.settings import Settings
from services.runtime.auth import machine_token
from services.runtime.grpc_client import connect
from tests.processes import ended
from tests.serving import served

ROOT = Path(__file__).resolve().parents[2]


class Collector(TraceServiceServicer):
    """Keeps what processes export: service name → span names."""

    def __init__(self) -> None:
        self.spans: dict[str, list[str]] = {}

    def Export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        for group in request.resource_spans:
            names = {one.key: one.value.string_value for one in group.resource.attributes}
            kept = self.spans.setdefault(names["service.name"], [])
            kept.extend(span.name for scope in group.scope_spans for span in scope.spans)
        return ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[str, Collector]]:
    kept = Collector()
    with served(partial(add_TraceServiceServicer_to_server, kept)) as port:
        yield f"http://127.0.0.1:{port}", kept


def test_a_process_exports_its_spans_and_logs_json_lines_in_its_name(
    tmp_path: Path, collector: tuple[str, Collector]
) -> None:
    endpoint, kept = collector
    port = free_port()
    given = {"database_url": f"sqlite:///{tmp_path}/inventory.db", "listen": f"127.0.0.1:{port}"}
    settings = Settings.model_validate({**given, "keys_dir": tmp_path / "keys"})
    prepared = assemble(settings.model_copy(update={"listen": "127.0.0.1:0"}))
    prepared.database.migrate()
    prepared.database.close()
    env = {
        **os.environ,
        **{f"OMS_{name.upper()}": value for name, value in given.items()},
        "OMS_KEYS_DIR": str(settings.keys_dir),
        "OMS_OTLP_ENDPOINT": endpoint,
        "OMS_TRACE_RATIO": "1",
    }

    command = [sys.executable, "-m", "services.inventory"]
    with ended(subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        channel = connect(f"127.0.0.1:{port}", machine_token(settings, "worker"))
        rpc.InventoryServiceStub(channel).Audit(pb.AuditRequest())
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=90)
    rest = [json.loads(line) for line in said.splitlines()]

    assert process.returncode == 0
    assert (first["event"], first["process"], first["level"]) == ("service.started", "inventory", "info")
    assert {line["process"] for line in rest} == {"inventory"}
    assert kept.spans.keys() == {"oms-inventory"}
    assert {"/oms.inventory.v1.InventoryService/Audit", "SELECT"} <= set(kept.spans["oms-inventory"])

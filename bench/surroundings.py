"""(g) What an order costs where its traces are kept, where their collector is away, and in production, beside the same without.

Every run has a system of its own that was just started, as in part (a); a round is one run of each, so each ratio is taken between runs
that followed each other. Traces are kept at the ratio that a process has by itself. Production is the processes of docker-compose.yml in
production mode on PostgreSQL, whose CPU counts, with a Temporal like that of one machine and an identity provider, whose CPU does not.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from bench import company
from bench.cpu import CpuSpan, Spends
from bench.door import Door
from bench.figures import Spread
from bench.life import Board
from bench.machine import LoadSpan, assessed, doubts
from bench.order_to_cash import LINES, WARM, lives
from bench.pairs import SYSTEM, Run
from bench.ports import free_port
from bench.system import system

PLAIN = "without traces"
TARGETS = {"traces kept": 1.10, "collector away": 1.10, "production": 1.50}
_COLLECTOR = "opentelemetry.proto.collector.trace.v1.TraceService"
_STOP_S = 5.0

Round = Mapping[str, Run]


def measure(rounds: int, orders: int, at_once: int, say: Callable[[str], None]) -> dict[str, Any]:
    """So many rounds, each of so many orders in every surrounding."""
    kinds: dict[str, Callable[[int, int], Run]] = {
        PLAIN: lambda *size: _embedded({}, *size),
        "traces kept": _with_collector,
        "collector away": lambda *size: _embedded({"OMS_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}, *size),
        "production": _production,
    }
    found = []
    for number in range(1, rounds + 1):
        runs = {}
        for kind, run in kinds.items():
            say(f"(g) round {number} of {rounds}: {orders} orders, {kind}")
            runs[kind] = run(orders, at_once)
        found.append(runs)
    return {"orders": orders, "at_once": at_once, "lines_per_order": LINES, **summary(found)}


def summary(rounds: Sequence[Round]) -> dict[str, Any]:
    """CPU of an order by surrounding and process, what each is as a multiple of the plain one, and whether to believe it."""
    ratios = {kind: Spread.of([_ratio(runs, kind) for runs in rounds]) for kind in TARGETS}
    loads = {
        f"round {number} ({kind})": run.load for number, runs in enumerate(rounds, 1) for kind, run in runs.items()
    }
    found = doubts(loads, {f"the ratio ({kind})": ratio for kind, ratio in ratios.items()})
    return {
        "rounds": len(rounds),
        "cpu_ms_per_order": {kind: _cpu([runs[kind] for runs in rounds]) for kind in rounds[0]},
        "ratio": {kind: ratio.rounded(3) for kind, ratio in ratios.items()},
        "targets": dict(TARGETS),
        **assessed(loads, found),
    }


def _ratio(runs: Round, kind: str) -> float:
    return runs[kind].system_ms / runs[PLAIN].system_ms


def _cpu(runs: Sequence[Run]) -> dict[str, float]:
    """Process → the median of its milliseconds an order."""
    rows = [{**run.cpu_ms, SYSTEM: run.system_ms} for run in runs]
    return {name: Spread.of([row[name] for row in rows]).rounded(1)["median"] for name in rows[0]}


def _run(door: Door, processes: Mapping[str, Spends], orders: int, at_once: int) -> Run:
    company.load_company(door)
    with Board(door) as board:
        lives(door, board, WARM, at_once)
        machine, span = LoadSpan(), CpuSpan.with_driver(processes)
        began = time.perf_counter()
        lives(door, board, orders, at_once)
        also = {"orders_per_s": orders / (time.perf_counter() - began)}
    return Run({name: seconds * 1000 / orders for name, seconds in span.spent().items()}, machine.load(), also)


def _embedded(notified: Mapping[str, str], orders: int, at_once: int) -> Run:
    with environment(notified), system() as running:
        return _run(Door(running.url, running.var), running.processes(), orders, at_once)


def _with_collector(orders: int, at_once: int) -> Run:
    with collector() as endpoint:
        return _embedded({"OMS_OTLP_ENDPOINT": endpoint}, orders, at_once)


def _production(orders: int, at_once: int) -> Run:
    # here, because it needs the programs that only tests need
    from tests.deploy.composed import deployed

    with (
        tempfile.TemporaryDirectory(prefix="oms-bench-") as folder,
        environment({}),
        deployed(Path(folder), {"OMS_OTLP_ENDPOINT": ""}) as made,
    ):
        return _run(made.door, made.composed.processes(), orders, at_once)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment of what starts meanwhile: nothing about traces but this."""
    before = dict(os.environ)
    kept = {name: value for name, value in before.items() if name not in ("OMS_OTLP_ENDPOINT", "OMS_TRACE_RATIO")}
    try:
        os.environ.clear()
        os.environ.update({**kept, **variables})
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def collector() -> Iterator[str]:
    """The address of a collector that takes everything and reads nothing, meanwhile; it is in this process, which is not counted."""
    takes: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(
        lambda _request, _context: ExportTraceServiceResponse(),
        response_serializer=ExportTraceServiceResponse.SerializeToString,
    )
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    server.add_registered_method_handlers(_COLLECTOR, {"Export": takes})
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_COLLECTOR, {"Export": takes}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(0).wait(_STOP_S)

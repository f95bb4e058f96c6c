"""Every call that services take, with something in it that no honest caller sends: a refusal that says why, never an accident."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.inventory.settings import Settings
from services.runtime import grpc_server
from services.runtime.auth import machine_token
from tests import wild
from tests.system.harness import SERVICES, System
from tests.system.trade import Trade, ok

SAID = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "ALREADY_EXISTS", "ABORTED"}
"""What a service says on purpose."""
TOO_LARGE = "RESOURCE_EXHAUSTED"
"""What gRPC says of a message that is larger than a service takes."""


@dataclass(frozen=True)
class Method:
    """A call of one service, and requests that are good or look it."""

    name: str
    service: str
    request: type[Message]
    good: list[Message]


@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=pytest.mark.prove), "postgres"])
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, for what is made up stays in it; on PostgreSQL first, which refuses more."""
    with System(tmp_path_factory.mktemp(f"spoiled-{request.param}"), request.param) as system:
        yield system


@pytest.fixture(scope="module")
def methods(system: System) -> list[Method]:
    """Every method of every service: with what was sent while an order lived its life, or what is made up of it."""
    sent: dict[str, list[Message]] = defaultdict(list)
    answer = grpc_server._run

    def noting(act: Callable[..., Any], method: str, request: Message, context: Any) -> Any:
        sent[method].append(request)
        return answer(act, method, request, context)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(grpc_server, "_run", noting)
        _live(Trade(system))
    seen = wild.values(message for messages in sent.values() for message in messages)
    chance = random.Random(1)
    found = []
    for service in SERVICES:
        full_name = f"oms.{service}.v1.{service.title()}Service"
        for method in descriptor_pool.Default().FindServiceByName(full_name).methods:
            request, name = GetMessageClass(method.input_type), f"/{full_name}/{method.name}"
            good = sent[name] or [wild.plausible(request, seen, chance) for _ in range(20)]
            found += [Method(name, service, request, good)] if request.DESCRIPTOR.fields else []
    return found


def _live(trade: Trade) -> None:
    """An order from placed to paid."""
    customer = trade.customer(tax_rate="0.0825")
    pump = trade.product("pump", "129.00", cost="80.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 10, "80.00")
    order_id = ok(trade.place(trade.order_body(customer, [{"sku": pump, "quantity": 4}])))["order_id"]
    trade.until_released(order_id)
    parcel = trade.send_off(trade.shipments(order_id)[0])
    billed = trade.until(order_id, lambda order: order["axes"]["billing"] == "full", "billing")
    assert trade.deliver(parcel) == [200]
    trade.pay(customer, billed["totals"]["total"]["amount"])
    trade.until(order_id, lambda order: order["status"] == "completed", "completion")


def _spoil(system: System, methods: list[Method], *, times: int, seed: int) -> Counter[str]:
    """Send every method so many spoiled requests; gives how often each status was answered."""
    chance, answered, accidents = random.Random(seed), Counter[str](), dict[str, str]()
    caller = machine_token(Settings(**system._common("worker")), "worker")
    for service in SERVICES:
        with grpc.insecure_channel(f"127.0.0.1:{system.ports[service]}") as channel:
            for method in (method for method in methods if method.service == service):
                call: Any = channel.unary_unary(method.name, request_serializer=method.request.SerializeToString)
                for _ in range(times):
                    honest = method.request()
                    honest.CopyFrom(chance.choice(method.good))
                    wild.as_new(honest)
                    request = wild.spoiled(honest, chance)
                    status, words = _status(call, request, caller())
                    answered[status] += 1
                    if status not in SAID and not (status == TOO_LARGE and "larger than max" in words):
                        accidents.setdefault(f"{method.name} {status}: {words[:120]}", str(request)[:400])
    assert not accidents, "\n".join(f"{what}\n  {request}" for what, request in accidents.items())
    return answered


def _status(call: Any, request: Message, token: str) -> tuple[str, str]:
    try:
        call(request, timeout=60, metadata=(("authorization", f"Bearer {token}"),))
    except grpc.RpcError as refusal:
        failed: Any = refusal
        return failed.code().name, failed.details()
    return "OK", ""


@pytest.mark.on_postgres
def test_a_spoiled_call_is_refused_on_purpose(system: System, methods: list[Method]) -> None:
    answered = _spoil(system, methods, times=6, seed=7)

    assert len(methods) > 50
    assert answered["INVALID_ARGUMENT"] > answered["OK"] > 0


@pytest.mark.prove
@pytest.mark.timeout(900)
def test_thousands_of_spoiled_calls_are_refused_on_purpose_and_harm_nobody(
    system: System, methods: list[Method]
) -> None:
    answered = _spoil(system, methods, times=50, seed=8)

    assert answered.total() >= 2_500
    _live(Trade(system))
    broken = {row["name"] for row in Trade(system).audit()}
    # what nobody could know to be made up: stock moved, and letters sent, for orders that are not, or not in that order
    assert {name for name in broken if not name.startswith(("between.", "notifications."))} == set()

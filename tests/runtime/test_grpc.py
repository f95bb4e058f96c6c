from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pydantic import ValidationError

from oms.notifications.v1 import notifications_pb2 as pb
from oms.notifications.v1 import notifications_pb2_grpc as rpc
from services.kernel.errors import Conflict, NotFound, Refused
from services.runtime.auth import Authenticator, LocalIssuer, MachineIssuer, Principal, machine_token
from services.runtime.grpc_client import _OPTIONS, RemoteBug, Unreachable, connect, connect_async
from services.runtime.grpc_server import AddressTaken, ConnectionBounds, GrpcServer
from services.runtime.settings import ServiceSettings

QUOTED = "\U0010ffff" * 5_000
"""What somebody sent instead of a name; in the trailers of an answer each of its characters is twelve bytes."""


class Servicer(rpc.NotificationsServiceServicer):
    """Answers, refuses or breaks, as the order id says."""

    def Notify(self, request: pb.NotifyRequest, context: grpc.ServicerContext) -> pb.NotifyResponse:  # the proto's name
        match request.order_id:
            case "refused":
                raise Refused("STOCK_ALLOCATED", "3 units are promised", units="3")
            case "missing":
                raise NotFound("UNKNOWN_ORDER", "no such order")
            case "lost":
                raise Conflict("LOST_RACE", "try again")
            case "long":
                raise Refused("UNKNOWN_SKU", f"{QUOTED!r} is no SKU: name one of the catalog", sku=QUOTED)
            case "bug":
                raise ZeroDivisionError
            case "alone":
                raise Unreachable("the service behind this one is away")
            case "slow":
                gone = Event()
                context.add_callback(gone.set)
                gone.wait(5)
            case "said":
                said = dict(context.invocation_metadata())["x-said"]
                return pb.NotifyResponse(delivery_ids=["served", str(said)])
        return pb.NotifyResponse(delivery_ids=["served"])


def register(server: grpc.Server) -> None:
    rpc.add_NotificationsServiceServicer_to_server(Servicer(), server)  # type: ignore[abstract]  # one RPC is enough


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(keys_dir=tmp_path / "keys")


@pytest.fixture
def server(settings: ServiceSettings) -> Iterator[GrpcServer]:
    server = GrpcServer("127.0.0.1:0", register, "oms.notifications.v1.NotificationsService", Authenticator(settings))
    server.start()
    yield server
    server.stop(0)


@pytest.fixture
def stub(server: GrpcServer, settings: ServiceSettings) -> rpc.NotificationsServiceStub:
    return rpc.NotificationsServiceStub(connect(f"127.0.0.1:{server.port}", machine_token(settings, "worker")))


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_a_connection_that_does_not_speak_grpc_is_closed(settings: ServiceSettings, sent: bytes) -> None:
    bounds = ConnectionBounds(handshake_s=0.5, idle_s=1)
    server = GrpcServer("127.0.0.1:0", register, "oms.x", Authenticator(settings), bounds=bounds)
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(sent)

            chunks = list(
                iter(lambda: client.recv(65536), b"")
            )  # ends when the server closes, and raises when it does not

        stub = rpc.NotificationsServiceStub(connect(f"127.0.0.1:{server.port}", machine_token(settings, "worker")))
        served = list(stub.Notify(pb.NotifyRequest(), timeout=30).delivery_ids)
    finally:
        server.stop(0)
    assert (b"served" in b"".join(chunks), served) == (False, ["served"])


_RESTS_S = 0.05
_ASKED_FOR_S = 30.0
"""Until when a call is sent again; a busy machine closes a connection that may rest for so short a time under several of them."""


def test_a_call_on_a_connection_that_rested_too_long_opens_another_one(settings: ServiceSettings) -> None:
    server = GrpcServer(
        "127.0.0.1:0", register, "oms.x", Authenticator(settings), bounds=ConnectionBounds(idle_s=_RESTS_S)
    )
    server.start()
    stub = rpc.NotificationsServiceStub(connect(f"127.0.0.1:{server.port}", machine_token(settings, "worker")))

    def asked() -> list[str]:
        until = time.monotonic() + _ASKED_FOR_S
        while time.monotonic() < until:
            with suppress(Unreachable):  # it was closed in the very moment of the call, which whoever calls sends again
                return list(stub.Notify(pb.NotifyRequest(), timeout=30).delivery_ids)
            time.sleep(_RESTS_S / 5)
        return []

    answers = []
    for _ in range(10):
        answers.append(asked())
        time.sleep(2 * _RESTS_S)

    server.stop(0)
    assert answers == [["served"]] * 10


def test_a_client_lets_a_connection_rest_for_less_time_than_any_server_may() -> None:
    client_ms = dict(_OPTIONS)["grpc.client_idle_timeout_ms"]

    assert client_ms == 300_000
    assert client_ms < ConnectionBounds().idle_s * 1000
    with pytest.raises(ValidationError, match="greater than 300"):
        ServiceSettings(grpc_idle_s=client_ms / 1000)


def test_who_decides_on_access_is_told_which_machine_calls_what(settings: ServiceSettings) -> None:
    asked: list[tuple[str, str]] = []

    def may_call(principal: Principal, method: str) -> bool:
        asked.append((principal.sub, method))
        return True

    name = "oms.notifications.v1.NotificationsService"
    server = GrpcServer("127.0.0.1:0", register, name, Authenticator(settings), may_call=may_call)
    server.start()
    stub = rpc.NotificationsServiceStub(connect(f"127.0.0.1:{server.port}", machine_token(settings, "worker")))

    stub.Notify(pb.NotifyRequest())
    server.stop(0)

    assert asked == [("worker", f"/{name}/Notify")]


def listed_services(port: int) -> list[str]:
    """What a stranger without a token learns of the services behind a port."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        answers = stub(channel).ServerReflectionInfo(asked, timeout=60)
        return [service.name for answer in answers for service in answer.list_services_response.service]


def test_a_server_tells_nobody_what_it_can_do(server: GrpcServer) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        listed_services(server.port)

    assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_server_tells_it_where_that_is_switched_on(settings: ServiceSettings) -> None:
    name = "oms.notifications.v1.NotificationsService"
    server = GrpcServer("127.0.0.1:0", register, name, Authenticator(settings), has_reflection=True)
    server.start()

    names = listed_services(server.port)
    server.stop(0)

    assert name in names


def test_a_refusal_crosses_the_wire_with_its_reason_sentence_and_detail(stub: rpc.NotificationsServiceStub) -> None:
    with pytest.raises(Refused) as refusal:
        stub.Notify(pb.NotifyRequest(order_id="refused"))

    assert refusal.value.reason == "STOCK_ALLOCATED"
    assert str(refusal.value) == "3 units are promised"
    assert refusal.value.detail == {"units": "3"}


def test_a_refusal_that_quotes_a_long_text_still_says_what_to_do(stub: rpc.NotificationsServiceStub) -> None:
    with pytest.raises(Refused) as refusal:
        stub.Notify(pb.NotifyRequest(order_id="long"))

    assert refusal.value.reason == "UNKNOWN_SKU"
    assert str(refusal.value).endswith("is no SKU: name one of the catalog")
    assert set(refusal.value.detail["sku"]) == {"\U0010ffff", " ", "…"}


@pytest.mark.parametrize(
    ("order_id", "kind"), [("missing", NotFound), ("lost", Conflict), ("bug", RemoteBug), ("alone", Unreachable)]
)
def test_each_kind_of_failure_stays_that_kind(
    stub: rpc.NotificationsServiceStub, order_id: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        stub.Notify(pb.NotifyRequest(order_id=order_id))


@asynccontextmanager
async def asking(port: int, settings: ServiceSettings) -> AsyncIterator[Any]:
    """The stub of an asyncio caller."""
    channel = connect_async(f"127.0.0.1:{port}", machine_token(settings, "worker"))
    kind: Any = rpc.NotificationsServiceStub
    yield kind(channel)
    await channel.close()


async def test_refusals_reach_asyncio_callers_too(server: GrpcServer, settings: ServiceSettings) -> None:
    async with asking(server.port, settings) as stub:
        with pytest.raises(Refused, match="promised"):
            await stub.Notify(pb.NotifyRequest(order_id="refused"))
        answer = await stub.Notify(pb.NotifyRequest())

    assert list(answer.delivery_ids) == ["served"]


@pytest.mark.parametrize(
    ("order_id", "kind"), [("missing", NotFound), ("lost", Conflict), ("bug", RemoteBug), ("alone", Unreachable)]
)
async def test_each_kind_of_failure_stays_that_kind_for_asyncio_callers(
    server: GrpcServer, settings: ServiceSettings, order_id: str, kind: type[Exception]
) -> None:
    async with asking(server.port, settings) as stub:
        with pytest.raises(kind):
            await stub.Notify(pb.NotifyRequest(order_id=order_id))


async def test_an_asyncio_caller_may_have_less_time_and_more_to_say(
    server: GrpcServer, settings: ServiceSettings
) -> None:
    async with asking(server.port, settings) as stub:
        with pytest.raises(Unreachable, match=r"NotificationsService/Notify: DEADLINE_EXCEEDED"):
            await stub.Notify(pb.NotifyRequest(order_id="slow"), timeout=0.05)
        answer = await stub.Notify(pb.NotifyRequest(order_id="said"), metadata=(("x-said", "by the caller"),))

    assert list(answer.delivery_ids) == ["served", "by the caller"]


async def test_a_service_that_is_away_is_unreachable_for_asyncio_callers_too(settings: ServiceSettings) -> None:
    async with asking(1, settings) as stub:
        with pytest.raises(Unreachable):
            await stub.Notify(pb.NotifyRequest())


def test_a_service_that_is_away_is_unreachable_not_refusing(settings: ServiceSettings) -> None:
    stub = rpc.NotificationsServiceStub(connect("127.0.0.1:1", machine_token(settings, "worker")))

    with pytest.raises(Unreachable):
        stub.Notify(pb.NotifyRequest())


def test_a_call_without_a_deadline_is_refused(server: GrpcServer, settings: ServiceSettings) -> None:
    token = MachineIssuer(settings.keys_dir).token(sub="worker", roles=["service"])
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel, pytest.raises(grpc.RpcError) as refusal:
        rpc.NotificationsServiceStub(channel).Notify(
            pb.NotifyRequest(), metadata=(("authorization", f"Bearer {token}"),)
        )

    assert "deadline" in str(refusal.value)


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer nonsense"])
def test_a_call_without_a_good_token_is_refused(server: GrpcServer, token: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel, pytest.raises(grpc.RpcError) as refusal:
        rpc.NotificationsServiceStub(channel).Notify(
            pb.NotifyRequest(), timeout=2, metadata=(("authorization", token),)
        )

    assert "UNAUTHENTICATED" in str(refusal.value)


def test_a_person_may_not_call_an_internal_service(server: GrpcServer, settings: ServiceSettings) -> None:
    token = LocalIssuer(settings.keys_dir).token(sub="eve", roles=["admin"], ttl=timedelta(minutes=1))
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel, pytest.raises(grpc.RpcError) as refusal:
        rpc.NotificationsServiceStub(channel).Notify(
            pb.NotifyRequest(), timeout=2, metadata=(("authorization", f"Bearer {token}"),)
        )

    assert "PERMISSION_DENIED" in str(refusal.value)


def test_health_needs_no_token(server: GrpcServer) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=2)

    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_taken_port_is_a_sentence(server: GrpcServer, settings: ServiceSettings) -> None:
    with pytest.raises(AddressTaken, match="another process has the port"):
        GrpcServer(f"127.0.0.1:{server.port}", register, "x", Authenticator(settings))

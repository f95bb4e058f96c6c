"""How a service answers: deadline required, caller verified, refusals named, health told; reflection where it is switched on."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]  # no stubs
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from sqlalchemy.exc import OperationalError

from services.kernel.bounds import MAX_MESSAGE
from services.kernel.errors import DomainError
from services.runtime import telemetry
from services.runtime.auth import Authenticator, NotAuthenticated, Principal
from services.runtime.grpc_client import Unreachable
from services.runtime.oidc import ProviderAway

log = structlog.get_logger()

_OPEN = ("/grpc.health.v1.Health/", "/grpc.reflection.")

_SENTENCE_BYTES, _DETAIL_BYTES = 1_200, 200
"""What a refusal says at most. A client takes 8 KiB of trailers; in them the sentence stands twice, once as three bytes for each."""

MayCall = Callable[[Principal, str], bool]
Observe = Callable[[str, str, float], None]
"""Told of each answered call: method, gRPC status, seconds."""


def only_services(principal: Principal, _method: str) -> bool:
    """The default access rule of an internal service: our own processes may call it, nobody else."""
    return principal.has("service")


class Calls(grpc.ServerInterceptor):
    """Wraps every unary RPC: verify, require a deadline, run, and say refusals in google.rpc.Status."""

    def __init__(self, authenticator: Authenticator, may_call: MayCall, observe: Observe | None = None) -> None:
        self._authenticator = authenticator
        self._may_call = may_call
        self._observe = observe

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wrap the handler found for the call."""
        handler = continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or handler.unary_unary is None or method.startswith(_OPEN):
            return handler
        token = dict(handler_call_details.invocation_metadata).get("authorization", "")

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            self._admit(method, str(token), context)
            with telemetry.about(request):
                return _run(handler.unary_unary, method, request, context)

        act = answer if self._observe is None else _timed(answer, method, self._observe)
        return grpc.unary_unary_rpc_method_handler(act, handler.request_deserializer, handler.response_serializer)

    def _admit(self, method: str, authorization: str, context: grpc.ServicerContext) -> None:
        if context.time_remaining() is None or context.time_remaining() > 3600:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "set a deadline on the call: nothing here waits for ever")
        try:
            principal = self._authenticator.verify(authorization.removeprefix("Bearer "))
        except NotAuthenticated as refusal:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, str(refusal))
        except ProviderAway as away:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(away))
        if not self._may_call(principal, method):
            context.abort(
                grpc.StatusCode.PERMISSION_DENIED,
                f"the role {', '.join(sorted(principal.roles))} may not call {method}",
            )


def _timed(act: Callable[[Any, Any], Any], method: str, observe: Observe) -> Callable[[Any, Any], Any]:
    """The same, with its time told; what a context says of its status is empty where all is well."""

    def timed(request: Any, context: Any) -> Any:
        started = time.perf_counter()
        status = "OK"
        try:
            return act(request, context)
        except BaseException:
            code = context.code()
            status = code.name if isinstance(code, grpc.StatusCode) else "UNKNOWN"
            raise
        finally:
            observe(method, status, time.perf_counter() - started)

    return timed


def _run(act: Callable[[Any, Any], Any], method: str, request: Any, context: grpc.ServicerContext) -> Any:
    try:
        return act(request, context)
    except DomainError as refusal:
        log.info("rpc.refused", method=method, reason=refusal.reason)
        context.abort_with_status(rpc_status.to_status(_status(refusal)))
    except OperationalError as away:
        log.warning("rpc.database_unavailable", method=method, error=str(away.orig))
        context.abort(grpc.StatusCode.UNAVAILABLE, "the database did not answer in time: try again")
    except Unreachable as away:
        log.warning("rpc.neighbor_unavailable", method=method, error=str(away))
        context.abort(grpc.StatusCode.UNAVAILABLE, "a service behind this one did not answer in time: try again")


def _status(refusal: DomainError) -> status_pb2.Status:
    detail = {name: _within(value, _DETAIL_BYTES) for name, value in refusal.detail.items()}
    info = error_details_pb2.ErrorInfo(reason=refusal.reason, domain="oms", metadata=detail)
    packed = any_pb2.Any()
    packed.Pack(info)
    message = _within(str(refusal), _SENTENCE_BYTES)
    return status_pb2.Status(code=code_pb2.Code.Value(refusal.code), message=message, details=[packed])


def _within(text: str, most: int) -> str:
    """The text, or its beginning and its end where it quotes more than `most` bytes: the end says what to do."""
    if len(text.encode()) <= most:
        return text
    raw, head = text.encode(), most * 2 // 3
    return f"{raw[:head].decode(errors='ignore')} … {raw[head - most :].decode(errors='ignore')}"


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """How long a connection may say nothing, in seconds: until it speaks gRPC at all, between two calls, and when it is pinged."""

    handshake_s: float = 10.0
    idle_s: float = 600.0
    ping_every_s: float = 60.0
    ping_within_s: float = 20.0


class GrpcServer:
    """A gRPC server on one address; `port` is known after construction (0 chooses a free one)."""

    def __init__(
        self,
        listen: str,
        register: Callable[[grpc.Server], None],
        service: str,
        authenticator: Authenticator,
        *,
        may_call: MayCall = only_services,
        workers: int = 12,
        observe: Observe | None = None,
        bounds: ConnectionBounds | None = None,
        has_reflection: bool = False,
    ) -> None:
        bounds = bounds or ConnectionBounds()
        self._server = grpc.server(
            ThreadPoolExecutor(max_workers=workers, thread_name_prefix="rpc"),
            interceptors=[*telemetry.server_tracers(), Calls(authenticator, may_call, observe)],
            options=[
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", MAX_MESSAGE),
                ("grpc.server_handshake_timeout_ms", int(bounds.handshake_s * 1000)),
                ("grpc.max_connection_idle_ms", int(bounds.idle_s * 1000)),
                ("grpc.keepalive_time_ms", int(bounds.ping_every_s * 1000)),
                ("grpc.keepalive_timeout_ms", int(bounds.ping_within_s * 1000)),
            ],
        )
        register(self._server)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if has_reflection:
            reflection.enable_server_reflection((service, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self._service = service
        try:
            self.port = self._server.add_insecure_port(listen)
        except RuntimeError as taken:
            raise AddressTaken(
                f"cannot listen on {listen}: another process has the port; stop it or set OMS_LISTEN"
            ) from taken

    def start(self) -> None:
        """Serve and report healthy."""
        self._server.start()
        for name in ("", self._service):
            self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float) -> None:
        """Report not serving, let running calls finish for at most `grace_s`, then end."""
        self._health.enter_graceful_shutdown()
        self._server.stop(grace_s).wait(grace_s + 1)


class AddressTaken(RuntimeError):
    """Another process listens where this one should."""

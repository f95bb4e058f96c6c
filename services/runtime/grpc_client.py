"""How a process calls another: a deadline and a token on every call, refusals back as DomainErrors, no retries of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.rpc import error_details_pb2  # type: ignore[import-untyped]  # the package has no stubs
from grpc_status import rpc_status

from services.kernel.errors import error_for
from services.runtime import telemetry

DEADLINE_S = 5.0
_OPTIONS = [
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    ("grpc.enable_retries", 0),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.initial_reconnect_backoff_ms", 100),
]
_TRANSPORT = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,
    }
)


class Unreachable(Exception):
    """The other process could not answer in time; the same call may be made again."""


class RemoteBug(Exception):
    """The other process failed in a way it does not name: a bug there, not a refusal."""


@dataclass(frozen=True, slots=True)
class _Call(grpc.ClientCallDetails):
    """The fields that grpc reads of a call."""

    method: str
    timeout: float | None
    metadata: tuple[tuple[str, str | bytes], ...] | None
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


def _with_defaults(details: Any, token: Callable[[], str]) -> Any:
    metadata = (*(details.metadata or ()), ("authorization", f"Bearer {token()}"))
    timeout = DEADLINE_S if details.timeout is None else details.timeout
    return _Call(details.method, timeout, metadata, details.credentials, False, getattr(details, "compression", None))


class _SyncCalls(grpc.UnaryUnaryClientInterceptor):
    """Adds deadline and token; raises what the service refused."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """One call."""
        outcome = continuation(_with_defaults(client_call_details, self._token), request)
        if isinstance(outcome, grpc.RpcError):
            raise failure_of(outcome, str(client_call_details.method))
        return outcome


class _AsyncCalls(grpc.aio.UnaryUnaryClientInterceptor):
    """The same for asyncio callers."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        """One call."""
        details = client_call_details
        metadata = grpc.aio.Metadata(*(tuple(details.metadata or ())), ("authorization", f"Bearer {self._token()}"))
        timeout = DEADLINE_S if details.timeout is None else details.timeout
        named = grpc.aio.ClientCallDetails(details.method, timeout, metadata, details.credentials, False)
        try:
            call = await continuation(named, request)
            return await call
        except grpc.aio.AioRpcError as error:
            raise failure_of(error, str(details.method)) from error


def failure_of(error: Any, method: str) -> Exception:
    """What a failed call means: a DomainError with the service's reason, Unreachable, or RemoteBug."""
    code, message = error.code(), error.details() or ""
    if code in _TRANSPORT:
        return Unreachable(f"{method}: {code.name}: {message}")
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    if status is not None:
        for detail in status.details:
            if detail.Unpack(info):
                return error_for(code.name, info.reason, message, **dict(info.metadata))
    return RemoteBug(f"{method}: {code.name}: {message}")


def connect(target: str, token: Callable[[], str]) -> grpc.Channel:
    """A channel for blocking callers; it connects when first used and again after the other side restarts."""
    channel = grpc.intercept_channel(grpc.insecure_channel(target, options=_OPTIONS), _SyncCalls(token))
    return telemetry.trace_channel(channel)


def connect_async(target: str, token: Callable[[], str]) -> grpc.aio.Channel:
    """A channel for asyncio callers."""
    interceptors = [_AsyncCalls(token), *telemetry.aio_tracers()]
    return grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=interceptors)

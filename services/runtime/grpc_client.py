"""How a process calls another: a deadline and a token on every call, refusals back as DomainErrors, no retries of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
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


class AsyncCalls:
    """A channel for asyncio callers, as far as stubs of unary calls use one: the same, without grpc's interceptors.

    Those make two tasks and a few objects of every call, and all that is to be said is known before it.
    """

    def __init__(self, channel: grpc.aio.Channel, token: Callable[[], str]) -> None:
        self._channel = channel
        self._token = token

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
        """The method as a coroutine function; how messages become bytes is the stub's to say."""
        call = self._channel.unary_unary(method, *args, **kwargs)

        async def answer(
            request: Any, *, timeout: float = DEADLINE_S, metadata: tuple[tuple[str, str | bytes], ...] = ()
        ) -> Any:
            bearer = ("authorization", f"Bearer {self._token()}")
            try:
                return await call(request, timeout=timeout, metadata=(*metadata, bearer))
            except grpc.aio.AioRpcError as error:
                raise failure_of(error, method) from error

        return answer

    async def close(self) -> None:
        """Let go of the connection; calls that are under way are cancelled."""
        await self._channel.close()


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


def connect_async(target: str, token: Callable[[], str]) -> AsyncCalls:
    """A channel for asyncio callers; it connects as the other does."""
    channel = grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=telemetry.aio_tracers())
    return AsyncCalls(channel, token)

"""How a process calls another: a deadline and a token on every call, refusals back as DomainErrors, no retries of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Self, cast

import grpc
import grpc.aio
from google.rpc import error_details_pb2  # type: ignore[import-untyped]  # the package has no stubs
from grpc_status import rpc_status

from services.kernel.bounds import CLIENT_IDLE_S, MAX_MESSAGE
from services.kernel.errors import error_for
from services.runtime import telemetry
from services.runtime.traced_calls import KeptAsyncChannel

DEADLINE_S = 5.0
_OPTIONS = [
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE),
    ("grpc.client_idle_timeout_ms", CLIENT_IDLE_S * 1000),
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


class Calls:
    """A channel for blocking callers, as far as stubs of unary calls use one: adds deadline and token, raises what was refused.

    It does so without grpc's interceptors, which make a few objects more of every call: all that is to be said is known before it.
    """

    def __init__(self, channel: grpc.Channel, token: Callable[[], str]) -> None:
        self._channel = channel
        self._token = token

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The method as a function; how messages become bytes is the stub's to say."""
        call = self._channel.unary_unary(method, *args, **kwargs)

        def answer(
            request: Any, *, timeout: float = DEADLINE_S, metadata: tuple[tuple[str, str | bytes], ...] = ()
        ) -> Any:
            bearer = ("authorization", f"Bearer {self._token()}")
            try:
                return call(request, timeout=timeout, metadata=(*metadata, bearer))
            except grpc.RpcError as error:
                raise failure_of(error, method) from error

        return answer

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As the channel has it; the stub of grpc's own health service asks for it, and nobody calls it."""
        return self._channel.unary_stream(method, *args, **kwargs)

    def __enter__(self) -> Self:
        """To be closed at the end of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Let go of the connection; calls that are under way are cancelled."""
        self._channel.close()


class AsyncCalls:
    """The same for asyncio callers."""

    def __init__(self, channel: grpc.aio.Channel | KeptAsyncChannel, token: Callable[[], str]) -> None:
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
    calls = Calls(telemetry.trace_channel(grpc.insecure_channel(target, options=_OPTIONS)), token)
    return cast("grpc.Channel", calls)  # stubs are annotated with whole channels, and use of them what it has


def connect_async(target: str, token: Callable[[], str]) -> AsyncCalls:
    """A channel for asyncio callers; it connects as the other does."""

    def make(interceptors: Sequence[grpc.aio.ClientInterceptor]) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(target, options=_OPTIONS, interceptors=interceptors)

    return AsyncCalls(telemetry.trace_async_channel(make), token)

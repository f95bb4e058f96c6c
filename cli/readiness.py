"""Probes: how the supervisor sees that a process can do its work."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

from cli.processes import Probe

_ASK_FOR_S = 2.0
_BEATS_WITHIN_S = 10.0
_GREETING = b"220 "
# every question gets a connection of its own: a shared one would keep the backoff of a failed attempt
_OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]


def grpc_serving(port: int, service: str = "") -> Probe:
    """Ready when the gRPC health service answers SERVING for a service."""

    async def probe() -> bool:
        if not await _listens(port):
            return False
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS) as channel:
            try:
                request = health_pb2.HealthCheckRequest(service=service)
                stub: Any = health_pb2_grpc.HealthStub(channel)  # its published types know no asyncio
                answer = await stub.Check(request, timeout=_ASK_FOR_S)
            except grpc.aio.AioRpcError:
                return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    return probe


def smtp_greeting(port: int) -> Probe:
    """Ready when the mail server greets; the kernel accepts connections for one that is stopped, too."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_ASK_FOR_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    return await reader.readexactly(len(_GREETING)) == _GREETING
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    return probe


def beating(path: Path) -> Probe:
    """Ready while the process touches its ready file, as it does every few seconds."""

    async def probe() -> bool:
        try:
            return time.time() - path.stat().st_mtime < _BEATS_WITHIN_S  # noqa: ASYNC240  # a look at a local file
        except FileNotFoundError:
            return False

    return probe


def http_ready(url: str) -> Probe:
    """Ready when the URL answers 200."""

    async def probe() -> bool:
        try:
            async with httpx.AsyncClient(timeout=_ASK_FOR_S, trust_env=False) as client:
                return (await client.get(url)).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return probe


def http_refused(url: str) -> Probe:
    """Ready when the URL answers that it does not know who asks."""

    async def probe() -> bool:
        try:
            async with httpx.AsyncClient(timeout=_ASK_FOR_S, trust_env=False) as client:
                return (await client.get(url)).status_code == httpx.codes.UNAUTHORIZED
        except httpx.HTTPError:
            return False

    return probe


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True

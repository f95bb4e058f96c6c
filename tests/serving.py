"""A gRPC server of a test, whose end is waited for no longer than a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc

_ENDS_WITHIN_S = 10


@contextmanager
def served(register: Callable[[grpc.Server], None]) -> Iterator[int]:
    """The port of 127.0.0.1 on which what `register` adds is served; calls under way at the end are cancelled."""
    server = grpc.server(ThreadPoolExecutor(4))
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        assert server.stop(None).wait(_ENDS_WITHIN_S), "a call is still under way"

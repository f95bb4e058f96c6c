"""What every small neighbor does: it can be away, and answers a repeat alike."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from services.kernel.errors import AlreadyExists
from services.runtime.grpc_client import DEADLINE_S, Unreachable

Answer = TypeVar("Answer", bound=Message)


class Neighbor:
    """A service that can be away, remembers request ids, and counts what it really did."""

    def __init__(self) -> None:
        self.is_away = False
        self.actions = 0
        self.deadlines: list[float] = []
        self._answers: dict[str, tuple[bytes, Any]] = {}
        self._ids = itertools.count(1)

    def here(self, timeout: float = DEADLINE_S) -> None:
        self.deadlines.append(timeout)
        if self.is_away:
            raise Unreachable("the fake is away")

    def once(self, request: Any, act: Callable[[], Answer]) -> Answer:
        self.here()
        sent = request.SerializeToString(deterministic=True)
        if request.request_id in self._answers:
            first, answer = self._answers[request.request_id]
            if first != sent:
                raise AlreadyExists("REQUEST_ID_REUSED", "use a new id for a new request")
            return answer  # type: ignore[no-any-return]  # stored under the same request type
        answer = act()
        self.actions += 1
        self._answers[request.request_id] = (sent, answer)
        return answer

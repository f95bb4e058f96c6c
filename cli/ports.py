"""Which port each process listens on, and who has a port that should be free."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Self

import psutil

from cli.refusals import CommandRefused

IsFree = Callable[[int], bool]

HIGHEST = 65535
_STEP = 100
_UI_ABOVE = 10
_WHO = {
    "http": "the API with the console",
    "orders": "the orders service",
    "inventory": "the inventory service",
    "fulfillment": "the fulfillment service",
    "billing": "the billing service",
    "notifications": "the notifications service",
    "mail": "the mail sink",
    "stripe": "the stand-in for Stripe",
    "temporal": "Temporal",
    "temporal_ui": "the Temporal UI",
}


class PortTaken(CommandRefused):
    """A port the system needs is in use; the message says which, by whom, and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one embedded system, all on 127.0.0.1."""

    http: int = 8000
    orders: int = 7301
    inventory: int = 7302
    fulfillment: int = 7303
    billing: int = 7304
    notifications: int = 7305
    mail: int = 7325
    stripe: int = 7326
    temporal: int = 7233
    temporal_ui: int = 8233

    @classmethod
    def shifted(cls, offset: int, http: int | None = None) -> Self:
        """The defaults plus an offset, so that systems live side by side; `http` overrides its own.

        No port is one of the first system's, and systems whose offsets are hundreds apart share none.
        """
        usual = asdict(cls())
        moved: dict[str, int] = {}
        for name, port in usual.items():
            # 1000 above Temporal its UI would have the port of another system's Temporal
            wanted = offset + (usual["temporal"] + _UI_ABOVE if name == "temporal_ui" and offset else port)
            while offset and (wanted in usual.values() or wanted in moved.values()):
                wanted += 1
            moved[name] = wanted
        return cls(**{**moved, "http": http if http is not None else moved["http"]})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `as_text` wrote: "http=8000,orders=7301,…"; names left out keep their defaults."""
        try:
            return cls(
                **{name: int(port) for name, _, port in (part.partition("=") for part in text.split(",") if part)}
            )
        except (TypeError, ValueError):
            raise CommandRefused(f"ports are written as {cls().as_text()}") from None

    def as_text(self) -> str:
        """All of them in one word, for a command line."""
        return ",".join(f"{name}={port}" for name, port in self.by_name().items())

    def by_name(self) -> dict[str, int]:
        """Name → port."""
        return asdict(self)


_USUAL = Ports()


def is_free(port: int) -> bool:
    """Whether a process of ours could listen on it now."""
    with socket.socket() as probe:
        # as servers do: a port whose old connections are still closing is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def require_free(ports: Ports, is_free: IsFree = is_free) -> None:
    """Raise PortTaken when a port is not free, is no port, or is wanted twice."""
    by_name = ports.by_name()
    for name, port in by_name.items():
        if not 0 < port <= HIGHEST:
            option = "--http-port" if name == "http" and _own_http(ports) is not None else "--port-offset"
            raise PortTaken(f"{port}, which {_WHO[name]} would need, is no port: choose another {option}")
        other = next((other for other, its in by_name.items() if its == port and other != name), None)
        if other is not None:
            raise PortTaken(f"port {port} is wanted by {_WHO[name]} and by {_WHO[other]}: choose another --http-port")
    taken = [name for name, port in by_name.items() if not is_free(port)]
    if taken:
        raise PortTaken(_sentence(ports, taken, is_free))


def _sentence(ports: Ports, taken: Sequence[str], is_free: IsFree) -> str:
    """Which port, who needs it, who has it, and the option that helps: --http-port moves the API alone."""
    port = ports.by_name()[taken[0]]
    more = f", and {len(taken) - 1} more are" if len(taken) > 1 else ""
    if taken == ["http"]:
        option, number = "--http-port", _free_http(ports, is_free)
    else:
        option, number = "--port-offset", _free_offset(ports, is_free)
    advice = f"choose another {option}" if number is None else f"start with {option} {number}"
    return f"port {port}, which {_WHO[taken[0]]} needs, is taken{_by_whom(port)}{more}: stop what has it, or {advice}"


def _free_http(ports: Ports, is_free: IsFree) -> int | None:
    """The next port that the API could have."""
    others = ports.by_name().values()
    return next((port for port in range(ports.http + 1, HIGHEST) if port not in others and is_free(port)), None)


def _free_offset(ports: Ports, is_free: IsFree) -> int | None:
    """The next offset, by hundreds, under which all ports are free; an API with a port of its own keeps it if it can."""
    own = _own_http(ports)
    kept = own if own is not None and is_free(own) else None
    for offset in range(ports.orders - _USUAL.orders + _STEP, HIGHEST - _USUAL.temporal_ui, _STEP):
        if all(is_free(port) for port in Ports.shifted(offset, kept).by_name().values()):
            return offset
    return None


def _own_http(ports: Ports) -> int | None:
    """The API's port when it is not the default one, moved as all others are."""
    return None if ports.http - _USUAL.http == ports.orders - _USUAL.orders else ports.http


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            is_it = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if is_it and connection.pid is not None:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass  # only its owner may know who it is
    return ""

"""Which port each process listens on, and who has a port that should be free."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass
from typing import Self

import psutil

from cli.refusals import CommandRefused

HIGHEST = 65535


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
    temporal: int = 7233
    temporal_ui: int = 8233

    @classmethod
    def shifted(cls, offset: int, http: int | None = None) -> Self:
        """The defaults plus an offset, so that two systems live side by side; `http` overrides its own."""
        moved = {name: port + offset for name, port in asdict(cls()).items()}
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


def require_free(ports: Ports) -> None:
    """Raise PortTaken for the first port that is not free (or is no port)."""
    for name, port in ports.by_name().items():
        if not 0 < port <= HIGHEST:
            raise PortTaken(f"{port} is no port for {name}: choose another --port-offset or --http-port")
        if not _is_free(port):
            raise PortTaken(
                f"port {port} ({name}) is taken{_by_whom(port)}: stop that process, or choose other ports with "
                f"{'--http-port' if name == 'http' else '--port-offset 100'}"
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # as servers do: a port whose old connections are still closing is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
    return True


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            is_it = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if is_it and connection.pid is not None:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass  # only its owner may know who it is
    return ""

"""What a connection may take of the HTTP server: sockets that send slowly, in part or nothing, that read nothing, and many of them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

from gateway.server import MAX_HEAD_BYTES, Bounds, HttpServer

SOON = 30.0
"""Longer than any deadline of these tests: who waits so long hangs."""
LARGE = 64 << 20
QUICK = Bounds(head_s=0.3, body_s=0.3, read_s=0.3, idle_s=1, connections=6, per_address=4)


class Held:
    """An answer that goes on until the test lets it end."""

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def last(self) -> bytes:
        self.may_end.wait(SOON)
        return b"ended"

    def parts(self) -> Iterator[bytes]:
        yield b"begun"
        yield self.last()


def application(held: Held) -> FastAPI:
    app = FastAPI()

    @app.get("/begun")
    def begun() -> StreamingResponse:
        return StreamingResponse(held.parts())

    @app.get("/waiting")
    def waiting() -> PlainTextResponse:
        return PlainTextResponse(held.last())

    @app.post("/my/returns/RMA-1")
    @app.post("/my/returns/RMA-1/photos")
    @app.post("/echo")
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    @app.get("/large")
    async def large() -> PlainTextResponse:
        return PlainTextResponse(b"x" * LARGE)

    return app


@contextmanager
def serving(bounds: Bounds, held: Held | None = None) -> Iterator[HttpServer]:
    server = HttpServer(application(held or Held()), "127.0.0.1:0", bounds)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[HttpServer]:
    with serving(QUICK) as quick:
        yield quick


def connected(server: HttpServer, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), SOON, source_address=(source, 0))


def until_closed(client: socket.socket) -> bytes:
    """All that comes before the server closes, be it with an RST; TimeoutError when it does not."""
    parts = []
    with suppress(ConnectionError):
        while part := client.recv(65536):
            parts.append(part)
    return b"".join(parts)


def send_for_ever(client: socket.socket) -> None:
    while True:
        client.sendall(b"\r\n" * 4096)


POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        (b"", "head"),
        (b"\r\n", "head"),
        (b"GET /ec", "head"),
        (b"GET /echo HTTP/1.1\r\nHost: x\r\nX-Slow: ", "head"),
        (POST, "body"),
        (POST + b"12345", "body"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123", "body"),
        (POST + b"1234567890GET /la", "head"),
    ],
)
def test_a_request_that_does_not_come_is_told_so_and_closed(server: HttpServer, sent: bytes, part: str) -> None:
    with connected(server) as client:
        client.sendall(sent)

        answer = until_closed(client)

    head, _, body = answer.rpartition(b"HTTP/1.1 408 Request Timeout\r\n")[2].partition(b"\r\n\r\n")
    assert b"connection: close" in head
    problem = json.loads(body)
    assert problem["code"] == "REQUEST_TOO_SLOW"
    assert problem["detail"] == f"the {part} of the request did not come within 0.3 s: send it again at once"


BEGUN, WAITING = b"GET /begun HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        BEGUN + b"GET /ec",
        BEGUN + WAITING + b"GET /ec",
        BEGUN + b"no HTTP\r\n\r\n",
        BEGUN + POST + b"12345",
        WAITING + b"GET /ec",
        WAITING + POST + b"12345",
        WAITING + b"GET /echo HTTP/1.1\r\nX-Long: " + b"a" * (MAX_HEAD_BYTES + 1),
    ],
)
def test_nothing_is_said_of_a_spoiled_request_in_the_answer_to_the_one_before_it(sent: bytes) -> None:
    held = Held()
    with serving(QUICK, held) as server, connected(server) as client:
        client.sendall(sent)

        answer = until_closed(client)

        held.may_end.set()
    assert [line for line in answer.splitlines() if line.startswith(b"HTTP/1.1 ")] in ([], [b"HTTP/1.1 200 OK"])
    assert answer == b"" or sent.startswith(BEGUN)


def test_a_request_that_comes_byte_by_byte_for_ever_is_closed(server: HttpServer) -> None:
    with connected(server) as client:
        client.settimeout(0.05)
        client.sendall(b"GET /echo HTTP/1.1\r\nX-Slow: ")
        answer = b""
        while not answer:
            client.sendall(b"a")
            try:
                answer = client.recv(65536)
            except TimeoutError:
                continue

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_connection_rests_between_two_requests_no_longer_than_it_may(server: HttpServer) -> None:
    with connected(server) as client:
        client.sendall(POST + b"1234567890")

        answer = until_closed(client)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"1234567890")


def test_who_does_not_read_the_answer_is_closed(server: HttpServer) -> None:
    with connected(server) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")

        # the server gives up after 0.3 s; its RST fails what is sent then
        with pytest.raises(ConnectionError):
            send_for_ever(client)


def test_a_head_that_has_no_end_is_refused(server: HttpServer) -> None:
    with connected(server) as client:
        client.sendall(b"GET /echo HTTP/1.1\r\nX-Long: " + b"a" * (MAX_HEAD_BYTES + 1))

        answer = until_closed(client)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"code":"HEAD_TOO_LARGE"' in answer


def test_what_is_no_http_is_refused(server: HttpServer) -> None:
    with connected(server) as client:
        client.sendall(b"no HTTP\r\n\r\n")

        answer = until_closed(client)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"MALFORMED_REQUEST"' in answer


def test_connections_are_bounded_by_address_and_altogether_and_one_that_goes_makes_room() -> None:
    slow = Bounds(head_s=SOON, connections=6, per_address=4)
    with serving(slow) as server:
        first = [connected(server) for _ in range(4)]
        with closing(connected(server)) as fifth:
            refused = until_closed(fifth)
        others = [connected(server, "127.0.0.2") for _ in range(2)]
        with closing(connected(server, "127.0.0.3")) as seventh:
            also_refused = until_closed(seventh)
        first.pop().close()

        # the server hears of the end before it accepts who comes later
        with closing(connected(server)) as after:
            after.sendall(POST + b"1234567890")
            answer = after.recv(65536)

        for one in (*first, *others):
            one.close()

    for said in (refused, also_refused):
        assert said.startswith(b"HTTP/1.1 503 Service Unavailable")
        assert b'"code":"TOO_MANY_CONNECTIONS"' in said
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(("path", "is_awaited"), [("/my/returns/RMA-1/photos", True), ("/my/returns/RMA-1", False)])
def test_photos_have_longer_to_come_than_other_bodies(
    server: HttpServer, path: str, is_awaited: bool
) -> None:  # a table
    head = f"POST {path}?a=/photos HTTP/1.1\r\nHost: oms\r\nContent-Length: 9\r\n\r\n".encode()
    with connected(server) as client:
        client.sendall(head + b"12345")
        client.settimeout(QUICK.body_s * 4)

        try:
            said = client.recv(64)
        except TimeoutError:
            said = b""

    assert (said, b" 408 " in said) == ((b"", False) if is_awaited else (said, True))


def test_half_a_body_is_no_request(server: HttpServer) -> None:
    with connected(server) as client:
        client.sendall(POST + b"12345")
        client.shutdown(socket.SHUT_WR)

        assert b"200 OK" not in until_closed(client)

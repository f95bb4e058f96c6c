"""A form that is refused is shown again: its page is made again, with the reason on top and with everything that was typed."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from starlette.types import Message, Scope

from gateway.console.visitor import Returned, safe_path

_KEPT = (b"host", b"cookie", b"accept")
_CONNECTION = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path")


def form_page(request: Request) -> str:
    """The address of our own page whose form was sent; empty for what was only looked at."""
    came_from, ours = request.headers.get("Referer", ""), f"{request.url.scheme}://{request.headers.get('Host', '')}/"
    if not hasattr(request.state, "form") and request.method != "POST":
        return ""
    if not came_from.startswith(ours):
        return ""
    path = safe_path(came_from[len(ours) - 1 :])
    return "" if path == "/" else path


def way_back(request: Request) -> str:
    """The address of the form with the key that it was sent under, so that another press does nothing more; empty without one."""
    address, key = form_page(request), getattr(request.state, "form", {}).get("key", "")
    if not (address and key):
        return address
    path, _, query = address.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "key"]
    return f"{path}?{urlencode([*kept, ('key', key)])}"


async def rerendered_form(request: Request, status: int, sentence: str) -> Response | None:
    """The page of a form that its visitor sent; None when no form was read, or when its page cannot be shown now either."""
    address = form_page(request)
    if not address or not hasattr(request.state, "form"):
        return None
    returned = Returned(request.state.form, sentence)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await request.app(_get(request, address, returned), receive, send)
    if sent[0]["status"] != 200:
        return None
    return HTMLResponse(b"".join(message.get("body", b"") for message in sent), status)


def _get(request: Request, address: str, returned: Returned) -> Scope:
    """A request for a page over the same connection, by the same browser."""
    parts = urlsplit(address)
    return {
        **{name: request.scope[name] for name in _CONNECTION if name in request.scope},
        "method": "GET",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [header for header in request.scope["headers"] if header[0] in _KEPT],
        "state": {"returned": returned},
    }

"""Refusals as pages: a heading, a sentence that tells a person what to do, and a way on. Never JSON, never a trace."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from gateway.console.pages import render, render_for_nobody
from gateway.console.rerender import rerendered_form, way_back
from gateway.console.visitor import LoginNeeded, visitor_anywhere
from gateway.http.plumbing.deps import deps_of
from gateway.http.plumbing.problems import RETRY_AFTER_S, ApiError
from services.kernel.errors import DomainError
from services.runtime.grpc_client import Unreachable
from services.runtime.oidc import ProviderAway

log = structlog.get_logger()

_HEADINGS = {
    403: "You don't have access to this page",
    404: "Not found",
    405: "Not possible here",
    409: "Not possible right now",
    422: "Please check your entries",
    429: "Too many attempts",
    503: "Temporarily unavailable",
    500: "Something went wrong on our side",
}
_AWAY = "a part of the system did not answer in time: try again in a moment"
_BUG = "this is our mistake, not yours, and it is logged: tell support when it happened"
_UNKNOWN = "there is no page at this address: check it, or start from the overview"


def install(app: FastAPI) -> None:
    """Answer every refusal of this application with a page."""
    app.add_exception_handler(LoginNeeded, _to_login)
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(Unreachable, _unreachable)
    app.add_exception_handler(ProviderAway, _provider_away)
    app.add_exception_handler(OperationalError, _away)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def _to_login(request: Request, error: Exception) -> Response:
    assert isinstance(error, LoginNeeded)
    target = "/login" if error.back == "/" else f"/login?{urlencode({'back': error.back})}"
    if request.headers.get("HX-Request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, 303)


def page(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """A page that says what is wrong, with the menu of whoever is logged in, as far as the database answers."""
    heading = _HEADINGS.get(status, HTTPStatus(status).phrase)
    shown: dict[str, Any] = {
        "status": status,
        "heading": heading,
        "sentence": _sentence(sentence),
        "back": way_back(request),
    }
    try:
        who = visitor_anywhere(request)
        answer = render("error.html", who, **shown) if who else None
    except OperationalError:
        answer = None
    answer = answer or render_for_nobody("error.html", deps_of(request).console, **shown)
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return await _answer(request, error.http_status, error.message)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return await _answer(request, error.status, error.detail, error.headers)


async def _unreachable(request: Request, _error: Exception) -> Response:
    return await _answer(request, 503, _AWAY, {"Retry-After": str(RETRY_AFTER_S)})


async def _provider_away(request: Request, error: Exception) -> Response:
    return await _answer(request, 503, str(error), {"Retry-After": str(RETRY_AFTER_S)})


async def _answer(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """The page of the form that was refused, as it was filled in; else a page that only says what is wrong."""
    again = await rerendered_form(request, status, _sentence(sentence))
    if again is None:
        return await run_in_threadpool(page, request, status, sentence, headers)
    again.headers.update(headers or {})
    return again


def _away(request: Request, _error: Exception) -> Response:
    return page(request, 503, _AWAY, {"Retry-After": str(RETRY_AFTER_S)})


def _invalid(request: Request, _error: Exception) -> Response:
    return page(request, 404, _UNKNOWN)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = _UNKNOWN if error.status_code == 404 else "this page does not take that: use its buttons"
    return page(request, error.status_code, sentence, error.headers)


def _bug(request: Request, _error: Exception) -> Response:
    return page(request, 500, _BUG)

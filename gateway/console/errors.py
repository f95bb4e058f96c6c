"""Refusals as pages: a heading, a sentence that tells a person what to do, and a way on. Never JSON, never a trace."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from gateway.console.pages import render
from gateway.console.rerender import form_page, rerendered_form
from gateway.console.visitor import LoginNeeded, login_of
from gateway.http.plumbing.deps import deps_of
from gateway.http.plumbing.problems import RETRY_AFTER_S, ApiError
from services.kernel.errors import DomainError
from services.runtime.grpc_client import Unreachable

log = structlog.get_logger()

_HEADINGS = {
    403: "Not yours to open",
    404: "Not found",
    405: "Not like this",
    409: "That is not possible now",
    422: "Something in it is not right",
    429: "Too many tries",
    503: "Not reachable just now",
    500: "Our mistake",
}
_AWAY = "a part of the system did not answer in time: try the same again in a moment"
_BUG = "this is our mistake, not yours: it is logged; tell support when it happened"
_UNKNOWN = "there is nothing at this address: check it, or start from the overview"


def install(app: FastAPI) -> None:
    """Answer every refusal of this application with a page."""
    app.add_exception_handler(LoginNeeded, _to_login)
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(Unreachable, _unreachable)
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
    """A page that says what is wrong; it knows the visitor's name only if the login is good and the database answers."""
    heading = _HEADINGS.get(status, HTTPStatus(status).phrase)
    answer = render(
        "error.html",
        None,
        status=status,
        heading=heading,
        sentence=_sentence(sentence),
        is_known=_is_known(request),
        back=form_page(request),
    )
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


def _is_known(request: Request) -> bool:
    try:
        return login_of(request, deps_of(request)) is not None
    except OperationalError:
        return False


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
    sentence = _UNKNOWN if error.status_code == 404 else "this address does not take that: use the buttons of its page"
    return page(request, error.status_code, sentence, error.headers)


def _bug(request: Request, _error: Exception) -> Response:
    return page(request, 500, _BUG)

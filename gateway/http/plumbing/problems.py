"""Errors as RFC 9457 problems: a stable code for programs, a sentence that tells a person what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from gateway.http.plumbing.field_messages import sentence
from services.kernel.errors import DomainError
from services.runtime.grpc_client import Unreachable
from services.runtime.oidc import ProviderAway

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
_MAX_ERRORS = 20
_KEY_MISSING = "send an Idempotency-Key header: a new key for each new request, the same key when you send one again"


class FieldProblem(BaseModel):
    """What is wrong with one member of the request."""

    pointer: str = Field(description="Where: a JSON pointer into the body, or the name of a parameter or header.")
    code: str = Field(description="A stable word for programs.")
    detail: str = Field(description="What to write instead.")


class Problem(BaseModel):
    """A refusal (RFC 9457)."""

    type: str = Field(description="A URI naming the kind of problem.", examples=["urn:oms:problem:stale-version"])
    title: str = Field(description="What the HTTP status means.", examples=["Conflict"])
    status: int = Field(description="The HTTP status.", examples=[409])
    detail: str = Field(description="A sentence that tells a person what to do.")
    code: str = Field(description="The stable reason for programs.", examples=["STALE_VERSION"])
    errors: list[FieldProblem] = Field(
        default=[], description="Every member that is wrong, when the request itself is."
    )
    parameters: dict[str, str] = Field(
        default={}, description="Figures behind the sentence, such as the current version."
    )


class ApiError(Exception):
    """A refusal of the HTTP layer itself, when no rule of the domain was asked."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, pointer: str = ""
    ) -> None:
        super().__init__(code, detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers or {})
        self.errors = [FieldProblem(pointer=pointer, code=code, detail=detail)] if pointer else []


def answer(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The response of a refusal."""
    problem = Problem(
        type=f"urn:oms:problem:{code.lower().replace('_', '-')}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        errors=list(errors),
        parameters=dict(parameters or {}),
    )
    return JSONResponse(problem.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every refusal of this application as a problem."""
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(Unreachable, _unreachable)
    app.add_exception_handler(ProviderAway, _provider_away)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError)
    return answer(error.http_status, error.reason, error.message, parameters=error.detail)


def _api_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return answer(error.status, error.code, error.detail, errors=error.errors, headers=error.headers)


def _unreachable(_request: Request, _error: Exception) -> JSONResponse:
    return _try_again(
        "SERVICE_UNAVAILABLE", "a service behind this API did not answer in time: send the same request again"
    )


def _provider_away(_request: Request, error: Exception) -> JSONResponse:
    return _try_again("IDENTITY_PROVIDER_UNAVAILABLE", str(error))


def _database_away(_request: Request, _error: Exception) -> JSONResponse:
    return _try_again("DATABASE_UNAVAILABLE", "the database did not answer in time: send the same request again")


def _try_again(code: str, detail: str) -> JSONResponse:
    return answer(503, code, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _bug(_request: Request, _error: Exception) -> JSONResponse:
    return answer(500, "INTERNAL_ERROR", "this is our mistake, not yours: it is logged; tell support when it happened")


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, detail = {
        400: ("MALFORMED_REQUEST", "the request could not be read: send valid JSON"),
        404: ("UNKNOWN_PATH", "there is nothing at this address: the paths are listed at /docs"),
        405: ("METHOD_NOT_ALLOWED", "this address does not take that method: the Allow header names those it takes"),
    }.get(error.status_code, (HTTPStatus(error.status_code).name, str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return answer(error.status_code, code, detail, headers=headers)


def _allowed(request: Request) -> list[str]:
    """The methods of every route at this address: the first one that matched knows only its own."""
    routes = iter_route_contexts(request.app.routes)
    matching = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in matching for method in route.methods or ()})


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return answer(400, "MALFORMED_JSON", "the body is not JSON: check quotes, commas and brackets")
    if any(entry["loc"][0] == "path" for entry in found):
        return answer(404, "NOT_FOUND", "there is nothing with this identity: check the address")
    if any(entry["type"] == "missing" and entry["loc"] == ("header", "Idempotency-Key") for entry in found):
        return answer(422, "IDEMPOTENCY_KEY_MISSING", _KEY_MISSING)
    wrong = [_field(entry) for entry in found[:_MAX_ERRORS]]
    places = ", ".join(dict.fromkeys(problem.pointer for problem in wrong[:5]))
    return answer(422, "INVALID_REQUEST", f"correct {places}: errors says what each must be", errors=wrong)


def _field(entry: Mapping[str, Any]) -> FieldProblem:
    place, *path = entry["loc"]
    # a part that is no name and no place is the branch of a union, which the sender knows nothing of
    named = [str(part) for part in path if re.fullmatch(r"\w+", str(part))]
    pointer = "".join(f"/{part}" for part in named) or "/" if place == "body" else str(path[0] if path else place)
    return FieldProblem(pointer=pointer, code=str(entry["type"]).upper(), detail=sentence(entry))

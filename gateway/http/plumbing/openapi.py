"""The OpenAPI document: every operation with who may call it and every answer it can give, refusals as problems."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.http.plumbing.idempotency import REPLAYED
from gateway.http.plumbing.problems import MEDIA_TYPE, Problem
from services.orders.access.matrix import Matrix

Node = dict[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_REFUSALS = {
    400: "The request cannot be read: no JSON, not UTF-8, too deep.",
    401: "No token, or none that is accepted.",
    403: "The role may not do this.",
    404: "There is no such thing, or none that the caller may know of.",
    409: "The state forbids it: a stale version, a wrong status, not enough of something.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not sent as JSON.",
    422: "A member is wrong, or the key was used for another request.",
    503: "Something behind this API is away: send the same request again after Retry-After seconds.",
}
_REACHES = {"own": "its own", "assigned": "of assigned customers", "all": "all"}
_OPEN = {"public": "anybody, without a token", "signature": "whoever signs the body"}
_UNSAID = "Successful Response"
"""What FastAPI says of an answer of which nobody said anything."""
_PAGE = "One page of the list."
_PAGE_OF = re.compile(r"Page_(\w+?)_")
"""How FastAPI names a Page of something."""
_REFERENCE = "#/components/schemas/"
_REPLAY_HEADER = {
    "description": "true when this repeats the first answer to the Idempotency-Key.",
    "schema": {"type": "string"},
}
_EXAMPLE = {
    "type": "urn:oms:problem:stale-version",
    "title": "Conflict",
    "status": 409,
    "detail": "the order has changed since you read it: it is at version 3 now; read it again",
    "code": "STALE_VERSION",
    "errors": [],
    "parameters": {"version": "3"},
}


def install(app: FastAPI, matrix: Matrix) -> None:
    """Make /openapi.json say what this application answers."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app, matrix)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def describe(app: FastAPI, matrix: Matrix) -> dict[str, Any]:
    """The document with problems in place of FastAPI's own error shapes."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template=_REFERENCE + "{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = {**problem, "examples": [_EXAMPLE]}
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for path, method, operation in operations(document):
        name = f"{method.upper()} {path}"
        _describe_action(operation, matrix, name)
        _describe_success(operation, schemas)
        _describe_refusals(path, method, operation, is_open=matrix.is_open(name))
    return with_client_names(document)


def with_client_names(document: Node) -> Node:
    """The document with the schema names that a generated client gets as class names: Page_MoneyShape_ becomes MoneyPage.

    Raises ValueError when two schemas would share one name: a generator keeps one of them and drops operations of the other.
    """
    schemas: Node = document["components"]["schemas"]
    names = {old: _client_name(old) for old in schemas}
    if len(set(names.values())) < len(names):
        taken = sorted(f"{old} → {new}" for old, new in names.items() if list(names.values()).count(new) > 1)
        raise ValueError(f"schemas share a name: {', '.join(taken)}")
    document["components"]["schemas"] = {
        new: {**schemas[old], "title": new} for old, new in sorted(names.items(), key=lambda pair: pair[1])
    }
    _rename_references(document, {_REFERENCE + old: _REFERENCE + new for old, new in names.items()})
    return document


def _client_name(schema_name: str) -> str:
    page = _PAGE_OF.fullmatch(schema_name)
    return f"{_client_name(page[1])}Page" if page else schema_name.removesuffix("Shape")


def _rename_references(node: Any, names: dict[str, str]) -> None:
    if isinstance(node, list):
        for each in node:
            _rename_references(each, names)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            node["$ref"] = names[node["$ref"]]
        for each in node.values():
            _rename_references(each, names)


def operations(document: Node) -> Iterator[tuple[str, str, Node]]:
    """Each (path, method, operation) of a document."""
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _describe_action(operation: Node, matrix: Matrix, name: str) -> None:
    """The summary is the first clause of what the operation says of itself; the whole of it ends with who may call it."""
    row, said = matrix.http[name], operation["description"]
    roles = _OPEN[row] if isinstance(row, str) else ", ".join(f"{role} ({_REACHES[row[role]]})" for role in row)
    operation["summary"] = " ".join(re.split(r"[.:;](?:\s|$)", said, maxsplit=1)[0].split())
    operation["description"] = f"{said}\n\nWho: {roles}."


def _describe_success(operation: Node, schemas: Node) -> None:
    is_keyed = any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        if answer["description"] == _UNSAID:
            [shape] = [content["schema"] for content in answer["content"].values()]
            answer["description"] = schemas[shape["$ref"].rsplit("/", 1)[-1]].get("description", _PAGE)
        if is_keyed:
            answer.setdefault("headers", {})[REPLAYED] = _REPLAY_HEADER


def _describe_refusals(path: str, method: str, operation: Node, *, is_open: bool) -> None:
    answers: Node = operation["responses"]
    if not path.startswith("/v1/"):
        answers.pop("422", None)
        answers["400"] = _refusal(400)
        return
    has_body = "requestBody" in operation
    wanted = {400, 503} | (set() if is_open else {401, 403})
    if path.startswith("/v1/webhooks/"):
        wanted.add(401)
    if has_body or operation.get("parameters"):
        wanted.add(422)
    wanted |= {status for status in (404, 409) if str(status) in answers}
    if "{" in path or "customer_id" in [entry["name"] for entry in operation.get("parameters", [])]:
        wanted.add(404)
    if method != "get":
        wanted |= {404, 409, 413, 415, 422}
    for status in sorted(wanted):
        own = answers.get(str(status), {}) if status in (404, 409) else {}
        answers[str(status)] = _refusal(status, own.get("description", ""))


def _refusal(status: int, own: str = "") -> Node:
    """The answer of a refusal, with what its operation says of it where that says something."""
    schema = {"$ref": f"{_REFERENCE}Problem"}
    answer: Node = {"description": own or _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
    if status == 503:
        answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"description": "Bearer.", "schema": {"type": "string"}}}
    return answer

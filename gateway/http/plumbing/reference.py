"""The API reference at /docs: one plain page made from the OpenAPI document, without script or foreign assets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.http.plumbing.openapi import operations

router = APIRouter(include_in_schema=False)

_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


@router.get("/docs")
def reference(request: Request) -> HTMLResponse:
    """Every operation with who may call it, what it takes and what it answers."""
    document = request.app.openapi()
    page = _pages.get_template("reference.html").render(
        title=document["info"]["title"],
        version=document["info"]["version"],
        description=document["info"].get("description", ""),
        groups=_groups(document),
        schemas={
            name: json.dumps(schema, indent=2) for name, schema in sorted(document["components"]["schemas"].items())
        },
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _SECURITY, "X-Content-Type-Options": "nosniff"})


def _groups(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Tag → its operations, in the order of the document."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, method, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        entry = {
            "name": f"{method.upper()} {path}",
            "summary": operation["summary"],
            "paragraphs": operation["description"].split("\n\n"),
            "parameters": operation.get("parameters", []),
            "body": _schema_name(body),
            "answers": [
                (status, answer.get("description", ""), _answer_schema(answer))
                for status, answer in sorted(operation["responses"].items())
            ],
        }
        groups.setdefault((operation.get("tags") or ["other"])[0], []).append(entry)
    return groups


def _answer_schema(answer: dict[str, Any]) -> str:
    return next((_schema_name(content.get("schema", {})) for content in answer.get("content", {}).values()), "")


def _schema_name(schema: dict[str, Any]) -> str:
    """The last word of a reference; "" for an inline schema."""
    choices = [schema, *schema.get("anyOf", [])]
    return next((choice["$ref"].rsplit("/", 1)[-1] for choice in choices if "$ref" in choice), "")

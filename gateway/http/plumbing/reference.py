"""The API reference at /docs: one plain page made from the OpenAPI document, without script or foreign assets."""

from __future__ import annotations

import json
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.http.plumbing.openapi import Node, operations

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
        schemas={name: _schema(schema) for name, schema in document["components"]["schemas"].items()},
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _SECURITY, "X-Content-Type-Options": "nosniff"})


def _groups(document: Node) -> dict[str, list[Node]]:
    """Tag → its operations, in the order of the document."""
    groups: dict[str, list[Node]] = {}
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        body = _schema_name(
            operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        )
        entry = {
            "id": operation["operationId"],
            "name": f"{method.upper()} {path}",
            "summary": operation["summary"],
            "paragraphs": operation["description"].split("\n\n"),
            "parameters": [
                _member(one["name"], one, is_required=one.get("required", False)) | {"in": one["in"]}
                for one in operation.get("parameters", [])
            ],
            "body": body,
            "examples": _examples(schemas[body]) if body else [],
            "answers": [
                (status, answer.get("description", ""), _answer_schema(answer))
                for status, answer in sorted(operation["responses"].items())
            ],
        }
        groups.setdefault((operation.get("tags") or ["other"])[0], []).append(entry)
    return groups


def _schema(schema: Node) -> Node:
    """A schema as the page shows it: what it is, its members, and its examples."""
    required = schema.get("required", ())
    return {
        "description": schema.get("description", ""),
        "members": [
            _member(name, member, is_required=name in required) for name, member in schema.get("properties", {}).items()
        ],
        "examples": _examples(schema),
    }


def _member(name: str, member: Node, *, is_required: bool) -> Node:
    """A parameter of an operation or a member of a schema."""
    schema = member.get("schema", member)
    return {
        "name": name,
        "is_required": is_required,
        "type": _type(schema),
        "schema": _schema_name(schema),
        "description": member.get("description", ""),
        "example": _first_example(schema),
    }


def _examples(schema: Node) -> list[str]:
    return [json.dumps(example, indent=2, ensure_ascii=False) for example in schema.get("examples", ())]


def _first_example(schema: Node) -> str:
    """The first example of a member, also one that only a choice of it has; "" without any."""
    found = [example for one in (schema, *schema.get("anyOf", ())) for example in one.get("examples", ())]
    return json.dumps(found[0], ensure_ascii=False) if found else ""


def _type(schema: Node) -> str:
    """A schema in a few words: "date", "list of Money", "web | phone"."""
    if choices := schema.get("anyOf"):
        return " | ".join(_type(choice) for choice in choices)
    if "$ref" in schema:
        return _schema_name(schema)
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if words := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return " | ".join(str(word) for word in words)
    return str(schema.get("format") or schema.get("type", "any"))


def _answer_schema(answer: Node) -> str:
    return next((_schema_name(content.get("schema", {})) for content in answer.get("content", {}).values()), "")


def _schema_name(schema: Node) -> str:
    """The schema that a reference, a list or a choice leads to; "" for an inline schema."""
    choices = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
    return next((choice["$ref"].rsplit("/", 1)[-1] for choice in choices if "$ref" in choice), "")

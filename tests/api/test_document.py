from __future__ import annotations

import asyncio
import builtins
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway import app
from gateway.http.plumbing.inputs import Input
from gateway.http.plumbing.openapi import operations, with_client_names
from gateway.http.plumbing.query import query_parameters
from tests.api.conftest import world_over


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Any:
    """As it is served; it takes half a second to make."""
    with world_over(template, tmp_path_factory.mktemp("document")) as world:
        return asyncio.run(world.send("GET", "/openapi.json")).json()


PROBLEM = {"$ref": "#/components/schemas/Problem"}
# fmt: off
VERBS = {
    "accept", "add", "adjust", "answer", "approve", "authorize", "cancel", "capture", "change", "check", "close", "create", "credit", "decide", "declare", "delegate", "deny", "discard",
    "dismiss", "end", "expect", "expedite", "get", "give", "inspect", "intercept", "list", "pack", "perform", "pick", "place", "post",
    "preview", "put", "quote", "read", "reapply", "receive", "record", "refund", "release", "repair", "replay", "request", "resolve", "resubmit",
    "retry", "reverse", "revoke", "send", "set", "ship", "stream", "withdraw", "write",
}
# fmt: on


def refusals(operation: Any) -> list[Any]:
    """Its answers of 4xx and 5xx."""
    return [answer for status, answer in operation["responses"].items() if status >= "400"]


def inputs(of: type[Input] = Input) -> Iterator[type[Input]]:
    """Every request body, and what bodies are made of."""
    for kind in of.__subclasses__():
        yield kind
        yield from inputs(kind)


async def test_the_document_declares_every_refusal_as_a_problem(document: Any) -> None:
    place = document["paths"]["/v1/orders"]["post"]["responses"]

    assert set(place) >= {"201", "202", "400", "401", "403", "409", "413", "415", "422", "503"}
    assert set(place["422"]["content"]) == {"application/problem+json"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_every_operation_says_what_it_does_and_who_may_call_it(document: Any) -> None:
    said = {f"{method} {path}": operation for path, method, operation in operations(document)}

    assert said["post /v1/orders"]["summary"] == "Place an order"
    assert said["post /v1/orders"]["description"].endswith(
        "\n\nWho: customer (its own), channel (its own), sales_rep (of assigned customers)."
    )
    assert said["get /healthz"]["description"].endswith("\n\nWho: anybody, without a token.")
    assert said["post /v1/webhooks/carriers/{carrier}"]["description"].endswith("\n\nWho: whoever signs the body.")
    assert [name for name, one in said.items() if not (one["summary"] and "\n\nWho: " in one["description"])] == []


async def test_every_parameter_says_what_it_is(document: Any) -> None:
    silent = [
        f"{method} {path}: {parameter['name']}"
        for path, method, operation in operations(document)
        for parameter in operation.get("parameters", ())
        if not parameter.get("description")
    ]

    assert silent == []


async def test_an_operation_takes_the_query_parameters_that_the_document_names(document: Any) -> None:
    named = {
        f"{method.upper()} {path}": {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        for path, method, operation in operations(document)
    }
    taken = {
        f"{method} {path}": set(query_parameters(dependant))
        for method, path, dependant in routes()
        if f"{method} {path}" in named
    }

    assert taken == named
    assert "cursor" in taken["GET /v1/orders"]


def routes() -> Iterator[tuple[str, str, Dependant]]:
    """Method, path and parameters of every operation."""
    for noun in app.NOUNS:
        for route in noun.router.routes:
            if isinstance(route, APIRoute):
                for method in route.methods or ():
                    yield method, route.path_format, route.dependant


async def test_every_answer_says_what_it_tells(document: Any) -> None:
    answers = {
        f"{method} {path} {status}": answer
        for path, method, operation in operations(document)
        for status, answer in operation["responses"].items()
    }

    assert [name for name, answer in answers.items() if answer["description"] in ("", "Successful Response")] == []
    keyed = {name for name, answer in answers.items() if "Idempotent-Replayed" in answer.get("headers", {})}
    assert keyed >= {"post /v1/orders 201", "post /v1/orders 202", "post /v1/payments 201"}
    assert {name for name in keyed if name.startswith("get ")} == set()


async def test_every_body_has_an_example_that_it_takes(document: Any) -> None:
    schemas = document["components"]["schemas"]
    bodies = set()
    for _, _, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        bodies |= {one["$ref"].rsplit("/", 1)[-1] for one in (body, *body.get("anyOf", ())) if "$ref" in one}
    kinds = {kind.__name__: kind for kind in inputs()}

    assert len(bodies) > 20
    assert [name for name in bodies if not schemas[name].get("examples")] == []
    for name in bodies:
        for example in schemas[name]["examples"]:
            kinds[name].model_validate_json(json.dumps(example))


async def test_every_operation_has_an_id_of_its_own_that_is_a_verb_and_a_noun(document: Any) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert [one for one in ids if ids.count(one) > 1] == []
    assert [one for one in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)+", one)] == []
    assert {one.partition("_")[0] for one in ids} <= VERBS
    assert "place_order" in ids


async def test_a_generator_finds_all_it_needs_of_every_operation(document: Any) -> None:
    def schema_of(answer: Any) -> bool:
        return all("schema" in content for content in answer["content"].values())

    lacking = [
        f"{method} {path}"
        for path, method, operation in operations(document)
        if not (
            operation["summary"]
            and operation["tags"]
            and any(schema_of(answer) for status, answer in operation["responses"].items() if status in ("200", "201"))
            and PROBLEM
            in [content["schema"] for answer in refusals(operation) for content in answer["content"].values()]
        )
    ]

    assert lacking == []


async def test_every_schema_has_one_name_that_a_class_can_have(document: Any) -> None:
    names = list(document["components"]["schemas"])
    titles = [schema["title"] for schema in document["components"]["schemas"].values()]

    assert titles == names
    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert [name for name in names if hasattr(builtins, name)] == []
    assert {"Money", "MoneyInput", "OrderSummaryPage", "ConsentInput"} <= set(names)


def test_two_schemas_that_would_share_a_name_are_refused() -> None:
    schemas = {"Money": {"type": "object"}, "MoneyShape": {"type": "object"}}

    with pytest.raises(ValueError, match="MoneyShape → Money"):
        with_client_names({"paths": {}, "components": {"schemas": schemas}})

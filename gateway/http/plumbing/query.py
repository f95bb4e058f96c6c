"""Query parameters that no operation knows: a misspelt filter must not silently show everything."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.http.plumbing.problems import ApiError


def refuse_unknown(request: Request) -> None:
    """Raise ApiError 422 for a parameter that this operation does not take, or that comes twice."""
    given = [name for name, _ in request.query_params.multi_items()]
    if not given:
        return
    route: APIRoute = request.scope["route"]
    known = set(query_parameters(route.dependant))
    if len(set(given)) < len(given) or not known.issuperset(given):
        takes = ", ".join(sorted(known)) or "none"
        raise ApiError(422, "UNKNOWN_PARAMETER", f"give each query parameter once; this operation takes: {takes}")


def query_parameters(dependant: Dependant) -> Iterator[str]:
    """The names of all query parameters that an operation and what it depends on declare."""
    yield from (parameter.alias for parameter in dependant.query_params)
    for other in dependant.dependencies:
        yield from query_parameters(other)

"""Query parameters that no operation knows: a misspelt filter must not silently show everything."""

from __future__ import annotations

from fastapi import Request

from services.orders.api.problems import ApiError


def refuse_unknown(request: Request) -> None:
    """Raise ApiError 422 for a parameter that the OpenAPI document does not name for this operation, or that comes twice."""
    given = [name for name, _ in request.query_params.multi_items()]
    if not given:
        return
    operation = request.app.openapi()["paths"][request.scope["route"].path_format][request.method.lower()]
    known = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"}
    if len(set(given)) < len(given) or not known.issuperset(given):
        takes = ", ".join(sorted(known)) or "none"
        raise ApiError(422, "UNKNOWN_PARAMETER", f"give each query parameter once; this operation takes: {takes}")

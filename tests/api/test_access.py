from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from services.orders.access.matrix import MATRIX_FILE, load_matrix, parse_matrix
from services.runtime.roles import HOLD_OWNERS, ROLE_NAMES, SELLER_DECIDERS
from tests.api.conftest import World

MATRIX = load_matrix()
CLOSED = [operation for operation, row in MATRIX.http.items() if not isinstance(row, str)]
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/orders/{order_id}/cancellation": {"reason": "changed plans"},
    "POST /v1/orders/{order_id}/cancellations/{cancellation_id}/withdrawal": {},
    "POST /v1/orders/{order_id}/changes": {"reason": "changed plans"},
    "POST /v1/orders/{order_id}/resubmission": {"note": "the price is agreed"},
    "POST /v1/orders/{order_id}/changes/{change_id}/consent": {"answer": "accept", "note": "by phone"},
    "POST /v1/orders/{order_id}/changes/{change_id}/withdrawal": {},
    "POST /v1/orders/{order_id}/close": {"reason": "discontinued"},
    "POST /v1/orders/{order_id}/expedite": {},
    "POST /v1/orders/{order_id}/feedback": {"rating": 5},
    "POST /v1/orders/{order_id}/holds/{hold_id}/release": {},
    "POST /v1/orders/{order_id}/card": {"token": "pm_card_visa"},
    "POST /v1/orders/{order_id}/decisions": {"step_id": "nope", "decision": "approve", "version": 1},
}
PARAMETER = re.compile(r"{\w+}")
OF_AN_ORDER = [
    operation
    for operation in CLOSED
    if "{order_id}" in operation and any(MATRIX.reach(operation, role) for role in ("customer", "sales_rep", "channel"))
]
"""Those that somebody may call who does not see every order."""


async def _call(world: World, operation: str, role: str, *, order_id: str = "nope", **claims: str) -> int:
    method, template = operation.split(" ")
    named = {"{order_id}": order_id, "{source}": "message"}
    path = PARAMETER.sub(lambda found: named.get(found.group(), "nope"), template)
    body = BODIES.get(operation, {"no": "such member"}) if method == "POST" else None
    answer = await world.send(
        method, path, role, key=f"{operation}{role}"[:99].replace(" ", "_"), json=body, claims=claims
    )
    return answer.status_code


def test_a_matrix_that_names_an_operation_twice_stops_the_start() -> None:
    text = MATRIX_FILE.read_text("utf-8")
    again = text.replace("console:\n", "  GET /v1/orders: {admin: all}\n\nconsole:\n")

    with pytest.raises(ValueError, match="GET /v1/orders: named twice"):
        parse_matrix(again)
    with pytest.raises(ValueError, match="names an unknown role"):
        parse_matrix(text.replace("grpc: {service: all}", "grpc: {robot: all}"))


def test_every_operation_is_in_the_matrix_and_the_matrix_names_no_other(world: World) -> None:
    served = {
        f"{method} {route.path}"
        for route in iter_route_contexts(world.app.routes)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert served == set(MATRIX.http)


def test_every_grpc_method_is_for_machines_alone() -> None:
    served = [
        f"/{service.full_name}/{method.name}"
        for name in ("orders", "inventory", "fulfillment", "billing", "notifications")
        for service in import_module(f"oms.{name}.v1.{name}_pb2").DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]

    assert len(served) > 50
    assert {role for method in served for role in ROLE_NAMES if MATRIX.reach(method, role)} == {"service"}


@pytest.mark.parametrize("role", sorted(ROLE_NAMES))
async def test_each_operation_admits_exactly_the_roles_of_the_matrix(world: World, role: str) -> None:
    wrong = []
    for operation in CLOSED:
        status = await _call(world, operation, role)
        if (status == 403) == (MATRIX.reach(operation, role) is not None):
            wrong.append((operation, status))

    assert wrong == []


@pytest.mark.parametrize(
    ("operation", "roles"),
    [
        ("POST /v1/orders/{order_id}/holds/{hold_id}/release", HOLD_OWNERS),
        ("POST /v1/exceptions/{exception_id}/resolve", HOLD_OWNERS),
        ("GET /v1/reviews", SELLER_DECIDERS),
        ("POST /v1/orders/{order_id}/decisions", SELLER_DECIDERS),
    ],
)
def test_what_waits_for_a_role_is_open_to_it(operation: str, roles: tuple[str, ...]) -> None:
    assert [role for role in roles if MATRIX.reach(operation, role) is None] == []


async def test_no_closed_operation_answers_without_a_token(world: World) -> None:
    assert {await _call(world, operation, "") for operation in CLOSED} == {401}


@pytest.mark.parametrize("operation", OF_AN_ORDER)
async def test_another_companys_order_is_not_found(world: World, operation: str) -> None:
    placed = await world.place("sales_rep", customer_id="cus_rival", claims={"sub": "sue"})
    order_id = placed.json()["order_id"]
    strangers: list[tuple[str, dict[str, str]]] = [
        ("customer", {"company": "cus_acme"}),
        ("sales_rep", {"sub": "sam"}),
        ("channel", {"sub": "shop"}),
    ]
    asked = [(role, claims) for role, claims in strangers if MATRIX.reach(operation, role)]

    for reference in (order_id, placed.json()["number"]):
        statuses = [await _call(world, operation, role, order_id=reference, **claims) for role, claims in asked]

        assert set(statuses) == {404}


@pytest.mark.parametrize("path", ["", "/history"])
async def test_an_order_is_shown_to_its_own_people(world: World, path: str) -> None:
    number = (await world.place()).json()["number"]

    for role in ("customer", "sales_rep", "support", "auditor"):
        answer = await world.send("GET", f"/v1/orders/{number}{path}", role)

        assert answer.status_code == 200


async def test_the_overview_shows_each_caller_its_own_orders(world: World) -> None:
    await world.place()
    await world.place("sales_rep", key="k2", customer_id="cus_rival", claims={"sub": "sue"})
    await world.place("channel", key="k3", customer_id="cus_rival", channel="amazon", claims={"sub": "shop"})

    async def seen(role: str, **claims: str) -> list[str]:
        rows = (await world.send("GET", "/v1/orders?sort=placed_at", role, claims=claims)).json()["rows"]
        return sorted(row["number"] for row in rows)

    assert await seen("customer") == ["SO-1001"]
    assert await seen("customer", company="cus_rival") == ["SO-1002", "SO-1003"]
    assert await seen("sales_rep", sub="sue") == ["SO-1002", "SO-1003"]
    assert await seen("channel", sub="shop") == ["SO-1003"]
    assert await seen("support") == ["SO-1001", "SO-1002", "SO-1003"]
    assert await seen("customer", company="cus_nobody") == []

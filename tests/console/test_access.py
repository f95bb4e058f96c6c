from __future__ import annotations

import re

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from gateway.console.app import create_console
from gateway.http.plumbing.deps import Deps
from services.orders.access.matrix import load_matrix
from services.runtime.roles import ROLE_NAMES
from tests.console.world import ConsoleWorld

MATRIX = load_matrix()
CLOSED = [operation for operation, row in MATRIX.console.items() if not isinstance(row, str)]
PARAMETER = re.compile(r"{\w+}")
OF_AN_ORDER = [operation for operation in CLOSED if "{number}" in operation]


async def _ask(world: ConsoleWorld, operation: str, role: str, number: str = "SO-9", sub: str = "") -> httpx.Response:
    method, template = operation.split(" ")
    named = {"{number}": number, "{source}": "message"}
    path = PARAMETER.sub(lambda found: named.get(found.group(), "nope"), template)
    browser = world.browser(role, sub=sub)
    return await (browser.get(path) if method == "GET" else browser.post(path, csrf=browser.csrf))


def test_every_page_is_in_the_matrix_and_the_matrix_names_no_other(world: ConsoleWorld) -> None:
    deps: Deps = world.app.state.deps
    served = {
        f"{method} {route.path_format}"
        for route in iter_route_contexts(create_console(deps).routes)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert served == set(MATRIX.console)


@pytest.mark.parametrize("role", sorted(ROLE_NAMES - {"service"}))
async def test_each_page_admits_exactly_the_roles_of_the_matrix(world: ConsoleWorld, role: str) -> None:
    wrong = []
    for operation in CLOSED:
        status = (await _ask(world, operation, role)).status_code
        if (status == 403) == (MATRIX.reach(operation, role) is not None):
            wrong.append((operation, status))

    assert wrong == []


async def test_without_a_login_every_page_leads_to_the_login_page(world: ConsoleWorld) -> None:
    for operation in CLOSED:
        answer = await _ask(world, operation, "")

        assert (answer.status_code, answer.headers["Location"][:6]) == (303, "/login"), operation


@pytest.mark.parametrize("operation", OF_AN_ORDER)
async def test_another_companys_order_is_not_found(
    world: ConsoleWorld, numbers: dict[str, str], operation: str
) -> None:
    strangers = [("customer", "ann"), ("sales_rep", "rita"), ("channel", "shop")]
    asked = [(role, sub) for role, sub in strangers if MATRIX.reach(operation, role)]

    statuses = [(await _ask(world, operation, role, numbers["bolt"], sub)).status_code for role, sub in asked]

    assert set(statuses) <= {404}


@pytest.mark.parametrize(
    ("role", "home"), [("customer", "/my"), ("warehouse", "/reviews"), ("manufacturing", "/reviews")]
)
async def test_who_reads_no_orders_of_ours_is_led_to_pages_of_their_own(
    world: ConsoleWorld, role: str, home: str
) -> None:
    browser = world.browser(role)

    answer = await browser.get("/")
    page = await browser.get(answer.headers["Location"])

    assert (answer.status_code, answer.headers["Location"]) == (303, home)
    assert page.status_code == 200
    assert "Overview" not in page.text
    assert 'role="search"' not in page.text


async def test_a_sales_representative_sees_the_assigned_customers_alone(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    theirs = (await world.browser("sales_rep").get("/")).text
    everything = (await world.browser("support").get("/")).text

    assert numbers["held"] in theirs
    assert numbers["bolt"] not in theirs
    assert numbers["bolt"] in everything


async def test_the_customers_pages_tell_no_reason_note_or_name_of_ours(
    world: ConsoleWorld, numbers: dict[str, str]
) -> None:
    browser = world.browser("customer")
    listed = (await browser.get("/my")).text
    held = (await browser.get(f"/my/orders/{numbers['held']}")).text
    cancelling = (await browser.get(f"/my/orders/{numbers['held']}/cancel")).text

    assert numbers["bolt"] not in listed
    for page in (listed, held, cancelling):
        said = page.lower().replace("waiting for approval.", "")  # all that is said of an order in review
        for word in ("credit", "limit", "approval", "margin", "accounting", "workflow"):
            assert word not in said, word
    assert "Under review" in held

"""POST takes what GET gives, and that changes nothing; PATCH changes only what it names; a stale version is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.http.plumbing.openapi import operations
from oms.fulfillment.v1 import fulfillment_pb2 as fulfillment
from oms.inventory.v1 import inventory_pb2 as inventory
from oms.types.v1 import types_pb2 as types
from services.kernel.money import UnitPrice
from services.orders.domain.exchange import ExchangeRate
from services.orders.domain.masterdata import AllowedShipTo, Customer, PriceAgreement, Product
from services.orders.domain.people import Person
from services.orders.domain.taxation import TaxRate
from services.orders.masterdata import catalog, customers, exchange, people, prices, taxes
from tests.api.conftest import NOW, World, world_over

TAGS = {"master data", "people"}
ACTS = {
    "POST /v1/delegations": "hands decisions over; each is a new one",
    "POST /v1/delegations/{delegation_id}/revoke": "has no body",
    "POST /v1/people/{sub}/password": "mails a link",
    "POST /v1/customers/{customer_id}/credit-terms": "replaces two members that billing keeps, without versions",
    "POST /v1/me/password": "a secret is never given back",
    "POST /v1/policies/replay": "tries a policy and stores none",
    "POST /v1/sourcing-policy/replay": "tries a policy and stores none",
}
"""Operations of master data that replace nothing, and why."""
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "/v1/customers": ({"name": "Acme Inc."}, "admin"),
    "/v1/exchange-rates": ({"rate": "3.5"}, "accounting"),
    "/v1/people": ({"name": "Maximilian Winter"}, "admin"),
    "/v1/policies": ({"window_hours": 12}, "admin"),
    "/v1/prices": ({"valid_to": "2027-06-30"}, "admin"),
    "/v1/products": ({"description": "Pump 100"}, "admin"),
    "/v1/rates": ({"zones": [{"country": "CA", "region": "*", "zone": "south"}]}, "admin"),
    "/v1/sourcing-policy": ({"late_day_minor": 40}, "admin"),
    "/v1/tax-rates": ({"rate": "0.09"}, "accounting"),
    "/v1/warehouses": ({"name": "Dallas West"}, "admin"),
}
"""Path → a change of the first row that the list gives, and who makes it."""
KEYS = {
    "/v1/customers": ("customer_id",),
    "/v1/people": ("sub",),
    "/v1/policies": (),
    "/v1/prices": ("customer_id", "customer_group", "sku", "valid_from", "min_quantity", "currency"),
    "/v1/products": ("sku",),
    "/v1/rates": (),
    "/v1/sourcing-policy": (),
    "/v1/warehouses": ("warehouse_id",),
}
"""Path of a PATCH → what says which."""


@pytest.fixture
def stocked(tmp_path: Path, template: Path) -> Iterator[World]:
    """Something of each kind, every member of it set."""
    with world_over(template, tmp_path) as world:
        with world.database.transaction() as session:
            acme = Customer(
                "cus_acme",
                "ACME",
                "USD",
                tier="gold",
                net_days=14,
                terms="2/10 net 14",
                calendar="US-TX",
                tax_rate=Decimal("0.0825"),
                contact_email="a@x.example",
                accounting_email="b@x.example",
                sales_rep="sam",
                sales_rep_email="s@x.example",
                allowed_ship_tos=(AllowedShipTo("US", "TX"),),
                free_multiple_skus=("PUMP-100",),
                duplicate_po="warn",
                customer_group="plants",
            )
            customers.put_customer(session, acme, "root", NOW)
            price = UnitPrice(Decimal("129.00"), "USD")
            pump = Product(
                "PUMP-100", "Pump", "build_to_order", price, price, 14500, 2, 4, is_sellable=True, lead_days=3
            )
            catalog.put_product(session, pump, "root", NOW)
            for agreed in (
                PriceAgreement("cus_acme", "PUMP-100", price, date(2026, 1, 1), date(2026, 12, 31), 10),
                PriceAgreement("", "PUMP-100", price, date(2026, 1, 1), customer_group="plants"),
            ):
                prices.put_agreement(session, agreed, "root", NOW)
            for category, fraction in (("standard", Decimal("0.0825")), ("freight", None)):
                at = TaxRate("US", category, date(2026, 1, 1), fraction, region="TX", postal_prefix="75")
                taxes.put_rate(session, at, "root", NOW)
            exchange.put_rate(session, ExchangeRate("KWD", "USD", Decimal("3.2485"), date(2026, 1, 1)), "root", NOW)
            max_winter = Person(
                "max", "Max", "max@x.example", ("approver",), ("sales_manager",), limits={"USD": 2_500_000, "JPY": 100}
            )
            people.put_person(session, max_winter, "root", NOW)
            people.put_person(session, Person("may", "May", "", ("support",), manager="max"), "root", NOW)
        place = types.Address(name="D", street="1 Main", city="Dallas", region="TX", postal_code="75001", country="US")
        dallas = inventory.Warehouse(warehouse_id="wh_1", name="Dallas", kind="own", address=place, is_active=True)
        world.inventory.PutWarehouse(inventory.PutWarehouseRequest(warehouse=dallas))
        rate = fulfillment.Rate(warehouse_id="wh_1", carrier="ups", zone="south", base_minor=690, per_kg_minor=28)
        zone = fulfillment.ZoneRule(country="US", region="*", zone="south")
        world.fulfillment.PutRates(fulfillment.PutRatesRequest(currency="USD", rates=[rate], zones=[zone]))
        terms = inventory.NodeTerms(warehouse_id="wh_1", order_fee_minor=5, unit_fee_minor=1, avoidance_minor=7)
        policy = inventory.SourcingPolicy(split_penalty_minor=500, late_day_minor=20, maximum_splits=2, nodes=[terms])
        world.inventory.PutSourcingPolicy(inventory.PutSourcingPolicyRequest(policy=policy))
        yield world


async def _rows(world: World, path: str) -> list[dict[str, Any]]:
    if path == "/v1/rates":
        return [(await world.send("GET", "/v1/rates/table", "admin")).json()]
    if path == "/v1/sourcing-policy":
        return [(await world.send("GET", path, "admin")).json()]
    rows: list[dict[str, Any]] = (await world.send("GET", path, "admin")).json()["rows"]
    return rows


def _written(document: Any) -> set[str]:
    return {
        f"{method.upper()} {path}"
        for path, method, operation in operations(document)
        if TAGS & set(operation["tags"]) and method != "get"
    }


async def test_every_operation_that_replaces_master_data_is_walked_here(world: World) -> None:
    written = _written((await world.send("GET", "/openapi.json")).json())

    walked = {f"POST {path}" for path in CHANGES} | {f"PATCH {path}" for path in KEYS}
    assert written - set(ACTS) == walked
    assert set(ACTS) <= written


@pytest.mark.parametrize("path", sorted(CHANGES))
async def test_post_takes_what_get_gives_and_nothing_changes(stocked: World, path: str) -> None:
    before = await _rows(stocked, path)
    newest = before[:1] if path == "/v1/policies" else before

    answers = [await stocked.send("POST", path, CHANGES[path][1], json=row) for row in newest]

    assert before
    assert [answer.json() for answer in answers if answer.status_code not in (200, 201)] == []
    assert await _rows(stocked, path) == before
    if path == "/v1/rates":
        return  # its answer counts rows
    again = [await stocked.send("POST", path, CHANGES[path][1], json=answer.json()) for answer in answers]
    assert [answer.status_code // 100 for answer in again] == [2] * len(again)


async def test_so_it_is_with_one_customer_and_its_credit(stocked: World) -> None:
    await stocked.send("PATCH", "/v1/customers", "admin", json={"customer_id": "cus_acme", "credit_limit": "77.00"})
    before = await stocked.send("GET", "/v1/customers/cus_acme", "admin")

    answer = await stocked.send("POST", "/v1/customers", "admin", json=before.json())

    assert (answer.status_code, answer.json()) == (200, before.json())
    assert before.headers["ETag"] == f'"{before.json()["version"]}"'
    assert before.json()["credit_limit"] == "77.00"


@pytest.mark.parametrize("path", sorted(KEYS))
async def test_patch_changes_only_what_it_names(stocked: World, path: str) -> None:
    before = (await _rows(stocked, path))[0]
    change, who = CHANGES[path]
    named = {name: before[name] for name in KEYS[path]}

    answer = await stocked.send("PATCH", path, who, json=named | change)

    after = (await _rows(stocked, path))[0]
    assert answer.status_code == 200, answer.text
    moved = {"version", "note"} if path == "/v1/policies" else {"version"}
    assert {name: value for name, value in after.items() if name not in moved} == {
        name: value for name, value in {**before, **change}.items() if name not in moved
    }
    assert answer.headers["ETag"] == f'"{after["version"]}"'


@pytest.mark.parametrize("path", sorted(CHANGES))
@pytest.mark.parametrize("where", ["body", "If-Match"])
async def test_who_has_seen_another_version_changes_nothing(stocked: World, path: str, where: str) -> None:
    before = (await _rows(stocked, path))[0]
    change, who = CHANGES[path]
    changed = {name: value for name, value in {**before, **change}.items() if name != "version"}
    methods = ("POST", "PATCH") if path in KEYS else ("POST",)
    seen = before["version"] + 7

    for method in methods:
        named = change | {name: before[name] for name in KEYS.get(path, ())} if method == "PATCH" else changed
        more: dict[str, Any] = {"headers": {"If-Match": f'"{seen}"'}} if where == "If-Match" else {}
        body = named if where == "If-Match" else {**named, "version": seen}
        answer = await stocked.send(method, path, who, json=body, **more)
        assert (answer.status_code, answer.json()["code"]) == (409, "VERSION_STALE"), method
        assert answer.json()["parameters"] == {"version": str(before["version"])}

    assert (await _rows(stocked, path))[0] == before


@pytest.mark.parametrize("path", sorted(KEYS))
async def test_null_is_a_value_and_not_left_out(stocked: World, path: str) -> None:
    before = (await _rows(stocked, path))[0]
    nulled = {"/v1/prices": "valid_to", "/v1/products": "standard_cost"}.get(path)
    member = nulled or {"/v1/policies": "rules", "/v1/rates": "zones", "/v1/sourcing-policy": "nodes"}.get(path, "name")

    answer = await stocked.send(
        "PATCH", path, "admin", json={name: before[name] for name in KEYS[path]} | {member: None}
    )

    assert answer.status_code == (200 if nulled else 422), answer.text
    assert (await _rows(stocked, path))[0][member] == (None if nulled else before[member])


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/customers", {"customer_id": "cus_nobody", "name": "X"}, "CUSTOMER_UNKNOWN"),
        ("/v1/products", {"sku": "NOTHING", "description": "X"}, "PRODUCT_UNKNOWN"),
        ("/v1/people", {"sub": "nobody", "name": "X"}, "PERSON_UNKNOWN"),
        ("/v1/warehouses", {"warehouse_id": "wh_nowhere", "name": "X"}, "WAREHOUSE_UNKNOWN"),
        (
            "/v1/prices",
            {"customer_id": "cus_acme", "sku": "PUMP-100", "valid_from": "2020-01-01", "currency": "USD", "price": "1"},
            "AGREEMENT_UNKNOWN",
        ),
    ],
)
async def test_what_is_not_there_is_not_patched(stocked: World, path: str, body: dict[str, Any], code: str) -> None:
    answer = await stocked.send("PATCH", path, "admin", json=body)

    assert (answer.status_code, answer.json()["code"]) == (404, code)


async def test_a_new_account_needs_a_limit_and_a_price_a_currency(stocked: World) -> None:
    account = {"customer_id": "cus_new", "name": "New", "currency": "USD"}
    product = {"sku": "NEW", "description": "New", "list_price": "1.00"}

    answers = [
        await stocked.send("POST", path, "admin", json=body)
        for path, body in (("/v1/customers", account), ("/v1/products", product))
    ]

    assert [answer.json()["code"] for answer in answers] == ["CREDIT_LIMIT_MISSING", "CURRENCY_MISSING"]


async def test_another_currency_needs_a_limit_in_it(stocked: World) -> None:
    asked = {"customer_id": "cus_acme", "currency": "EUR"}

    bare = await stocked.send("PATCH", "/v1/customers", "admin", json=asked)
    limited = await stocked.send("PATCH", "/v1/customers", "admin", json={**asked, "credit_limit": "5.00"})

    assert (bare.status_code, bare.json()["code"]) == (422, "CREDIT_LIMIT_MISSING")
    assert (limited.status_code, limited.json()["credit"]["limit"]) == (200, {"amount": "5.00", "currency": "EUR"})


async def test_an_account_that_others_are_billed_to_keeps_its_currency(stocked: World) -> None:
    known = (await stocked.send("GET", "/v1/customers/cus_acme", "admin")).json()
    branch = {"customer_id": "cus_branch", "name": "ACME Branch", "credit_limit": "0.00", "bill_to_id": "cus_acme"}
    asked = {"customer_id": "cus_acme", "currency": "EUR", "credit_limit": "5.00"}
    made = await stocked.send("POST", "/v1/customers", "admin", json={"currency": known["currency"], **branch})

    refused = await stocked.send("PATCH", "/v1/customers", "admin", json=asked)
    await stocked.send("PATCH", "/v1/customers", "admin", json={"customer_id": "cus_branch", "bill_to_id": ""})
    taken = await stocked.send("PATCH", "/v1/customers", "admin", json=asked)

    assert made.status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (409, "CURRENCY_IN_USE")
    assert "is billed for cus_branch in USD" in refused.json()["detail"]
    assert (taken.status_code, taken.json()["currency"]) == (200, "EUR")


async def test_a_billing_address_comes_and_goes_and_stays_when_something_else_is_changed(stocked: World) -> None:
    box = {
        "name": "ACME",
        "street": "PO Box 7",
        "city": "Waco",
        "region": "TX",
        "postal_code": "76701",
        "country": "US",
    }
    changes: list[dict[str, Any]] = [{"billing_address": box}, {"tier": "gold"}, {"billing_address": None}]

    answers = [
        await stocked.send("PATCH", "/v1/customers", "admin", json={"customer_id": "cus_acme", **one})
        for one in changes
    ]
    wrong = {"customer_id": "cus_acme", "billing_address": {**box, "country": "Texas"}}
    refused = await stocked.send("PATCH", "/v1/customers", "admin", json=wrong)

    assert [one.json()["billing_address"] for one in answers] == [box, box, None]
    assert refused.status_code == 422


async def test_a_stale_form_leaves_the_credit_limit_alone(stocked: World) -> None:
    asked = {"customer_id": "cus_acme", "credit_limit": "100.00"}
    await stocked.send("PATCH", "/v1/customers", "admin", json=asked)
    before = (await stocked.send("GET", "/v1/customers/cus_acme", "admin")).json()

    late = await stocked.send("POST", "/v1/customers", "admin", json={**before, "credit_limit": "9.00", "version": 1})

    after = (await stocked.send("GET", "/v1/customers/cus_acme", "admin")).json()
    assert late.json()["code"] == "VERSION_STALE"
    assert after == before


async def test_another_limit_is_another_version(stocked: World) -> None:
    versions = [
        (
            await stocked.send(
                "PATCH", "/v1/customers", "admin", json={"customer_id": "cus_acme", "credit_limit": limit}
            )
        ).json()["version"]
        for limit in ("100.00", "100.00", "200.00")
    ]

    assert versions[1:] == [versions[0], versions[0] + 1]

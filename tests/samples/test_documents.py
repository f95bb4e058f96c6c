"""The sample documents are what the API takes, and each order meets the fate that the narrated day gives it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from gateway.http.masterdata.customers import CustomerInput
from gateway.http.masterdata.people import PersonInput
from gateway.http.masterdata.policies import PolicyInput
from gateway.http.masterdata.prices import PriceInput
from gateway.http.masterdata.products import ProductInput
from gateway.http.masterdata.tax_rates import TaxRateInput
from gateway.http.neighbors.rates import RatesInput
from gateway.http.neighbors.stock import StockReceiptInput
from gateway.http.neighbors.warehouses import WarehouseInput
from gateway.http.orders.order_input import OrderInput
from samples import documents
from samples.demo import of_today
from services.kernel.money import Money, UnitPrice
from services.kernel.tax import TaxKind
from services.kernel.terms import Terms
from services.orders.domain.masterdata import AllowedShipTo, Customer, PriceAgreement, Product
from services.orders.domain.order import Address, Order, PlaceLine, totals
from services.orders.domain.policies import outcome, parse_policy, reasons
from services.orders.domain.pricing import price_line, reference_price
from services.orders.domain.tax_parts import DEFAULT_TAXATION
from services.orders.policies import engine

CATALOG = documents.read("catalog")["products"]
CUSTOMERS = documents.read("customers")
WAREHOUSES = documents.read("warehouses")
DAY = documents.day()
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

FATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "01-web-acme": ("cleared", ()),
    "02-phone-brazos": ("cleared", ()),
    "03-in-person-delta": ("held", ("CREDIT_EXCEEDED",)),
    "04-email-evergreen": ("cleared", ()),
    "05-partner-acme": ("cleared", ()),
    "06-edi-cascade": ("cleared", ()),
    "07-amazon": ("cleared", ()),
    "08-ebay": ("cleared", ()),
    "09-pos-austin": ("cleared", ()),
    "10-web-harbor": ("cleared", ()),
    "11-web-fairway": ("rejected", ("CUSTOMER_INACTIVE",)),
    "12-email-brazos": ("rejected", ("SKU_NOT_SELLABLE", "QUANTITY_NOT_ON_MULTIPLE")),
    "13-phone-evergreen": ("cleared", ()),
    "14-partner-evergreen": ("cleared", ()),
    "15-web-cascade": ("held", ("PRICE_OUT_OF_TOLERANCE",)),
    "16-web-acme-po-again": ("held", ("DUPLICATE_PO",)),
    "17-phone-brazos-panel": ("cleared", ()),
}
REVIEWS = {
    "06-edi-cascade": ["ORDER_OVER_20000", "ORDER_OVER_25000"],
    "17-phone-brazos-panel": ["BUILT_TO_ORDER"],
}


def refused(model: type[BaseModel], bodies: Iterable[documents.Body]) -> list[str]:
    """What the API says of each body that it does not take."""
    found = []
    for body in bodies:
        try:
            model.model_validate(body)
        except ValidationError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize(
    ("model", "bodies"),
    [
        (ProductInput, CATALOG),
        (CustomerInput, CUSTOMERS["customers"]),
        (PriceInput, CUSTOMERS["prices"]),
        (WarehouseInput, WAREHOUSES["warehouses"]),
        (StockReceiptInput, documents.receipts()),
        (RatesInput, [WAREHOUSES["rates"]]),
        (PolicyInput, [documents.read("policies")]),
        (TaxRateInput, documents.read("tax_rates")["tax_rates"]),
        (OrderInput, [placing.body for placing in DAY.placings]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_document_is_a_body_that_the_api_takes(model: type[BaseModel], bodies: Sequence[documents.Body]) -> None:
    assert bodies
    assert refused(model, bodies) == []


def test_the_wholesaler_is_as_large_as_promised() -> None:
    kinds = Counter(row["kind"] for row in CATALOG)
    places = Counter(row["kind"] for row in WAREHOUSES["warehouses"])

    assert len(CATALOG) >= 40
    assert set(kinds) == {"stock", "build_to_order", "service"}
    assert len(CUSTOMERS["customers"]) == 8
    assert places == {"own": 2, "third_party": 1, "store": 1}
    assert {placing.body["channel"] for placing in DAY.placings} == {
        "web", "phone", "in_person", "email", "partner", "edi", "amazon", "ebay", "pos",
    }  # fmt: skip
    assert len({placing.key for placing in DAY.placings}) >= 12
    assert len({placing.key for placing in DAY.placings}) < len(DAY.placings), "one is sent twice"


def test_every_sku_and_customer_that_a_document_names_exists() -> None:
    skus = {row["sku"] for row in CATALOG}
    customers = {row["customer_id"] for row in CUSTOMERS["customers"]}
    warehouses = {row["warehouse_id"] for row in WAREHOUSES["warehouses"]}

    assert len(skus) == len(CATALOG)
    assert {row["sku"] for row in CUSTOMERS["prices"]} <= skus
    assert {row["sku"] for row in documents.receipts()} <= skus
    assert {row["warehouse_id"] for row in documents.receipts()} <= warehouses
    assert {row["warehouse_id"] for row in WAREHOUSES["rates"]["rates"]} == warehouses
    for placing in DAY.placings:
        assert placing.body["customer_id"] in customers
        assert {line["sku"] for line in placing.body["lines"]} <= skus
    assert DAY.pays_later <= customers
    shelved = {(row["warehouse_id"], row["sku"]) for row in documents.receipts()}
    assert {(row["warehouse_id"], row["sku"]) for row in documents.bins()} <= shelved


def test_opening_stock_has_cost_layers_and_one_short_sku() -> None:
    layers = Counter((row["warehouse_id"], row["sku"]) for row in documents.receipts())
    stock: Counter[str] = Counter()
    for row in documents.receipts():
        stock[row["sku"]] += row["quantity"]
    demand: Counter[str] = Counter()
    kinds = {row["sku"]: row["kind"] for row in CATALOG}
    for name in FATES.keys() - {"11-web-fairway", "12-email-brazos", "16-web-acme-po-again"}:
        for line in documents.order(name)["lines"]:
            if kinds[line["sku"]] == "stock":
                demand[line["sku"]] += line["quantity"]

    assert sum(count > 1 for count in layers.values()) >= 5
    assert {sku: demand[sku] - stock[sku] for sku in demand if demand[sku] > stock[sku]} == {"PUMP-250": 4}


@pytest.mark.parametrize("name", sorted(FATES))
def test_each_order_meets_its_fate_under_the_system_rules(name: str) -> None:
    policy = parse_policy(documents.read("policies"), version=1)

    found = engine.evaluate(policy, evidence(documents.order(name), is_po_known=name == "16-web-acme-po-again"))

    assert (outcome(found.violations), reasons(found.violations)) == FATES[name]
    assert [hit.rule.code for hit in found.hits] == REVIEWS.get(name, [])


def test_what_a_marketplace_or_a_till_has_taken_the_money_for_is_settled_there_under_its_reference() -> None:
    bodies = [documents.order(name) for name in FATES]

    elsewhere = {body["channel"]: body for body in bodies if body["payment"]["method"] == "settled_elsewhere"}

    assert elsewhere.keys() == {"amazon", "ebay", "pos"} == {b["channel"] for b in bodies} & {"amazon", "ebay", "pos"}
    assert all(body["payment"]["reference"] == body["channel_ref"] for body in elsewhere.values())


def test_a_second_day_names_references_of_its_own_also_where_it_says_how_it_is_paid() -> None:
    body = documents.order("07-amazon")

    again = of_today(body, "23101500")

    assert again["payment"]["reference"] == again["channel_ref"] == f"{body['channel_ref']}/23101500"
    assert again["payment"]["fees"] == body["payment"]["fees"]
    assert of_today(body, "") == body


def test_everybody_whom_the_matrix_names_is_in_the_directory() -> None:
    people = documents.read("people")["people"]
    policy = parse_policy(documents.read("policies"), version=1)

    for body in people:
        PersonInput.model_validate(body)
    held = {(role, position) for row in people for role in row["roles"] for position in row.get("positions", [""])}
    assert {(tier.role, tier.position) for rule in policy.reviews for tier in rule.tiers} <= held
    assert {row.get("calendar", "office") for row in people} <= {rule.name for rule in policy.calendars}
    assert DAY.buyer in {row["sub"] for row in people if row["roles"] == ["customer"]}


def test_the_seven_tours_are_orders_of_the_day_with_seven_different_lives() -> None:
    names = {placing.key: placing.name for placing in DAY.placings}

    assert [tour.title for tour in DAY.tours] == [
        "Straight through", "Approval with a change", "Partial shipment with a backorder", "Rejected", "Canceled",
        "Canceled in part", "Returned",
    ]  # fmt: skip
    assert [FATES[names[tour.key]][0] for tour in DAY.tours] == [
        "cleared",
        "held",
        "cleared",
        "rejected",
        "held",
        "cleared",
        "cleared",
    ]


def test_somebody_of_every_role_with_pages_can_log_in() -> None:
    roles = {role for row in documents.read("people")["people"] for role in row["roles"]}

    assert roles >= {
        "customer",
        "sales_rep",
        "support",
        "approver",
        "warehouse",
        "accounting",
        "manufacturing",
        "admin",
    }


def evidence(body: documents.Body, *, is_po_known: bool) -> engine.Evidence:
    """What validation sees of a sample order when billing has nothing else of the customer on its books."""
    row = next(row for row in CUSTOMERS["customers"] if row["customer_id"] == body["customer_id"])
    products = {product.sku: product for product in map(a_product, CATALOG)}
    agreed = {line["sku"]: agreements(body["customer_id"], line["sku"]) for line in body["lines"]}
    order = an_order(body, row, products, agreed)
    limit = Money.parse(row["credit_limit"], "USD")
    is_granted = order.totals.total <= limit
    credit = engine.Credit(is_granted=is_granted, exposure_minor=0, limit_minor=limit.minor)
    duplicates = ("SO-1001",) if is_po_known else ()
    return engine.Evidence(order, a_customer(row), products, agreed, credit, duplicates, date(2026, 11, 23))


def a_product(row: dict[str, Any]) -> Product:
    given = {key: value for key, value in row.items() if key not in ("currency", "list_price", "standard_cost")}
    price, cost = (UnitPrice.parse(row[name], "USD") for name in ("list_price", "standard_cost"))
    return Product(**given, list_price=price, standard_cost=cost)


def a_customer(row: dict[str, Any]) -> Customer:
    given = {key: value for key, value in row.items() if key not in ("credit_limit", "tax_rate", "allowed_ship_tos")}
    if "terms" in row:
        given["net_days"] = Terms.parse(row["terms"]).days
    given["free_multiple_skus"] = tuple(row.get("free_multiple_skus", ()))
    allowed = tuple(AllowedShipTo(**each) for each in row.get("allowed_ship_tos", ()))
    return Customer(**given, tax_rate=Decimal(row["tax_rate"]), allowed_ship_tos=allowed)


def agreements(customer_id: str, sku: str) -> tuple[PriceAgreement, ...]:
    return tuple(
        PriceAgreement(customer_id, sku, UnitPrice.parse(row["price"], "USD"), date.fromisoformat(row["valid_from"]))
        for row in CUSTOMERS["prices"]
        if (row["customer_id"], row["sku"]) == (customer_id, sku)
    )


def an_order(
    body: documents.Body,
    customer: dict[str, Any],
    products: dict[str, Product],
    agreed: dict[str, tuple[PriceAgreement, ...]],
) -> Order:
    lines = tuple(
        price_line(
            str(number),
            PlaceLine(
                line["sku"],
                line["quantity"],
                UnitPrice.parse(line["unit_price"], "USD") if "unit_price" in line else None,
            ),
            products.get(line["sku"]),
            reference_price(products.get(line["sku"]), agreed[line["sku"]], "USD", NOW.date(), line["quantity"]),
            "USD",
        )
        for number, line in enumerate(body["lines"], start=1)
    )
    taxed = tuple(replace(line, tax=TaxKind.at(Decimal(customer["tax_rate"]))) for line in lines)
    discount, freight = (Money.parse(body.get(name, "0"), "USD") for name in ("discount", "freight"))
    terms = Terms.parse(customer.get("terms") or f"net {customer['net_days']}")
    return Order(
        order_id="ord_1",
        number="SO-1001",
        version=1,
        phase="received",
        customer_id=body["customer_id"],
        customer_name=customer["name"],
        channel=body["channel"],
        channel_ref=body["channel_ref"],
        po_number=body.get("po_number", ""),
        currency="USD",
        payment_method=body["payment"]["method"],
        net_days=terms.days,
        terms=terms.text,
        tax_rate=Decimal(customer["tax_rate"]),
        ship_to=Address(**body.get("ship_to", {})),
        requested_on=None,
        is_ship_complete=body.get("ship_complete", False),
        placed_at=NOW,
        placed_by="somebody",
        placed_by_role="channel",
        on_behalf_of="",
        note="",
        lines=taxed,
        totals=totals(taxed, discount, freight, DEFAULT_TAXATION),
    )


def test_a_rule_that_counts_orders_together_says_so_also_of_a_small_one_among_them() -> None:
    policy = documents.read("policies")

    together = {rule["code"]: rule["message"] for rule in policy["reviews"] if "order.cumulative" in rule["when"]}

    assert policy["window_hours"] == 24
    assert together == {
        "ORDER_OVER_20000": "It comes to over 20,000 with all that the customer ordered within 24 hours.",
        "ORDER_OVER_25000": "It comes to over 25,000 with all that the customer ordered within 24 hours.",
    }

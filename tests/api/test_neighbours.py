from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from samples import documents
from tests.api.conftest import World

RECEIPT = {"warehouse_id": "wh_1", "sku": "PUMP-100", "quantity": 10, "unit_cost": "12.00", "currency": "USD"}
PAYMENT = {"customer_id": "cus_acme", "amount": {"amount": "300.00", "currency": "USD"}, "reference": "BANK-1"}


async def test_goods_in_are_booked_once_a_key_and_the_first_answer_is_replayed(world: World) -> None:
    first = await world.send("POST", "/v1/stock/receipts", "warehouse", key="r1", json=RECEIPT)
    again = await world.send("POST", "/v1/stock/receipts", "warehouse", key="r1", json=RECEIPT)

    assert (first.status_code, first.json()["on_hand"]) == (201, 10)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert world.inventory.actions == 1


async def test_the_same_key_with_other_goods_is_refused_in_words_of_the_key(world: World) -> None:
    await world.send("POST", "/v1/stock/receipts", "warehouse", key="r1", json=RECEIPT)

    answer = await world.send("POST", "/v1/stock/receipts", "warehouse", key="r1", json={**RECEIPT, "quantity": 11})

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert answer.json()["detail"] == (
        "this Idempotency-Key was used for another request: send a new key for a new request, "
        "or the first request again as it was"
    )
    assert world.inventory.on_hand == {("PUMP-100", "wh_1"): 10}


CUSTOMER = {"customer_id": "cus_x", "name": "X", "currency": "USD", "credit_limit": "1.00"}


@pytest.mark.parametrize(
    ("path", "role", "body", "other"),
    [
        ("/v1/customers", "admin", CUSTOMER, {**CUSTOMER, "name": "Y"}),
        (
            "/v1/people",
            "admin",
            {"sub": "z", "name": "Z", "roles": ["warehouse"]},
            {"sub": "z", "name": "Y", "roles": ["warehouse"]},
        ),
        ("/v1/orders/{order_id}/cancellation", "support", {"reason": "too many"}, {"reason": "too few"}),
        ("/v1/payments", "accounting", PAYMENT, {**PAYMENT, "reference": "BANK-2"}),
    ],
)
async def test_a_key_used_again_is_told_alike_whoever_keeps_it(
    world: World, path: str, role: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    path = path.format(order_id=(await world.place()).json()["order_id"])
    await world.send("POST", path, role, key="k", json=body)

    answer = await world.send("POST", path, role, key="k", json=other)

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert "api/" not in answer.text


@pytest.mark.parametrize(
    ("path", "role", "body", "other"),
    [
        ("/v1/orders/{order_id}/cancellation", "support", {"reason": "too many"}, {"reason": "too few"}),
        ("/v1/payments", "accounting", PAYMENT, {**PAYMENT, "reference": "BANK-2"}),
    ],
)
async def test_a_key_used_again_after_a_crash_before_its_answer_was_kept_is_told_alike(
    world: World, path: str, role: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    path = path.format(order_id=(await world.place()).json()["order_id"])
    await world.send("POST", path, role, key="k", json=body)
    with world.database.transaction() as session:
        session.execute(text("DELETE FROM answers WHERE request_id NOT LIKE '%/action'"))

    answer = await world.send("POST", path, role, key="k", json=other)

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert "api/" not in answer.text


async def test_a_key_belongs_to_its_caller_alone(world: World) -> None:
    await world.send("POST", "/v1/stock/receipts", "warehouse", key="r1", json=RECEIPT)
    await world.send("POST", "/v1/stock/receipts", "warehouse", key="r1", json=RECEIPT, claims={"sub": "wendy"})

    assert world.inventory.actions == 2


@pytest.mark.parametrize(
    ("path", "role", "body"),
    [
        ("/v1/stock/receipts", "warehouse", RECEIPT),
        ("/v1/stock/adjustments", "warehouse", {"warehouse_id": "wh_1", "sku": "A", "delta": 1, "reason": "count"}),
        ("/v1/payments", "accounting", PAYMENT),
        ("/v1/shipments/shp_1/ship", "warehouse", {}),
    ],
)
async def test_what_moves_money_or_stock_needs_a_key(world: World, path: str, role: str, body: dict[str, Any]) -> None:
    answer = await world.send("POST", path, role, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_MISSING")


@pytest.mark.parametrize(
    ("path", "role", "body", "code"),
    [
        ("/v1/stock/receipts", "warehouse", {**RECEIPT, "sku": "NO-SUCH"}, "PRODUCT_UNKNOWN"),
        ("/v1/payments", "accounting", {**PAYMENT, "customer_id": "cus_nope"}, "CUSTOMER_UNKNOWN"),
    ],
)
async def test_what_is_not_in_the_master_data_is_not_booked(
    world: World, path: str, role: str, body: dict[str, Any], code: str
) -> None:
    answer = await world.send("POST", path, role, key="m1", json=body)

    assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert (world.inventory.actions, world.billing.actions) == (0, 0)


async def test_a_service_is_not_put_on_a_shelf(world: World) -> None:
    body = {**RECEIPT, "sku": "INSTALL-8H"}

    answer = await world.send("POST", "/v1/stock/receipts", "warehouse", key="m1", json=body)

    assert (answer.status_code, answer.json()["code"]) == (409, "PRODUCT_NOT_STOCKED")


async def test_a_refusal_of_a_service_comes_back_as_it_was_meant(world: World) -> None:
    body = {"warehouse_id": "wh_1", "sku": "PUMP-100", "delta": -1, "reason": "count"}

    answer = await world.send("POST", "/v1/stock/adjustments", "warehouse", key="a1", json=body)

    assert (answer.status_code, answer.json()["code"]) == (409, "STOCK_ALLOCATED")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_service_that_is_away_is_503_and_the_same_key_works_later(world: World) -> None:
    world.billing.is_away = True
    away = await world.send("POST", "/v1/payments", "accounting", key="p1", json=PAYMENT)
    world.billing.is_away = False
    later = await world.send("POST", "/v1/payments", "accounting", key="p1", json=PAYMENT)

    assert (away.status_code, away.json()["code"], "Retry-After" in away.headers) == (503, "SERVICE_UNAVAILABLE", True)
    assert (later.status_code, later.json()["amount"]["amount"]) == (201, "300.00")


async def test_a_shipment_goes_from_the_shelf_to_the_carrier(world: World) -> None:
    world.fulfillment.release("shp_1", order_id="ord_1")

    states = [
        (await world.send("POST", f"/v1/shipments/shp_1/{verb}", "warehouse", key=verb)).json()["state"]
        for verb in ("pick", "pack", "ship")
    ]

    assert states == ["picked", "packed", "shipped"]


async def test_goods_are_not_performed_and_a_visit_is(world: World) -> None:
    world.fulfillment.release("shp_1")
    world.fulfillment.release("shp_2", is_service=True)

    goods = await world.send("POST", "/v1/shipments/shp_1/perform", "warehouse", key="p1")
    visit = await world.send("POST", "/v1/shipments/shp_2/perform", "warehouse", key="p2")

    assert (goods.status_code, goods.json()["code"]) == (409, "NOT_A_SERVICE")
    assert visit.json()["state"] == "shipped"


async def test_the_warehouse_reads_what_is_asked_back_and_answers_once(world: World) -> None:
    world.fulfillment.recalls.ask_back("rcl_1", world.fulfillment.release("shp_1", order_id="ord_1"), 5)

    shipment = (await world.send("GET", "/v1/shipments/shp_1", "warehouse")).json()
    (waiting,) = (await world.send("GET", "/v1/recalls", "support")).json()["rows"]
    refusal = {"answer": "refuse", "reason": "the truck is loaded"}
    silent = await world.send("POST", "/v1/recalls/rcl_1/answer", "warehouse", key="r0", json={"answer": "refuse"})
    said = await world.send("POST", "/v1/recalls/rcl_1/answer", "warehouse", key="r1", json=refusal)
    again = await world.send("POST", "/v1/recalls/rcl_1/answer", "warehouse", key="r1", json=refusal)
    late = await world.send("POST", "/v1/recalls/rcl_1/answer", "warehouse", key="r2", json={"answer": "acknowledge"})

    assert shipment["recall_requested"] is True
    assert (waiting["order_number"], waiting["state"], waiting["reason"]) == ("SO-1001", "pending", None)
    assert waiting["since"] == "2026-05-28T20:26:40.000Z"
    assert [(line["shipment_number"], line["quantity"]) for line in waiting["lines"]] == [("SH-1001", 5)]
    assert (silent.status_code, silent.json()["code"]) == (422, "REASON_MISSING")
    assert (said.json()["state"], said.json()["reason"]) == ("refused", "the truck is loaded")
    assert again.json() == said.json()
    assert (late.status_code, late.json()["code"]) == (409, "RECALL_ANSWERED")
    assert (await world.send("GET", "/v1/recalls", "warehouse")).json()["rows"] == []


async def test_the_warehouse_sees_no_values(world: World) -> None:
    world.inventory.on_hand[("PUMP-100", "wh_1")] = 1

    theirs = await world.send("GET", "/v1/stock", "warehouse")
    audited = await world.send("GET", "/v1/stock", "auditor")

    assert theirs.json()["rows"][0]["value"] is None
    assert audited.json()["rows"][0]["value"] == {"amount": "12.00", "currency": "USD"}


async def test_a_customer_sees_its_own_invoices_and_nobody_elses(world: World) -> None:
    world.billing.invoice("inv_1", "cus_acme", 132_900)
    world.billing.invoice("inv_2", "cus_rival", 500)

    listed = await world.send("GET", "/v1/invoices", "customer")
    foreign = await world.send("GET", "/v1/invoices/inv_2", "customer")
    asked = await world.send("GET", "/v1/invoices?customer_id=cus_rival", "customer")

    assert [row["invoice_id"] for row in listed.json()["rows"]] == ["inv_1"]
    assert listed.json()["rows"][0]["open"] == {"amount": "1329.00", "currency": "USD"}
    assert (foreign.status_code, asked.status_code) == (404, 404)


@pytest.mark.parametrize("role", ["customer", "accounting", "support", "auditor"])
@pytest.mark.parametrize("named", ["inv_1", "INV-000001"])
async def test_an_invoice_is_a_pdf_file_that_nobody_shows_or_keeps(world: World, role: str, named: str) -> None:
    world.billing.invoice("inv_1", "cus_acme", 132_900)

    answer = await world.send("GET", f"/v1/invoices/{named}.pdf", role)

    assert (answer.status_code, answer.content) == (200, b"%PDF-1.7 of INV-000001")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="INV-000001.pdf"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("role", ["customer", "accounting", "support", "auditor"])
async def test_an_invoice_is_an_einvoice_that_nobody_shows_or_keeps(world: World, role: str) -> None:
    world.billing.invoice("inv_1", "cus_acme", 132_900)

    answer = await world.send("GET", "/v1/invoices/INV-000001.xml", role)

    assert (answer.status_code, answer.content[:5]) == (200, b"<?xml")
    assert answer.headers["Content-Type"] == "application/xml"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="INV-000001.xml"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_einvoice_that_cannot_be_made_says_what_is_missing(world: World) -> None:
    world.billing.invoice("inv_1", "cus_acme", 132_900)
    world.billing.einvoice_fault = "OMS_COMPANY_TAX_ID is not set"

    answer = await world.send("GET", "/v1/invoices/INV-000001.xml", "accounting")

    assert (answer.status_code, answer.json()["code"]) == (409, "E_INVOICE_NOT_CONFIGURED")
    assert "OMS_COMPANY_TAX_ID" in answer.json()["detail"]


@pytest.mark.parametrize("named", ["inv_2", "INV-000001", "inv_9", "inv_2.pdf"])
async def test_another_companys_invoice_is_no_pdf(world: World, named: str) -> None:
    world.billing.invoice("inv_2", "cus_rival", 500)

    answer = await world.send("GET", f"/v1/invoices/{named}.pdf", "customer")
    as_xml = await world.send("GET", f"/v1/invoices/{named}.xml", "customer")
    warehouse = await world.send("GET", f"/v1/invoices/{named}.pdf", "warehouse")

    assert (answer.status_code, answer.json()["code"]) == (404, "INVOICE_NOT_FOUND")
    assert (as_xml.status_code, as_xml.json()["code"]) == (404, "INVOICE_NOT_FOUND")
    assert "rival" not in answer.text
    assert warehouse.status_code == 403


async def test_the_document_says_that_an_invoice_is_a_pdf(world: World) -> None:
    document = (await world.send("GET", "/openapi.json")).json()

    answer = document["paths"]["/v1/invoices/{invoice}.pdf"]["get"]["responses"]["200"]
    assert answer["content"] == {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


async def test_a_customer_account_is_made_with_its_credit_limit(world: World) -> None:
    body = {"customer_id": "cus_new", "name": "New", "currency": "USD", "credit_limit": "5000.00", "sales_rep": "sam"}

    made = await world.send("POST", "/v1/customers", "admin", json=body)
    read = await world.send("GET", "/v1/customers/cus_new", "sales_rep")
    hidden = await world.send("GET", "/v1/customers/cus_rival", "sales_rep")

    assert made.json()["credit"]["limit"] == {"amount": "5000.00", "currency": "USD"}
    assert read.json()["credit"]["headroom"] == {"amount": "5000.00", "currency": "USD"}
    assert hidden.status_code == 404


async def test_lists_come_in_pages_that_join_without_gap(world: World) -> None:
    for number in range(5):
        body = {"sku": f"SKU-{number}", "description": "x", "currency": "USD"}
        await world.send("POST", "/v1/products", "admin", json=body)
    seen: list[str] = []
    cursor: str | None = ""

    while cursor is not None:
        page = (await world.send("GET", "/v1/products", "admin", params={"limit": 3, "cursor": cursor})).json()
        seen += [row["sku"] for row in page["rows"]]
        cursor = page["next_cursor"]

    assert seen == ["INSTALL-8H", "PUMP-100", "SKU-0", "SKU-1", "SKU-2", "SKU-3", "SKU-4"]


async def test_a_rule_that_does_not_compile_is_refused_by_its_code(world: World) -> None:
    rule = {"code": "BROKEN", "when": "order.total_minor >", "severity": "WARN", "message": "x"}

    answer = await world.send("POST", "/v1/policies", "admin", json={"rules": [rule]})
    versions = await world.send("GET", "/v1/policies", "admin")

    assert (answer.status_code, answer.json()["code"]) == (422, "POLICY_INVALID")
    assert "BROKEN" in answer.json()["detail"]
    assert [row["version"] for row in versions.json()["rows"]] == [0]


async def test_mail_templates_are_listed_and_previewed(world: World) -> None:
    listed = await world.send("GET", "/v1/mail-templates", "support")
    shown = await world.send("GET", "/v1/mail-templates/shipped/customer", "support")
    missing = await world.send("GET", "/v1/mail-templates/shipped/king", "support")

    assert listed.json() == {"rows": [{"kind": "shipped", "roles": ["customer", "support"]}], "next_cursor": None}
    assert shown.json() == {
        "kind": "shipped",
        "role": "customer",
        "subject": "Your order SO-1001 is on its way",
        "text": "SO-1001 left us",
        "html": '<p style="color: red">SO-1001</p>',
    }
    assert (missing.status_code, missing.json()["code"]) == (404, "NO_SUCH_TEMPLATE")


async def test_a_policy_sent_again_under_its_key_is_no_second_version(world: World) -> None:
    policy = documents.read("policies")

    first = await world.send("POST", "/v1/policies", "admin", key="p1", json=policy)
    again = await world.send("POST", "/v1/policies", "admin", key="p1", json=policy)
    versions = (await world.send("GET", "/v1/policies", "admin")).json()["rows"]

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert [row["version"] for row in versions if row["version"]] == [first.json()["version"]]


COUNT = {"warehouse_id": "wh_1", "sku": "PUMP-100", "delta": 2, "reason": "count"}


@pytest.mark.parametrize(
    ("standard", "given", "counted"),
    [
        (None, {"unit_cost": "81.50", "currency": "USD"}, ("81.50", "USD", "", "")),
        ("80.00", {}, ("", "", "80.00", "USD")),
        ("80.00", {"unit_cost": "81.50", "currency": "USD"}, ("81.50", "USD", "80.00", "USD")),
    ],
)
async def test_units_counted_in_are_sent_with_their_cost_and_the_standard_cost(
    world: World, standard: str | None, given: dict[str, str], counted: tuple[str, str, str, str]
) -> None:
    pump = {"sku": "PUMP-100", "description": "Pump", "currency": "USD", "list_price": "140.00"}
    await world.send("POST", "/v1/products", "admin", json={**pump, "standard_cost": standard})

    answer = await world.send("POST", "/v1/stock/adjustments", "warehouse", key="a1", json={**COUNT, **given})

    assert answer.status_code == 201, answer.text
    assert world.inventory.counted == [counted]


async def test_units_counted_in_at_no_known_cost_are_refused(world: World) -> None:
    answer = await world.send("POST", "/v1/stock/adjustments", "warehouse", key="a1", json=COUNT)

    assert (answer.status_code, answer.json()["code"]) == (409, "COST_UNKNOWN")

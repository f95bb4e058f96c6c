"""Credit notes and write-offs over HTTP: who may make and read them, once a key, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import World

UNITS = {"lines": [{"line_id": "1", "quantity": 3}], "reason_code": "damaged", "reason": "arrived broken"}
NOTES = "/v1/invoices/INV-000001/credit-notes"


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


async def test_accounting_credits_an_invoice_once_a_key(world: World) -> None:
    world.billing.invoice("inv_1", "cus_acme", 1_000)

    refused = await world.send("POST", NOTES, "support", key="c1", json=UNITS)
    answers = [await world.send("POST", NOTES, "accounting", key="c1", json=UNITS) for _ in range(2)]
    other = await world.send("POST", NOTES, "accounting", key="c1", json={**UNITS, "reason": "another"})

    assert [refused.status_code, *(answer.status_code for answer in answers)] == [403, 201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(world.billing.notes) == 1
    said = answers[0].json()
    assert (said["credit_note"]["number"], said["credit_note"]["total"]) == ("CN-1001", usd("3.00"))
    assert (said["invoice"]["open"], said["invoice"]["credited"], said["waiting"]) == (usd("7.00"), usd("3.00"), None)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_preview_says_what_follows_and_needs_no_key(world: World) -> None:
    world.billing.invoice("inv_1", "cus_acme", 1_000)

    answer = await world.send("POST", f"{NOTES}/preview", "accounting", json={**UNITS, "freight": usd("1.00")})

    said = answer.json()
    assert (answer.status_code, said["credit_note"]["total"]) == (200, usd("4.00"))
    assert "number" not in said["credit_note"]
    assert (said["before"]["open"], said["after"]["open"]) == (usd("10.00"), usd("6.00"))
    assert (said["released_order_ids"], said["needs_second_person"]) == (["ord_9"], True)
    assert world.billing.notes == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**UNITS, "lines": []}, 422, "INVALID_REQUEST"),
        ({**UNITS, "everything": True}, 422, "INVALID_REQUEST"),
        ({**UNITS, "reason_code": "mood"}, 422, "INVALID_REQUEST"),
        ({**UNITS, "lines": [{"line_id": "1", "quantity": 0}]}, 422, "INVALID_REQUEST"),
        ({**UNITS, "lines": [{"line_id": "1", "quantity": 11}]}, 409, "UNITS_CREDITED"),
    ],
)
async def test_what_cannot_be_credited_is_refused_with_its_reason(
    world: World, body: dict[str, Any], status: int, code: str
) -> None:
    world.billing.invoice("inv_1", "cus_acme", 1_000)

    answer = await world.send("POST", NOTES, "accounting", key="c1", json=body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.billing.notes == []


async def test_a_customer_reads_its_own_credit_notes_and_not_who_of_ours_made_them(world: World) -> None:
    for invoice_id, customer_id in (("inv_1", "cus_acme"), ("inv_2", "cus_rival")):
        world.billing.invoice(invoice_id, customer_id, 1_000)
        path = f"/v1/invoices/{invoice_id}/credit-notes"
        await world.send("POST", path, "accounting", key=invoice_id, json=UNITS, claims={"sub": "ann"})

    listed = (await world.send("GET", "/v1/credit-notes?invoice=INV-000001", "customer")).json()["rows"]
    own = await world.send("GET", "/v1/credit-notes/CN-1001", "customer")
    foreign = await world.send("GET", "/v1/credit-notes/CN-1002", "customer")
    asked = await world.send("GET", "/v1/credit-notes?customer_id=cus_rival", "customer")
    ours = (await world.send("GET", "/v1/credit-notes/cn_1", "auditor")).json()

    assert [row["number"] for row in listed] == ["CN-1001"]
    assert (own.json()["reason"], own.json()["asked_by"], own.json()["approved_by"]) == ("arrived broken", None, None)
    assert (ours["asked_by"], ours["approved_by"]) == ("ann", "ben")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "CREDIT_NOTE_NOT_FOUND")
    assert (asked.status_code, asked.json()["code"]) == (404, "CUSTOMER_NOT_FOUND")


@pytest.mark.parametrize("role", ["customer", "accounting", "support", "auditor"])
@pytest.mark.parametrize("named", ["cn_1", "CN-1001"])
async def test_a_credit_note_is_a_pdf_and_an_einvoice_that_nobody_shows_or_keeps(
    world: World, role: str, named: str
) -> None:
    world.billing.invoice("inv_1", "cus_acme", 1_000)
    await world.send("POST", NOTES, "accounting", key="c1", json=UNITS)

    pdf, xml = [await world.send("GET", f"/v1/credit-notes/{named}.{kind}", role) for kind in ("pdf", "xml")]

    assert (pdf.status_code, pdf.content) == (200, b"%PDF-1.7 of CN-1001")
    assert (xml.status_code, xml.content[:5]) == (200, b"<?xml")
    for answer, kind in ((pdf, "pdf"), (xml, "xml")):
        assert answer.headers["Content-Type"] == f"application/{kind}"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="CN-1001.{kind}"'
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_another_companys_credit_note_is_no_document(world: World) -> None:
    world.billing.invoice("inv_2", "cus_rival", 1_000)
    await world.send("POST", "/v1/invoices/inv_2/credit-notes", "accounting", key="c1", json=UNITS)

    for path in ("cn_1.pdf", "CN-1001.pdf", "CN-1001.xml", "CN-1002.pdf", "CN-1002.xml"):
        answer = await world.send("GET", f"/v1/credit-notes/{path}", "customer")
        warehouse = await world.send("GET", f"/v1/credit-notes/{path}", "warehouse")
        assert (answer.status_code, answer.json()["code"]) == (404, "CREDIT_NOTE_NOT_FOUND")
        assert warehouse.status_code == 403


async def test_a_credit_note_that_cannot_be_an_einvoice_says_what_is_missing(world: World) -> None:
    world.billing.invoice("inv_1", "cus_acme", 1_000)
    await world.send("POST", NOTES, "accounting", key="c1", json=UNITS)
    world.billing.einvoice_fault = "OMS_COMPANY_TAX_ID is not set"

    answer = await world.send("GET", "/v1/credit-notes/CN-1001.xml", "accounting")

    assert (answer.status_code, answer.json()["code"]) == (409, "E_INVOICE_NOT_CONFIGURED")


async def test_the_document_says_that_a_credit_note_is_a_file(world: World) -> None:
    paths = (await world.send("GET", "/openapi.json")).json()["paths"]

    pdf, xml = (paths[f"/v1/credit-notes/{{note}}.{kind}"]["get"]["responses"] for kind in ("pdf", "xml"))
    for answers, kind in ((pdf, "pdf"), (xml, "xml")):
        assert answers["200"]["content"] == {f"application/{kind}": {"schema": {"type": "string", "format": "binary"}}}
    assert "ask again in a few seconds" in pdf["409"]["description"]
    assert "E_INVOICE_NOT_POSSIBLE" in xml["409"]["description"]


async def test_what_is_open_is_written_off_and_no_more(world: World) -> None:
    world.billing.invoice("inv_1", "cus_acme", 1_000)
    path = "/v1/invoices/INV-000001/write-off"

    over = await world.send("POST", path, "accounting", key="w1", json={"reason": "gone", "amount": usd("10.01")})
    part = await world.send("POST", path, "accounting", key="w2", json={"reason": "gone", "amount": usd("4.00")})
    rest = await world.send("POST", path, "accounting", key="w3", json={"reason": "gone"})

    assert (over.status_code, over.json()["code"]) == (409, "WRITE_OFF_EXCEEDS_OPEN")
    assert (part.json()["invoice"]["open"], rest.json()["invoice"]["open"]) == (usd("6.00"), usd("0.00"))


async def test_a_correction_of_an_invoice_is_decided_where_those_of_payments_are(world: World) -> None:
    world.billing.correction.payment_id, world.billing.correction.invoice_id = "", "inv_1"
    world.billing.correction.kind = "write_off"

    [listed] = (await world.send("GET", "/v1/payment-corrections", "auditor")).json()["rows"]

    assert (listed["payment_id"], listed["invoice_id"], listed["kind"]) == (None, "inv_1", "write_off")

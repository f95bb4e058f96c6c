"""Deposit invoices over HTTP: whose they are, what they say, and the files they are."""

from __future__ import annotations

import pytest

from tests.api.conftest import World


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


async def test_a_deposit_invoice_says_its_tax_and_what_became_of_it(world: World) -> None:
    made = world.billing.deposit("cus_acme")
    made.deductions.add(
        deposit_invoice_id="dep_1", deposit_invoice_number="DI-1001", invoice_id="inv_1", invoice_number="INV-000001",
        amount=made.total, tax=made.tax,
    )  # fmt: skip
    world.billing.deposit("cus_acme", corrects="DI-1001")

    rows = (await world.send("GET", "/v1/deposit-invoices?order_id=ord_1", "accounting")).json()["rows"]

    one, note = rows
    assert (one["number"], one["net"], one["tax"], one["total"]) == (
        "DI-1001",
        usd("300.00"),
        usd("30.00"),
        usd("330.00"),
    )
    assert [(row["rate"], row["tax"]) for row in one["taxes"]] == [("0.1", usd("30.00"))]
    assert [(row["invoice_number"], row["tax"]) for row in one["deductions"]] == [("INV-000001", usd("30.00"))]
    assert (one["is_credit_note"], one["corrects"], one["reason"]) == (False, None, None)
    assert (note["is_credit_note"], note["corrects"], note["reason"]) == (True, "DI-1001", "check bounced")


async def test_an_invoice_says_which_deposit_it_deducts(world: World) -> None:
    invoice = world.billing.invoice("inv_1", "cus_acme", 110_000)
    invoice.deposits.add(
        deposit_invoice_id="dep_1", deposit_invoice_number="DI-1001", invoice_id="inv_1", invoice_number="INV-000001",
        amount=invoice.total, tax=invoice.tax,
    )  # fmt: skip

    said = (await world.send("GET", "/v1/invoices/inv_1", "accounting")).json()

    assert [(row["deposit_invoice_number"], row["amount"]) for row in said["deposits"]] == [("DI-1001", usd("1100.00"))]


async def test_a_customer_reads_its_own_deposit_invoices(world: World) -> None:
    world.billing.deposit("cus_acme")
    world.billing.deposit("cus_rival")

    listed = (await world.send("GET", "/v1/deposit-invoices", "customer")).json()["rows"]
    own = await world.send("GET", "/v1/deposit-invoices/DI-1001", "customer")
    asked = await world.send("GET", "/v1/deposit-invoices?customer_id=cus_rival", "customer")
    foreign = [
        await world.send("GET", f"/v1/deposit-invoices/{path}", "customer")
        for path in ("dep_2", "DI-1002.pdf", "DI-1002.xml")
    ]

    assert [row["number"] for row in listed] == ["DI-1001"]
    assert own.json()["deposit_invoice_id"] == "dep_1"
    assert (asked.status_code, asked.json()["code"]) == (404, "CUSTOMER_NOT_FOUND")
    assert {(one.status_code, one.json()["code"]) for one in foreign} == {(404, "DEPOSIT_INVOICE_NOT_FOUND")}


@pytest.mark.parametrize("role", ["customer", "accounting", "support", "auditor"])
async def test_a_deposit_invoice_is_a_pdf_and_an_einvoice_that_nobody_shows_or_keeps(world: World, role: str) -> None:
    world.billing.deposit("cus_acme")

    answers = {kind: await world.send("GET", f"/v1/deposit-invoices/DI-1001.{kind}", role) for kind in ("pdf", "xml")}
    refused = await world.send("GET", "/v1/deposit-invoices/DI-1001.pdf", "warehouse")

    assert answers["pdf"].content == b"%PDF-1.7 of DI-1001"
    assert answers["xml"].content[:5] == b"<?xml"
    for kind, answer in answers.items():
        assert answer.headers["Content-Disposition"] == f'attachment; filename="DI-1001.{kind}"'
        assert answer.headers["Cache-Control"] == "private, no-store"
    assert refused.status_code == 403

"""`oms invoices deposits` and `oms invoices deposit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms
from tests.cli.test_invoices import usd


def deposit(**members: Any) -> dict[str, Any]:
    names = {
        "number": "DI-1001",
        "corrects": None,
        "order_number": "SO-1001",
        "customer_id": "cus_acme",
        "invoiced_on": "2026-12-01",
    }
    amounts = {
        "net": "300.00",
        "tax": "30.00",
        "total": "330.00",
        "deducted": "330.00",
        "credited": "0.00",
        "open": "0.00",
    }
    return {**names, **{name: usd(amount) for name, amount in amounts.items()}, "deductions": [], **members}


def test_deposit_invoices_are_listed_with_the_tax_that_is_in_them(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/deposit-invoices", deposit(), deposit(number="DC-1001", corrects="DI-1001"))

    answer = command("invoices", "deposits", "--customer", "cus_acme")

    assert answer.code == 0
    assert api.asked[-1].query["customer_id"] == "cus_acme"
    for said in ("DI-1001", "DC-1001", "330.00", "30.00"):
        assert said in answer.out


def test_one_is_shown_with_the_invoices_that_deduct_it(command: Oms, api: FakeApi) -> None:
    taken = {"invoice_number": "INV-000001", "amount": usd("330.00"), "tax": usd("30.00")}
    api.on("GET /v1/deposit-invoices/DI-1001", deposit(deductions=[taken]))

    answer = command("invoices", "deposit", "DI-1001")

    assert "DI-1001 · SO-1001 · cus_acme" in answer.out
    assert "INV-000001 deducts 330.00 USD, 30.00 USD of it tax" in answer.out


def test_it_is_written_as_a_file(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    path = tmp_path / "deposit.pdf"

    both = command("invoices", "deposit", "DI-1001", "--pdf", "--xml")
    missing = command("invoices", "deposit", "DI-1001", "--pdf", "-o", str(path))

    assert (both.code, both.err.strip()) == (1, "name one of --pdf and --xml: each is a file of its own")
    assert missing.code == 1
    assert not path.exists()
    assert api.asked[-1].path == "/v1/deposit-invoices/DI-1001.pdf"

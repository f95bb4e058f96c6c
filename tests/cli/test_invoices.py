"""`oms invoices`: what is due when, and what settles an invoice early."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def invoice(**members: Any) -> dict[str, Any]:
    amounts = {name: usd("1000.00") for name in ("merchandise", "total", "open")}
    zeros = ("discount", "freight", "tax", "paid", "settled_elsewhere", "discount_taken", "credited", "written_off")
    nothing = {name: usd("0.00") for name in zeros}
    names = {"number": "INV-000001", "order_number": "SO-1001", "customer_id": "cus_acme", "status": "open"}
    dues = [{"due_on": "2026-04-01", "amount": usd("1000.00"), "open": usd("1000.00")}]
    days = {"invoiced_on": "2026-03-02", "due_on": "2026-04-01", "installments": dues, "lines": []}
    return {**names, **amounts, **nothing, **days, "terms": "2/10 net 30", "early_discount": None, **members}


def test_an_invoice_shows_its_terms_and_what_settles_it_early(command: Oms, api: FakeApi) -> None:
    early = {"amount": usd("20.00"), "until": "2026-03-12", "pays": usd("980.00")}
    api.on("GET /v1/invoices/inv_1", invoice(early_discount=early))

    answer = command("invoices", "show", "inv_1")

    assert answer.code == 0
    assert "2/10 net 30" in answer.out
    assert "980.00 USD settles it until Mar 12, 2026: 20.00 USD discount" in answer.out


def test_the_amounts_of_an_invoice_that_was_paid_elsewhere_add_up(command: Oms, api: FakeApi) -> None:
    elsewhere = {"open": usd("0.00"), "settled_elsewhere": usd("1000.00"), "status": "paid"}
    api.on("GET /v1/invoices/inv_1", invoice(**elsewhere))

    answer = command("invoices", "show", "inv_1")

    shown = dict(
        line.rsplit("  ", 1) for line in answer.out.splitlines() if line.endswith("USD") and "2026" not in line
    )
    amount = {name.strip(): Decimal(said.removesuffix(" USD").replace(",", "")) for name, said in shown.items()}
    assert amount["settled elsewhere"] == 1000
    assert amount["open"] == amount["total"] - amount["paid"] - amount["discount taken"] - amount["settled elsewhere"]


@pytest.mark.parametrize("due_on", ["2026-04-01", None])
def test_an_invoice_that_waits_for_its_delivery_has_no_due_date_yet(
    command: Oms, api: FakeApi, due_on: str | None
) -> None:
    api.page("GET /v1/invoices", invoice(due_on=due_on))

    answer = command("invoices", "list")

    assert answer.code == 0
    assert ("Apr 1, 2026" in answer.out) == bool(due_on)


def test_an_invoice_is_written_to_the_file_that_is_named_or_to_its_number(
    command: Oms, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.on("GET /v1/invoices/INV-000001.pdf", "%PDF-1.7 …")
    monkeypatch.chdir(tmp_path)

    answers = [command("invoices", "pdf", "INV-000001", *more) for more in ((), ("-o", "paper.pdf"))]

    assert [answer.code for answer in answers] == [0, 0]
    assert "INV-000001.pdf written" in answers[0].out
    written = [(tmp_path / name).read_text("utf-8") for name in ("INV-000001.pdf", "paper.pdf")]
    assert written == ["%PDF-1.7 …"] * 2


def test_an_einvoice_is_written_to_its_number_and_what_it_lacks_is_said(
    command: Oms, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks = {"code": "E_INVOICE_NOT_CONFIGURED", "detail": "OMS_COMPANY_TAX_ID is not set"}
    api.on("GET /v1/invoices/INV-000001.xml", "<?xml version='1.0'?><invoice/>")
    api.on("GET /v1/invoices/INV-000002.xml", lacks, 409)
    monkeypatch.chdir(tmp_path)

    written, refused = (command("invoices", "xml", number) for number in ("INV-000001", "INV-000002"))

    assert (written.code, (tmp_path / "INV-000001.xml").read_text("utf-8")[:5]) == (0, "<?xml")
    assert refused.code != 0
    assert "OMS_COMPANY_TAX_ID is not set" in refused.out + refused.err


@pytest.mark.parametrize("sent", ["INV-000001.pdf", "/tmp/INV-000001.pdf", "..\\INV-000001.pdf"])
def test_an_invoice_that_is_named_by_its_id_is_written_to_its_number_in_this_folder(
    command: Oms, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    api.on("GET /v1/invoices/inv_1.pdf", "%PDF-1.7")
    api.headers["GET /v1/invoices/inv_1.pdf"] = {"Content-Disposition": f'attachment; filename="{sent}"'}
    monkeypatch.chdir(tmp_path)

    answer = command("invoices", "pdf", "inv_1")

    assert "INV-000001.pdf written" in answer.out
    assert (tmp_path / "INV-000001.pdf").read_text("utf-8") == "%PDF-1.7"
    assert not (tmp_path / "inv_1.pdf").exists()


def test_a_pdf_that_cannot_be_had_or_written_is_refused_in_a_sentence(
    command: Oms, api: FakeApi, tmp_path: Path
) -> None:
    api.on("GET /v1/invoices/INV-000001.pdf", "%PDF-1.7")
    api.on("GET /v1/invoices/INV-000002.pdf", {"page": "of another server"})
    missing = {"code": "INVOICE_NOT_FOUND", "detail": "there is no such invoice: look it up in the list"}
    api.on("GET /v1/invoices/INV-000009.pdf", missing, 404)
    file = tmp_path / "paper.pdf"

    unwritable = command("invoices", "pdf", "INV-000001", "-o", str(tmp_path / "nowhere" / "paper.pdf"))
    foreign = command("invoices", "pdf", "INV-000002", "-o", str(file))
    unknown = command("invoices", "pdf", "INV-000009", "-o", str(file))

    assert [answer.code != 0 for answer in (unwritable, foreign, unknown)] == [True] * 3
    assert "cannot be written" in unwritable.out + unwritable.err
    assert "no PDF" in foreign.out + foreign.err
    assert "no such invoice" in unknown.out + unknown.err
    assert not file.exists()


SHARES = [
    {
        "invoice_id": "inv_a",
        "order_number": "SO-1001",
        "po_number": "PO-A",
        "total": usd("400.00"),
        "open": usd("400.00"),
    },
    {"invoice_id": "inv_b", "order_number": "SO-1002", "po_number": "", "total": usd("600.00"), "open": usd("600.00")},
]


def test_an_invoice_of_several_orders_shows_what_each_has_of_it(command: Oms, api: FakeApi) -> None:
    line = {"sku": "PUMP", "description": "pump", "quantity": 1, "unit_price": "400.00", "extended": usd("400.00")}
    found = invoice(order_number="", shares=SHARES, lines=[{**line, "order_number": "SO-1001"}])
    api.on("GET /v1/invoices/inv_1", found)
    api.page("GET /v1/invoices", found)

    listed, shown = command("invoices", "list"), command("invoices", "show", "inv_1")

    assert "2 orders" in listed.out
    assert "INV-000001 · 2 orders · cus_acme" in shown.out
    for part in ("SO-1001", "PO-A", "inv_a", "SO-1002", "inv_b"):
        assert part in shown.out


def test_a_share_is_credited_by_its_id_for_its_number_is_that_of_others_too(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/invoices/inv_a", invoice(invoice_id="inv_a", consolidated_invoice_id="inv_1"))
    waiting = {"correction_id": "cor_1"}
    api.on("POST /v1/invoices/inv_a/credit-notes", {"waiting": waiting}, 202)

    answer = command("invoices", "credit", "inv_a", "--reason", "damaged", "--all")

    assert "cor_1" in answer.out

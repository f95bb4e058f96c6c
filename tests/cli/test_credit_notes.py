"""`oms invoices credit`, `write-off` and `credit-notes`: what is asked of the API, and what is said of its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms
from tests.cli.test_invoices import invoice, usd

NOTES = "/v1/invoices/INV-000001/credit-notes"


def note(**members: Any) -> dict[str, Any]:
    zeros = ("discount", "allowance", "claw_back", "freight", "tax", "recovered", "discount_lost", "off_open")
    names = {"invoice_number": "INV-000001", "order_number": "SO-1001", "customer_id": "cus_acme", "lines": []}
    amounts = {name: usd("40.00") for name in ("merchandise", "total", "cash")}
    return {**names, **amounts, **{name: usd("0.00") for name in zeros}, **members}


def asked(api: FakeApi) -> Any:
    return api.asked[-1].body


@pytest.fixture
def billed(api: FakeApi) -> FakeApi:
    api.page("GET /v1/invoices", invoice())
    return api


def test_units_freight_and_an_amount_are_credited_in_the_invoices_own_currency(command: Oms, billed: FakeApi) -> None:
    answered = {"credit_note": note(number="CN-1001"), "invoice": invoice(status="paid"), "waiting": None}
    billed.on(f"POST {NOTES}", answered)

    answer = command(
        "invoices", "credit", "INV-000001", "--line", "1=2", "--line", "2=1", "--freight", "10.00", "--amount", "5.00",
        "--reason", "arrived broken", "--code", "damaged",
    )  # fmt: skip

    assert answer.code == 0
    assert asked(billed) == {
        "lines": [{"line_id": "1", "quantity": 2}, {"line_id": "2", "quantity": 1}],
        "freight": usd("10.00"), "allowance": usd("5.00"), "everything": False, "reason": "arrived broken", "reason_code": "damaged",
    }  # fmt: skip
    assert "CN-1001 · INV-000001 · SO-1001 · cus_acme" in answer.out
    assert "40.00 USD" in answer.out
    assert "INV-000001: 1,000.00 USD open, paid" in answer.out


def test_a_discount_that_is_taken_back_is_said(command: Oms, billed: FakeApi) -> None:
    taken_back = note(number="CN-1001", allowance=usd("-5.00"), claw_back=usd("5.00"))
    billed.on(f"POST {NOTES}", {"credit_note": taken_back, "invoice": invoice(), "waiting": None})

    answer = command("invoices", "credit", "INV-000001", "--line", "1=5", "--reason", "came back", "--code", "returned")

    assert "5.00 USD of the order's discount is taken back in the allowance" in answer.out


def test_a_preview_says_what_would_follow(command: Oms, billed: FakeApi) -> None:
    before, after = invoice(), invoice(open=usd("960.00"))
    seen = {"credit_note": note(), "before": before, "after": after, "released_order_ids": ["ord_9"]}
    billed.on(f"POST {NOTES}/preview", {**seen, "needs_second_person": True})

    answer = command("invoices", "credit", "INV-000001", "--all", "--reason", "wrong address", "--preview")

    assert asked(billed)["everything"] is True
    assert "preview of a credit note" in answer.out
    assert "960.00 USD open" in answer.out
    assert "releases ord_9" in answer.out
    assert "another person in accounting decides" in answer.out


def test_over_the_limit_it_says_who_decides(command: Oms, billed: FakeApi) -> None:
    waiting = {"correction_id": "corr_1", "kind": "credit_note"}
    billed.on(f"POST {NOTES}", {"credit_note": None, "invoice": invoice(), "waiting": waiting})
    billed.on("POST /v1/invoices/INV-000001/write-off", {"invoice": invoice(), "waiting": waiting})

    answers = [
        command("invoices", "credit", "INV-000001", "--all", "--reason", "wrong"),
        command("invoices", "write-off", "INV-000001", "--reason", "gone"),
    ]

    assert all("another person in accounting decides corr_1" in answer.out for answer in answers)


def test_what_is_written_off_is_said_with_what_is_left(command: Oms, billed: FakeApi) -> None:
    left = invoice(written_off=usd("400.00"), open=usd("600.00"))
    billed.on("POST /v1/invoices/INV-000001/write-off", {"invoice": left, "waiting": None})

    answer = command("invoices", "write-off", "INV-000001", "--amount", "400.00", "--reason", "insolvent")

    assert asked(billed) == {"reason": "insolvent", "amount": usd("400.00")}
    assert "INV-000001: 400.00 USD written off, 600.00 USD open" in answer.out


@pytest.mark.parametrize("word", ["1", "1=", "=2", "1=two", "1=-1"])
def test_a_word_that_names_no_units_is_refused_before_anything_is_asked(
    command: Oms, billed: FakeApi, word: str
) -> None:
    answer = command("invoices", "credit", "INV-000001", "--line", word, "--reason", "x")

    assert answer.code == 1
    assert "write it as 1=2" in answer.err
    assert not [one for one in billed.asked if one.method == "POST"]


def test_credit_notes_are_listed_and_refusals_are_said(command: Oms, billed: FakeApi) -> None:
    billed.page("GET /v1/credit-notes", note(number="CN-1001", credited_on="2026-12-01", reason="broken"))
    refused = {"code": "UNITS_CREDITED", "detail": "line 1 of invoice INV-000001: 3 of 3 units are credited already"}
    billed.on(f"POST {NOTES}", refused, 409)

    listed = command("invoices", "credit-notes", "--invoice", "INV-000001")
    again = command("invoices", "credit", "INV-000001", "--line", "1=1", "--reason", "x")

    assert "CN-1001" in listed.out
    assert (again.code, "credited already" in again.err) == (1, True)


def test_a_credit_note_is_shown(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/credit-notes/CN-1001", note(number="CN-1001"))

    shown = command("invoices", "credit-note", "CN-1001")
    as_json = command("invoices", "credit-note", "CN-1001", "--json")

    assert "CN-1001 · INV-000001 · SO-1001 · cus_acme" in shown.out
    assert "40.00 USD" in shown.out
    assert '"number": "CN-1001"' in as_json.out


def test_a_credit_note_is_written_as_a_pdf_or_an_einvoice(
    command: Oms, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.on("GET /v1/credit-notes/CN-1001.pdf", "%PDF-1.7")
    api.on("GET /v1/credit-notes/CN-1001.xml", "<?xml version='1.0'?><note/>")
    monkeypatch.chdir(tmp_path)

    answers = [
        command("invoices", "credit-note", "CN-1001", *more)
        for more in (("--pdf",), ("--xml",), ("-o", "paper.pdf"), ("--xml", "-o", "data.xml"))
    ]

    assert [answer.code for answer in answers] == [0] * 4
    assert "CN-1001.pdf written" in answers[0].out
    for name, begins in (
        ("CN-1001.pdf", "%PDF"),
        ("CN-1001.xml", "<?xml"),
        ("paper.pdf", "%PDF"),
        ("data.xml", "<?xml"),
    ):
        assert (tmp_path / name).read_text("utf-8").startswith(begins)


def test_both_files_at_once_and_an_answer_of_another_kind_are_refused(
    command: Oms, api: FakeApi, tmp_path: Path
) -> None:
    api.on("GET /v1/credit-notes/CN-1001.pdf", {"page": "of another server"})
    file = tmp_path / "paper.pdf"

    both = command("invoices", "credit-note", "CN-1001", "--pdf", "--xml")
    foreign = command("invoices", "credit-note", "CN-1001", "-o", str(file))

    assert (both.code != 0, "--pdf and --xml" in both.out + both.err) == (True, True)
    assert (foreign.code != 0, "no PDF" in foreign.out + foreign.err) == (True, True)
    assert not file.exists()

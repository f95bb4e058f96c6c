"""Commands answer people with tables, programs with JSON, and refusals with a sentence and exit code 1."""

from __future__ import annotations

import json
import os
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from cli import statefile
from cli.client import Api, events
from cli.orders import key_of
from cli.refusals import NotRunning
from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms, claims

USD_2000 = {"amount": "2000.00", "currency": "USD"}
ORDER = {
    "order_id": "ord_1", "number": "SO-1001", "status": "in_fulfilment", "version": 3, "customer_name": "ACME Inc.",
    "channel": "web", "channel_ref": "WEB-1", "po_number": "PO-7781", "placed_at": "2026-03-01T09:59:00.000Z",
    "totals": {"total": USD_2000}, "axes": {"review": "accepted", "holds": []}, "holds": [], "shipments": [], "invoices": [],
    "waiting_for": {"who": "warehouse", "what": "picking", "since": "2026-03-01T10:00:00.000Z", "due": None},
    "lines": [{
        "line_id": "1", "sku": "PUMP-100", "unit_price": "20.00", "extended": USD_2000,
        "quantities": {"ordered": 100, "cancelled": 0, "backordered": 15, "allocated": 85, "shipped": 60, "delivered": 0, "invoiced": 60},
    }],
}  # fmt: skip
ACCEPTED = {
    "sequence": 7, "occurred_at": "2026-03-01T10:00:00.000Z", "what": "accepted", "who": "rules", "role": "service",
    "why": "every rule is content",
}  # fmt: skip


@pytest.mark.parametrize("noun", ["orders", "stock", "shipments", "invoices", "payments", "audit"])
def test_where_nobody_answers_a_command_says_how_to_start_the_system(
    command: Oms, noun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMS_URL")

    answer = command(noun)

    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "the system is not running: start it with `oms up`\n"


def test_a_folder_where_nothing_runs_does_not_speak_to_whoever_listens_where_its_system_once_did(
    command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMS_URL")
    statefile.write(command.var, {"pid": 1, "url": api.url, "processes": []})

    answer = command("orders")

    assert (answer.code, answer.err) == (1, "the system is not running: start it with `oms up`\n")
    assert api.asked == []


def test_a_folder_where_a_system_runs_is_asked_where_it_listens(
    command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMS_URL")
    statefile.write(command.var, {"pid": 1, "url": api.url, "processes": []})
    api.page("GET /v1/orders")

    with statefile.held(command.var):
        answer = command("orders")

    assert (answer.code, answer.out) == (0, "no orders\n")


def test_the_status_of_nothing_is_told_to_programs_too(command: Oms) -> None:
    answer = command("status", "--json")

    assert answer.code == 1
    assert json.loads(answer.out) == {"is_running": False, "is_ready": False, "processes": []}


def test_the_status_names_the_folder_with_the_logs_of_what_does_not_run(command: Oms) -> None:
    stopped = {"name": "billing", "state": "starting", "pid": None, "port": None, "restarts": 3, "started_at": None}
    said = {
        "pid": os.getpid(),
        "started_at": 0.0,
        "ready_at": None,
        "url": "",
        "temporal_ui": "",
        "processes": [stopped],
    }
    statefile.write(command.var, said)

    with statefile.held(command.var):
        answer = command("status")

    assert answer.code == 1
    assert "billing: it is starting" in answer.out
    assert "api: it does not answer" in answer.out
    assert f"down: see {command.var}/log" in answer.out.replace("\n", "")


def test_a_token_names_role_company_and_person(command: Oms) -> None:
    answer = command("token", "--role", "customer", "--company", "cus_acme", "--sub", "ann")

    named = claims(answer.out)
    assert (named["roles"], named["company"], named["sub"], named["aud"]) == (["customer"], "cus_acme", "ann", "oms")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--role", "king"), "role king is not one of"),
        (("--role", "service"), "role service"),
        (("--role", "customer"), "--company"),
    ],
)
def test_a_token_that_cannot_be_made_is_refused(command: Oms, words: tuple[str, ...], sentence: str) -> None:
    answer = command("token", *words)

    assert answer.code == 1
    assert sentence in answer.err


def test_a_list_reads_page_after_page(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/orders", ORDER, next_cursor="next")
    api.page("GET /v1/orders", {**ORDER, "number": "SO-1002"})

    answer = command("orders", "list", "--status", "in_fulfilment", "--json")

    assert [row["number"] for row in json.loads(answer.out)] == ["SO-1001", "SO-1002"]
    assert [asked.query.get("cursor") for asked in api.asked] == [None, "next"]
    assert api.asked[0].query["status"] == "in_fulfilment"


def test_a_list_is_a_table_for_people(command: Oms, api: FakeApi) -> None:
    api.page(
        "GET /v1/stock",
        {"sku": "PUMP-100", "warehouse_id": "W1", "on_hand": 60, "value": {"amount": "720.00", "currency": "USD"}},
    )

    answer = command("stock")

    assert answer.code == 0
    assert "PUMP-100" in answer.out
    assert "720.00 USD" in answer.out


def test_the_same_document_is_placed_under_the_same_key(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    orders = [{"channel": "web", "channel_ref": "A"}, {"channel_ref": "B", "channel": "web"}]
    file.write_text(json.dumps(orders))
    api.on("POST /v1/orders", {"number": "SO-1001", "status": "accepted", "reasons": []}, 201)

    answer = command("orders", "place", str(file))

    keys = [asked.headers["Idempotency-Key"] for asked in api.asked]
    assert answer.out.splitlines() == ["SO-1001 is accepted"] * 2
    assert keys == [key_of(order) for order in orders]
    assert key_of({"channel_ref": "A", "channel": "web"}) == keys[0] != keys[1]


def test_a_refused_order_is_named_with_its_reasons_and_the_others_are_placed(
    command: Oms, api: FakeApi, tmp_path: Path
) -> None:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps([{"channel_ref": "A"}, {"channel_ref": "B"}]))
    problem = {
        "code": "INVALID_REQUEST",
        "detail": "correct /lines",
        "errors": [{"pointer": "/lines", "detail": "at least one"}],
    }
    api.on("POST /v1/orders", problem, 422)
    api.on("POST /v1/orders", {"number": "SO-1001", "status": "accepted"}, 201)

    answer = command("orders", "place", str(file))

    assert answer.code == 1
    assert answer.out.splitlines() == ["A refused: correct /lines", "  /lines: at least one", "SO-1001 is accepted"]
    assert answer.err == "1 of 2 orders were refused\n"


@pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
def test_a_file_that_is_no_order_is_refused(command: Oms, api: FakeApi, tmp_path: Path, content: str) -> None:
    file = tmp_path / "orders.json"
    file.write_bytes(content.encode("latin-1"))

    answer = command("orders", "place", str(file))

    assert answer.code == 1
    assert str(file) in answer.err
    assert api.asked == []


def test_an_order_is_shown_by_its_number_with_its_history(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.page("GET /v1/orders/ord_1/history", ACCEPTED)

    answer = command("orders", "show", "so-1001")

    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert lines[0] == "SO-1001 · in fulfillment · ACME Inc. · PO-7781"
    assert "Waiting on warehouse since Mar 1, 2026, 10:00 AM: picking" in lines
    assert ["1", "PUMP-100", "100", "20.00", "2,000.00", "USD", "0", "15", "85", "60", "0", "60"] in map(
        str.split, lines
    )
    assert lines[-1] == "Mar 1, 2026, 10:00 AM  accepted  by rules (service): every rule is content"


def test_an_unknown_order_is_refused(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-9", {"code": "ORDER_NOT_FOUND", "detail": "there is no such order"}, 404)

    answer = command("orders", "show", "SO-9")

    assert (answer.code, answer.err) == (1, "there is no such order\n")


def test_an_order_is_watched_to_its_end_over_a_broken_stream(
    command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.orders._RECONNECT_S", 0.0)
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("GET /v1/orders/ord_1/stream", f"id: 7\r\ndata: {json.dumps(ACCEPTED)}\r\n\r\n: keep-alive\r\n\r\n")
    api.on("GET /v1/orders/ord_1/stream", 'id: 8\ndata: {"what": "closed"}\n\n')
    api.on("GET /v1/orders/ord_1/stream", "", 204)

    answer = command("orders", "watch", "SO-1001", "--json")

    assert [json.loads(line)["what"] for line in answer.out.splitlines()] == ["accepted", "closed"]
    assert [asked.headers.get("Last-Event-ID") for asked in api.asked if asked.path.endswith("/stream")] == [
        None,
        "7",
        "8",
    ]


def test_a_stream_that_says_nothing_for_four_heartbeats_is_given_up(command: Oms) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ReadTimeout("nothing came")

    client = httpx.Client(base_url="http://oms", transport=httpx.MockTransport(answer))
    with pytest.raises(NotRunning), Api(command.var, "auditor", client=client).stream("/v1/orders/ord_1/stream"):
        pass

    assert asked[0].extensions["timeout"]["read"] == 4 * 15


def test_a_watched_change_is_a_sentence(command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.orders._RECONNECT_S", 0.0)
    api.on("GET /v1/orders/SO-1001", ORDER)
    api.on("GET /v1/orders/ord_1/stream", f"id: 7\ndata: {json.dumps(ACCEPTED)}\n\n")
    api.on("GET /v1/orders/ord_1/stream", "", 204)

    answer = command("orders", "watch", "SO-1001")

    assert answer.out == "Mar 1, 2026, 10:00 AM  accepted  by rules (service): every rule is content\n"


def test_a_hold_is_released_by_its_rule_in_the_role_that_owns_it(command: Oms, api: FakeApi) -> None:
    hold = {"hold_id": "hld_1", "code": "CREDIT_EXCEEDED", "owner_role": "accounting"}
    api.on("GET /v1/orders/SO-1001", {**ORDER, "holds": [hold]})
    api.on("POST /v1/orders/ord_1/holds/hld_1/release", {})

    answer = command("orders", "release", "SO-1001", "CREDIT_EXCEEDED", "--note", "paid by phone")
    unknown = command("orders", "release", "SO-1001", "MARGIN", "--note", "paid by phone")

    assert answer.out == "SO-1001: the hold CREDIT_EXCEEDED is released\n"
    asked = next(asked for asked in api.asked if asked.method == "POST")
    assert asked.body == {"version": 3, "note": "paid by phone"}
    assert claims(asked.headers["Authorization"])["roles"] == ["accounting"]
    assert (unknown.code, unknown.err) == (1, "SO-1001 has no hold MARGIN: `oms orders show SO-1001` lists them\n")


def test_feedback_is_given_as_the_customer_of_the_order(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {**ORDER, "customer_id": "cus_acme"})
    api.on("POST /v1/orders/ord_1/feedback", {"case_number": "CASE-1001"}, 201)

    answer = command("orders", "feedback", "SO-1001", "--rating", "2", "--comment", "late")

    assert answer.out == "SO-1001: thank you; CASE-1001 is open for it\n"
    asked = next(asked for asked in api.asked if asked.method == "POST")
    assert asked.body == {"rating": 2, "comment": "late", "wants_support": False}
    named = claims(asked.headers["Authorization"])
    assert (named["roles"], named["company"]) == (["customer"], "cus_acme")


def test_events_are_read_as_the_standard_says() -> None:
    lines = ["retry: 5", "", "id: 1", "event: shipped", "data: a", "data:b", "", ": nothing", "", "data: c"]

    assert list(events(iter(lines))) == [("1", "shipped", "a\nb")]


@pytest.mark.parametrize(
    ("violations", "code", "verdict"), [(0, 0, "clean: 1 invariants hold"), (2, 1, "1 of 1 invariants are broken")]
)
def test_an_audit_fails_on_violations(command: Oms, api: FakeApi, violations: int, code: int, verdict: str) -> None:
    row = {
        "name": "inventory.allocated",
        "rule": "allocated is on hand",
        "violations": violations,
        "offenders": ["PUMP-100 at W1"] * violations,
    }
    api.page("GET /v1/audit/invariants", row)

    answer = command("audit")

    assert answer.code == code
    assert verdict in answer.out
    assert ("PUMP-100 at W1" in answer.out) == bool(violations)


def test_mails_are_listed_and_shown_from_the_folder_of_the_sink(command: Oms) -> None:
    (command.var / "mail").mkdir()
    for no, subject in enumerate(["SO-1001 received", "SO-1001 accepted", "SO-1002 received"], start=1):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "orders@oms.example", "ann@acme.example", subject
        mail.set_content(f"Thank you ({no}).")
        mail.add_alternative(f"<p>Thank you ({no}).</p>", subtype="html")
        (command.var / "mail" / f"2026030{no}T100000-{no}.eml").write_bytes(mail.as_bytes())

    listed = command("mails", "--about", "SO-1001", "--json")
    shown = command("mails", "show", "2")
    missing = command("mails", "show", "4")

    assert [(row["no"], row["subject"]) for row in json.loads(listed.out)] == [
        (1, "SO-1001 received"),
        (2, "SO-1001 accepted"),
    ]
    assert "Subject: SO-1001 accepted" in shown.out
    assert "Thank you (2)." in shown.out
    assert (missing.code, missing.err) == (1, "there is no mail 4: `oms mails` lists them\n")


def test_dead_mails_of_an_order_are_listed_with_the_reason(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1", "number": "SO-1001"})
    api.page(
        "GET /v1/deliveries",
        {"delivery_id": "dlv_1", "order_number": "SO-1001", "kind": "shipped", "email": "a@b.example", "attempts": 12,
         "last_error": "the mail server answered 550 no such user"},
    )  # fmt: skip

    answer = command("mails", "dead", "--order", "so-1001")

    assert answer.code == 0
    assert all(word in answer.out for word in ("dlv_1", "SO-1001", "shipped", "550 no such user"))
    assert (api.asked[-1].query["state"], api.asked[-1].query["order_id"]) == ("dead", "ord_1")


def test_a_dead_mail_is_put_back_in_line(command: Oms, api: FakeApi) -> None:
    api.on(
        "POST /v1/deliveries/dlv_1/retry",
        {"delivery_id": "dlv_1", "kind": "shipped", "email": "a@b.example", "state": "waiting"},
    )

    answer = command("mails", "retry", "dlv_1")

    assert answer.out == "shipped to a@b.example is waiting again\n"


def test_a_mail_is_previewed_as_text_or_as_its_page(command: Oms, api: FakeApi) -> None:
    shown = {"subject": "Order SO-1001 waits", "text": "[decide] by Friday\n", "html": "<p>decide by Friday</p>"}
    api.on("GET /v1/mail-templates/approval_requested/approver", shown)
    api.page("GET /v1/mail-templates", {"kind": "approval_requested", "roles": ["approver", "customer"]})

    text = command("mails", "preview", "approval_requested", "--role", "approver")
    page = command("mails", "preview", "approval_requested", "--role", "approver", "--html")
    listed = command("mails", "templates")

    assert text.out == "Subject: Order SO-1001 waits\n\n[decide] by Friday\n"
    assert page.out == "<p>decide by Friday</p>\n"
    assert "approver, customer" in listed.out
    assert api.asked[-1].query == {}


def test_a_password_is_not_set_but_a_link_is_asked_for(command: Oms, api: FakeApi) -> None:
    api.on("POST /v1/people/helen.park/password", {"sub": "helen.park", "expires_at": "2026-12-02T09:00:00.000Z"})

    answer = command("password", "helen.park")

    assert answer.code == 0
    assert answer.out == "a link is on its way to helen.park: it works once, for 24 hours\n"
    assert [one.body for one in api.asked] == [None]


def test_an_order_says_how_it_is_paid_by_whom_and_what_its_release_is_for(command: Oms, api: FakeApi) -> None:
    hold = {"code": "CREDIT_EXCEEDED", "up_to": "9000.00", "until": "2027-03-31"}
    invoice = {"number": "INV-000001", "total": USD_2000, "discount_taken": {"amount": "40.00", "currency": "USD"}}
    paid = {"payment_method": "settled_elsewhere", "terms": "net 30", "bill_to_id": "cus_group"}
    api.on("GET /v1/orders/SO-1001", {**ORDER, **paid, "holds": [hold], "invoices": [invoice]})
    api.page("GET /v1/orders/ord_1/history")
    api.page("GET /v1/people")

    answer = command("orders", "show", "SO-1001")

    assert answer.code == 0
    for said in ("2,000.00 USD · settled elsewhere · billed to cus_group", "9,000.00", "Mar 31, 2027", "40.00 USD"):
        assert said in answer.out

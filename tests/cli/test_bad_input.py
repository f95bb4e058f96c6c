"""Whatever a command is given, it answers with one sentence that says what to do and an exit code, never with a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli import statefile
from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

UNKNOWN_CUSTOMER = {"code": "CUSTOMER_UNKNOWN", "detail": "there is no such customer: check its id"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is no JSON document: Expecting value"),
        (b"lines: [1]", "is no JSON document: Expecting value"),
        (b'{"quantity": NaN}', "is no JSON document: Out of range float"),
        (b'{"quantity": Infinity}', "is no JSON document: Out of range float"),
        (b'{"po_number": "\\ud800"}', "is no JSON document: 'utf-8' codec can't encode"),
        (b'{"quantity": ' + b"9" * 6000 + b"}", "is no JSON document: Exceeds the limit"),
        (b"[" * 100_000 + b"]" * 100_000, "is no JSON document: it is nested too deep"),
        (b"[]", "holds something that is no order: write one object, or a list of them"),
        (b"null", "holds something that is no order: write one object, or a list of them"),
    ],
    ids=["empty", "yaml", "nan", "infinity", "surrogate", "long", "deep", "none", "null"],
)
def test_a_file_that_cannot_be_sent_is_refused_by_its_name(
    command: Oms, api: FakeApi, tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "orders.json"
    file.write_bytes(content)

    answer = command("orders", "place", str(file))

    assert (answer.code, answer.err.startswith(f"{file} {sentence}"), len(answer.err.splitlines())) == (1, True, 1)
    assert api.asked == []


@pytest.mark.parametrize("what", ["missing.json", "."])
def test_a_file_that_is_none_is_refused(command: Oms, api: FakeApi, tmp_path: Path, what: str) -> None:
    answer = command("orders", "place", str(tmp_path / what))

    assert answer.code == 2
    assert api.asked == []


@pytest.mark.parametrize(
    "words",
    [
        ("orders", "show", ""),
        ("orders", "show", " "),
        ("orders", "show", "SO-1/../../x"),
        ("orders", "watch", ".."),
        ("orders", "change", "", "--preview"),
        ("shipments", "pick", "shp_/../x"),
        ("shipments", "recall", "", "--acknowledge"),
        ("invoices", "show", "inv_/../x"),
        ("mails", "retry", ""),
        ("mails", "preview", "a/b"),
        ("reviews", "show", "SO-1", "--step", "a/b"),
        ("reviews", "answer", "a/b", "--note", "x"),
        ("password", "a/b"),
    ],
    ids=" ".join,
)
def test_what_can_be_no_name_is_refused_before_anything_is_asked(
    command: Oms, api: FakeApi, words: tuple[str, ...]
) -> None:
    answer = command(*words)

    assert answer.code == 1
    assert answer.err.endswith(" is no name, number or id: check what was typed\n")
    assert api.asked == []


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("orders", "list", "--customer", "cus_nope"), "/v1/orders"),
        (("invoices", "list", "--customer", "cus_nope"), "/v1/invoices"),
        (("payments", "list", "--customer", "cus_nope"), "/v1/payments"),
    ],
    ids=["orders", "invoices", "payments"],
)
def test_a_list_of_a_customer_that_there_is_not_is_refused(
    command: Oms, api: FakeApi, words: tuple[str, ...], path: str
) -> None:
    api.page(f"GET {path}")
    api.on("GET /v1/customers/cus_nope", UNKNOWN_CUSTOMER, 404)

    answer = command(*words)

    assert (answer.code, answer.out, answer.err) == (1, "", "there is no such customer: check its id\n")


def test_an_empty_list_of_a_customer_that_there_is_stays_one(command: Oms, api: FakeApi) -> None:
    api.page("GET /v1/orders")
    api.on("GET /v1/customers/cus_acme", {"customer_id": "cus_acme"})

    answer = command("orders", "list", "--customer", "cus_acme")

    assert (answer.code, answer.out) == (0, "no orders\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("stock", "list", "--warehouse", "W9"), "there is no warehouse W9: there are W1, W2\n"),
        (("shipments", "list", "--warehouse", "W9"), "there is no warehouse W9: there are W1, W2\n"),
        (("stock", "list", "--sku", "NOPE"),
         "there is no SKU NOPE in the catalog: check it, `oms stock` lists what there is\n"),
    ],
    ids=["stock", "shipments", "sku"],
)  # fmt: skip
def test_a_list_of_a_warehouse_or_sku_that_there_is_not_is_refused(
    command: Oms, api: FakeApi, words: tuple[str, ...], sentence: str
) -> None:
    api.page("GET /v1/stock")
    api.page("GET /v1/shipments")
    api.page("GET /v1/warehouses", {"warehouse_id": "W1"}, {"warehouse_id": "W2"})
    api.page("GET /v1/products", {"sku": "PUMP-100"})

    answer = command(*words)

    assert (answer.code, answer.out, answer.err) == (1, "", sentence)


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("stock", "receive", "PUMP-100", "-3", "--warehouse", "W1", "--unit-cost", "3.00"), "/v1/stock/receipts"),
        (("payments", "record", "cus_acme", "-10.00", "--reference", "x"), "/v1/payments"),
    ],
    ids=["receipt", "payment"],
)
def test_a_negative_amount_is_an_amount_and_no_option(
    command: Oms, api: FakeApi, words: tuple[str, ...], asked: str
) -> None:
    api.on(f"POST {asked}", {"code": "INVALID_REQUEST", "detail": "it must not be negative"}, 422)

    answer = command(*words)

    assert (answer.code, answer.err) == (1, "it must not be negative\n")


def test_a_reference_that_no_header_carries_is_sent_under_a_digest_that_stays_the_same(
    command: Oms, api: FakeApi
) -> None:
    api.on("POST /v1/stock/receipts", {"filled_order_ids": [], "filled_quantity": 0, "on_hand": 5}, 201)

    for reference in ("Lieferung ü7", "Lieferung ü7", "Lieferung ü8", "plain-7"):
        words = ("stock", "receive", "PUMP-100", "5", "--warehouse", "wh_1", "--reference", reference)
        assert command(*words, "--unit-cost", "1.00").code == 0

    first, again, other, plain = (asked.headers["Idempotency-Key"] for asked in api.asked if asked.method == "POST")
    assert first == again != other
    assert plain.endswith("plain-7")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("OMS_URL", "nope", "OMS_URL is 'nope', which is no address: write it as http://127.0.0.1:8000\n"),
        ("OMS_URL", "http://[::1", "OMS_URL is 'http://[::1', which is no address: write it as http://127.0.0.1:8000\n"),
        ("OMS_URL", "ftp://x", "OMS_URL is 'ftp://x', which is no address: write it as http://127.0.0.1:8000\n"),
        ("OMS_URL", "http://127.0.0.1:9",
         "nobody answers at http://127.0.0.1:9, the address in OMS_URL: check it, and that the system is up\n"),
        ("OMS_TOKEN", "é", "OMS_TOKEN holds no token: set it to what `oms token --role …` prints, or unset it\n"),
        ("OMS_TOKEN", "a\nb", "OMS_TOKEN holds no token: set it to what `oms token --role …` prints, or unset it\n"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_refused_by_its_name(
    command: Oms, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)

    answer = command("orders")

    assert (answer.code, answer.err) == (1, sentence)


def test_an_expired_token_of_ones_own_is_named_with_where_it_comes_from(
    command: Oms, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_TOKEN", "old\n")
    api.on("GET /v1/orders", {"code": "TOKEN_REFUSED", "detail": "the token has expired: get a new one"}, 401)

    answer = command("orders")

    assert api.asked[0].headers["Authorization"] == "Bearer old"
    assert answer.code == 1
    assert answer.err == (
        "the token has expired: get a new one (it is the one in OMS_TOKEN; `oms token --role …` prints a new one)\n"
    )


@pytest.mark.parametrize(("document", "status"), [("<html>", 200), ("<html>", 502), ([1], 404), ("", 307)])
def test_an_address_where_something_else_answers_is_told(
    command: Oms, api: FakeApi, document: Any, status: int
) -> None:
    api.on("GET /v1/orders", document, status)

    answer = command("orders")

    assert answer.code == 1
    assert answer.err.startswith(f"{api.url}/v1/orders?limit=50 answered {status}")


def test_a_key_that_is_none_is_named(command: Oms) -> None:
    (command.var / "keys" / "people.pem").write_text("no key")

    answer = command("token", "--role", "support")

    assert answer.code == 1
    assert answer.err == (
        f"the key {command.var}/keys/people.pem cannot be used: restore a backup of it, or remove it and start the system again\n"
    )


def test_a_key_that_cannot_be_read_is_named(command: Oms) -> None:
    (command.var / "keys" / "people.pem").mkdir()

    answer = command("token", "--role", "support")

    assert (answer.code, answer.err) == (1, f"{command.var}/keys/people.pem cannot be used: Is a directory\n")


def test_a_state_file_that_cannot_be_read_is_none(command: Oms) -> None:
    (command.var / statefile.STATE_FILE).write_bytes(b"\xff")

    with statefile.held(command.var):
        answer = command("status")

    assert (answer.code, answer.err) == (1, "the system is not running: start it with `oms up`\n")


@pytest.mark.parametrize("words", [("status",), ("orders",), ("mails",), ("token", "--role", "support")], ids=" ".join)
def test_a_folder_that_is_a_file_holds_no_system(
    command: Oms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.delenv("OMS_URL")
    file = tmp_path / "file"
    file.touch()

    answer = command(*words, "--var", str(file))

    assert answer.code == 1
    assert answer.err.splitlines()[0].endswith(("start it with `oms up`", "or name its folder with --var"))


def test_mails_that_nobody_wrote_are_not_taken_for_none_about_this(command: Oms) -> None:
    (command.var / "mail").mkdir()

    assert command("mails").out == "no mails yet\n"
    assert command("mails", "--about", "SO-9").out == "no mail has 'SO-9' in its subject\n"


def test_a_command_that_outlives_a_token_has_one_for_each_request(command: Oms, api: FakeApi) -> None:
    api.on("GET /v1/orders/SO-1001", {"order_id": "ord_1"})
    api.page("GET /v1/orders/ord_1/history")

    command("orders", "show", "SO-1001", "--json")

    first, second = (asked.headers["Authorization"] for asked in api.asked)
    assert first != second

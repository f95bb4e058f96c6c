"""Every kind of mail for every role: written from its documented variables, neutral where it must be, harmless throughout."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined

from services.notifications import domain
from services.notifications.domain import Delivery, Notice, Recipient
from services.notifications.letters import Letters, Unwritable
from tests.notifications.house import VARIABLES

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
STRICT = Letters("orders@oms.example", "Northgate Supply", StrictUndefined)
LENIENT = Letters("orders@oms.example", "Northgate Supply")


def a_delivery(kind: str, role: str, variables: dict[str, Any], name: str = "Ann") -> Delivery:
    recipient = Recipient("ann@acme.example", name, role)
    notice = Notice("e1", kind, "ord_1", "SO-1001", (recipient,), variables, "")
    return domain.new_delivery(notice, recipient, "dlv_1")


def bodies(message: EmailMessage) -> tuple[str, str]:
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    return str(plain.get_content()), str(page.get_content())


def test_the_documented_variables_are_those_the_examples_have() -> None:
    assert {kind: set(example) for kind, example in VARIABLES.items()} == {
        kind: set(names) for kind, names in domain.VARIABLES.items()
    }


@pytest.mark.parametrize("kind", sorted(domain.KINDS))
@pytest.mark.parametrize("role", sorted(domain.ROLES))
def test_every_kind_is_written_for_every_role_from_its_documented_variables(kind: str, role: str) -> None:
    text, page = bodies(STRICT.write(a_delivery(kind, role, VARIABLES[kind]), NOW))

    assert "SO-1001" in text
    assert "SO-1001" in page
    assert "{{" not in text + page
    assert "\N{EM DASH}" not in text + page


@pytest.mark.parametrize("kind", sorted(domain.KINDS))
@pytest.mark.parametrize("role", sorted(domain.ROLES))
def test_missing_variables_leave_a_mail_that_says_what_is_there(kind: str, role: str) -> None:
    text, page = bodies(LENIENT.write(a_delivery(kind, role, {}), NOW))

    assert "SO-1001" in text
    assert "SO-1001" in page


@pytest.mark.parametrize("kind", ["order_on_hold", "order_rejected"])
def test_only_staff_reads_why_an_order_is_held_or_rejected(kind: str) -> None:
    reason = VARIABLES[kind]["reasons"][0]

    for role in domain.ROLES - {"customer"}:
        assert reason in bodies(STRICT.write(a_delivery(kind, role, VARIABLES[kind]), NOW))[0]
    text, page = bodies(STRICT.write(a_delivery(kind, "customer", VARIABLES[kind]), NOW))
    for word in ("credit", "limit", "inactive", "account", "hold", "margin"):
        assert word not in (text + re.sub(r"<[^>]*>", " ", page)).lower()


def test_a_backorder_is_told_differently_to_customer_sales_and_warehouse() -> None:
    roles = ("customer", "sales_rep", "warehouse_manager")
    variables = VARIABLES["backorder_created"]
    texts = [bodies(STRICT.write(a_delivery("backorder_created", each, variables), NOW))[0] for each in roles]

    assert len(set(texts)) == 3
    assert "please reorder" in texts[2]
    assert all("4 x Pump 100 (PUMP-100)" in text for text in texts)


def test_a_warehouse_manager_reads_no_price() -> None:
    text, page = bodies(
        STRICT.write(a_delivery("order_accepted", "warehouse_manager", VARIABLES["order_accepted"]), NOW)
    )

    assert "558.57" not in text + page


def test_a_shipment_names_its_tracking_number_and_contents() -> None:
    text, page = bodies(STRICT.write(a_delivery("shipped", "customer", VARIABLES["shipped"]), NOW))

    for part in (text, page):
        assert "1Z5" in part
        assert "PUMP-100" in part


@pytest.mark.parametrize("role", ["customer", "support"])
def test_a_service_visit_is_done_and_has_not_arrived(role: str) -> None:
    message = STRICT.write(a_delivery("delivered", role, VARIABLES["delivered"] | {"is_service": True}), NOW)

    text, page = bodies(message)
    assert "visit SH-1001" in text
    assert "visit SH-1001" in page
    assert "arrived" not in text + page
    assert "hipment" not in text + page


def test_only_the_delivery_that_completes_the_order_asks_for_feedback() -> None:
    last = STRICT.write(a_delivery("delivered", "customer", VARIABLES["delivered"]), NOW)
    earlier = STRICT.write(a_delivery("delivered", "customer", VARIABLES["delivered"] | {"feedback_url": ""}), NOW)

    assert last["Subject"] == "Your order SO-1001 is complete: how did we do?"
    assert earlier["Subject"] == "A delivery of your order SO-1001 has arrived"
    assert all("https://oms.example/feedback/1" in part for part in bodies(last))
    assert not any("Rate" in part for part in bodies(earlier))


def test_support_reads_what_the_customer_said() -> None:
    message = STRICT.write(a_delivery("support_case", "support", VARIABLES["support_case"]), NOW)
    silent = VARIABLES["support_case"] | {"rating": None, "comment": ""}

    text, page = bodies(message)
    assert message["Subject"] == "Support case CASE-1001 on order SO-1001"
    assert text.startswith(
        "ACME <Ltd> gave feedback on order SO-1001 that needs an answer: case CASE-1001.\n\n"
        "Rating: 1 of 5\n\nTwo pumps <leak>\n"
    )
    assert "Two pumps &lt;leak&gt;" in page
    assert "asks for support" in bodies(STRICT.write(a_delivery("support_case", "support", silent), NOW))[0]


def test_a_script_is_no_link() -> None:
    variables = VARIABLES["delivered"] | {"feedback_url": "javascript:alert(1)"}

    assert "javascript" not in "".join(bodies(STRICT.write(a_delivery("delivered", "customer", variables), NOW)))


def test_headers_carry_identity_and_conversation() -> None:
    message = STRICT.write(a_delivery("invoice", "customer", VARIABLES["invoice"]), NOW)

    assert message["Message-ID"] == "<dlv_1@oms.example>"
    assert message["References"] == "<ord_1@oms.example>"
    assert message["Subject"] == "Invoice INV-000001 for your order SO-1001"
    assert message["Auto-Submitted"] == "auto-generated"


@given(name=st.text(max_size=60), invoice=st.text(max_size=60))
@settings(deadline=None, max_examples=60)
def test_no_name_and_no_variable_adds_a_header(name: str, invoice: str) -> None:
    delivery = a_delivery(
        "invoice", "customer", VARIABLES["invoice"] | {"invoice_number": invoice}, name + "\r\nBcc: x@y.example"
    )

    try:
        message = LENIENT.write(delivery, NOW)
    except Unwritable:
        return

    head = message.as_bytes().partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert b"Bcc" not in names
    assert len(names) == len(set(names)) == 11


@pytest.mark.parametrize("lines", [5, True, {"a": 1}, [[1]], [None], "text"])
def test_variables_of_a_wrong_shape_are_written_or_named_never_worse(lines: object) -> None:
    delivery = a_delivery("order_received", "customer", VARIABLES["order_received"] | {"lines": lines})

    with contextlib.suppress(Unwritable):
        LENIENT.write(delivery, NOW)


def test_a_mail_that_cannot_be_written_says_why() -> None:
    delivery = a_delivery("order_received", "customer", VARIABLES["order_received"] | {"lines": 5})

    with pytest.raises(Unwritable, match="this order_received mail cannot be written from its variables: TypeError"):
        LENIENT.write(delivery, NOW)

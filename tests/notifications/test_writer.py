"""Every kind of mail for every role: written from its documented variables, neutral where it must be, harmless throughout."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined

from services.notifications import domain, samples
from services.notifications.domain import Delivery, Notice, Recipient
from services.notifications.settings import NotificationsSettings
from services.notifications.writer import MailWriter, Unwritable
from tests.notifications.desk import VARIABLES

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SETTINGS = NotificationsSettings(
    company_name="Northgate Supply",
    company_address="4500 Industrial Blvd|Dallas, TX 75207",
    company_signature="Order desk: (214) 555-0142",
    time_zone="America/Chicago",
)
STRICT = MailWriter(SETTINGS, StrictUndefined)
LENIENT = MailWriter(SETTINGS)
TEXTS = [(kind, role) for kind in sorted(domain.KINDS) for role in sorted(domain.audience(kind))]
INTERNAL = ("credit", "limit", "inactive", "account", "hold", "margin", "policy", "discount")
HOSTILE = "<script>alert(1)</script>\"' onload=x"


def a_delivery(kind: str, role: str, variables: dict[str, Any], name: str = "Ann") -> Delivery:
    recipient = Recipient("ann@acme.example", name, role)
    notice = Notice("e1", kind, "ord_1", "SO-1001", (recipient,), variables, "")
    return domain.new_delivery(notice, recipient, "dlv_1")


APPROVALS = ("approval_requested", "approval_reminder", "approval_escalated")


def written(kind: str, role: str, variables: dict[str, Any] | None = None) -> str:
    """Subject, text and HTML without its tags, as one text."""
    message = opened(STRICT, a_delivery(kind, role, VARIABLES[kind] if variables is None else variables), NOW)
    text, page = bodies(message)
    return "\n".join([str(message["Subject"]), text, re.sub(r"<[^>]*>", " ", page)])


def opened(writer: MailWriter, delivery: Delivery, now: datetime) -> EmailMessage:
    """The mail as its reader's program understands it."""
    return message_from_bytes(writer.write(delivery, now), _class=EmailMessage, policy=default)


def bodies(message: EmailMessage) -> tuple[str, str]:
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    text, html = (str(part.get_content()).replace("\r\n", "\n") for part in (plain, page))
    return text, html


def test_the_documented_variables_are_those_the_examples_have() -> None:
    assert {kind: set(example) for kind, example in VARIABLES.items()} == {
        kind: set(names) for kind, names in domain.VARIABLES.items()
    }


@pytest.mark.parametrize(("kind", "role"), TEXTS)
def test_every_kind_is_written_for_every_role_it_is_for_from_its_documented_variables(kind: str, role: str) -> None:
    text, page = bodies(opened(STRICT, a_delivery(kind, role, VARIABLES[kind]), NOW))

    assert ("SO-1001" in text) == ("SO-1001" in page) == (kind not in domain.ABOUT_NO_ORDER)
    assert "{{" not in text + page
    assert "\N{EM DASH}" not in text + page


@pytest.mark.parametrize(("kind", "role"), TEXTS)
def test_missing_variables_leave_a_mail_that_says_what_is_there(kind: str, role: str) -> None:
    text, page = bodies(opened(LENIENT, a_delivery(kind, role, {}), NOW))

    assert ("SO-1001" in text) == ("SO-1001" in page) == (kind not in domain.ABOUT_NO_ORDER)


@pytest.mark.parametrize("kind", ["order_on_hold", "order_rejected", "order_expired", *APPROVALS])
def test_only_staff_reads_why_an_order_is_held_reviewed_or_rejected(kind: str) -> None:
    said = VARIABLES[kind]
    reasons = [said["reason"]] if "reason" in said else said["reasons"]

    for role in domain.ROLES - {"customer"}:
        for reason in reasons:
            is_readable = role not in domain.ROLES_WITHOUT_PRICES or not domain.names_money(reason)
            assert (reason in written(kind, role)) == is_readable
    for word in INTERNAL:
        assert word not in written(kind, "customer").lower()


def test_a_customer_reads_the_note_of_its_own_people_and_never_that_of_ours() -> None:
    ours = VARIABLES["changes_requested"] | {"chain": "seller"}

    assert "list price" in written("changes_requested", "customer")
    assert "list price" in written("changes_requested", "sales_rep", ours)
    assert "list price" not in written("changes_requested", "customer", ours)
    assert "Mia Manager" not in written("changes_requested", "customer", ours)


@pytest.mark.parametrize("kind", ["consent_expired", "consent_declined", "change_rejected"])
def test_only_staff_reads_why_a_change_did_not_come_about(kind: str) -> None:
    assert "Pump 100" in written(kind, "sales_rep")
    assert "Pump 100" not in written(kind, "customer")


@pytest.mark.parametrize("kind", ["order_changed", "consent_requested"])
def test_a_change_is_shown_as_before_and_after_with_both_totals(kind: str) -> None:
    text = bodies(opened(STRICT, a_delivery(kind, "customer", VARIABLES[kind]), NOW))[0]

    assert "  Quantity of PUMP-100: was 4, now 2\n" in text
    assert "  Quantity of SEAL-20 (Seal kit): was 900, now 1,200\n  PUMP-110 (Pump 110): new, 2\n" in text
    assert "  SEAL-9 (Seal): was 8, now removed\n" in text
    assert "558.57 USD before, 601.20 USD" in text
    assert "141.55" in text


@pytest.mark.parametrize(
    ("kind", "role"),
    [(kind, role) for kind, role in TEXTS if role in domain.ROLES_WITHOUT_PRICES],
)
def test_warehouse_and_plant_read_no_price_no_total_and_no_discount(kind: str, role: str) -> None:
    seen = written(kind, role)

    assert not domain.names_money(seen)
    assert not re.search(r"\d\.\d\d\b", seen)
    if "changes" in VARIABLES[kind]:
        assert "Quantity of PUMP-100" in seen


def test_a_change_of_prices_alone_is_nothing_to_the_warehouse() -> None:
    priced = VARIABLES["order_changed"] | {
        "changes": [row for row in VARIABLES["order_changed"]["changes"] if row["is_money"]]
    }

    assert "Prices or terms only. No action is needed." in written("order_changed", "warehouse_manager", priced)


@pytest.mark.parametrize("kind", [kind for kind, names in domain.VARIABLES.items() if "link" in names])
def test_a_mail_that_asks_for_an_act_leads_there_in_text_and_html(kind: str) -> None:
    for role in domain.audience(kind):
        name = "staff_link" if role != "customer" and "staff_link" in VARIABLES[kind] else "link"
        link = VARIABLES[kind][name]
        text, page = bodies(opened(STRICT, a_delivery(kind, role, VARIABLES[kind]), NOW))
        assert link in text
        assert f'href="{link}"' in page


@pytest.mark.parametrize(("kind", "role"), TEXTS)
def test_nothing_that_a_variable_holds_becomes_markup(kind: str, role: str) -> None:
    delivery = a_delivery(kind, role, poisoned(VARIABLES[kind]), HOSTILE)

    page = bodies(opened(STRICT, delivery, NOW))[1]

    assert "<script" not in page
    assert "onload=x" not in re.sub(r">[^<]*<", "><", page)


def poisoned(value: Any) -> Any:
    """The same shape with every text replaced by an attack; what decides between wordings stays."""
    if isinstance(value, dict):
        return {name: each if name == "chain" else poisoned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each) for each in value]
    return HOSTILE if isinstance(value, str) else value


def test_every_template_is_used_by_some_mail() -> None:
    shared = {
        "layout", "lines", "changes", "canceled", "closed", "approval", "purchase", "due", "credited", "deposit", "attached",
    }  # fmt: skip
    chosen = {name for kind, role in TEXTS for name in domain.template_names(kind, role, "txt")}
    folder = samples.SAMPLES_FILE.parent

    texts = {path.name for path in folder.glob("*.txt")}
    pages = {path.stem for path in folder.glob("*.html")}

    assert texts - {f"{name}.txt" for name in shared} <= chosen
    assert {name.removesuffix(".txt") for name in texts} == pages


def test_a_backorder_is_told_differently_to_customer_sales_and_warehouse() -> None:
    roles = ("customer", "sales_rep", "warehouse_manager")
    variables = VARIABLES["backorder_created"]
    texts = [bodies(opened(STRICT, a_delivery("backorder_created", each, variables), NOW))[0] for each in roles]

    assert len(set(texts)) == 3
    assert "(PUMP-100): nothing inbound, please reorder" in texts[2]
    assert all("4 x Pump 100 (PUMP-100)" in text for text in texts)


def test_a_warehouse_manager_reads_no_price() -> None:
    text, page = bodies(
        opened(STRICT, a_delivery("order_accepted", "warehouse_manager", VARIABLES["order_accepted"]), NOW)
    )

    assert "558.57" not in text + page


@pytest.mark.parametrize("role", ["customer", "support"])
def test_a_shipment_names_the_tracking_number_of_each_package_and_its_contents(role: str) -> None:
    several = VARIABLES["shipped"] | {"packages": ["1Z5", "1Z6"]}
    one = VARIABLES["shipped"] | {"packages": ["1Z5"]}

    for part in bodies(opened(STRICT, a_delivery("shipped", role, several), NOW)):
        for said in ("2 packages", "package 1:", "1Z5", "package 2:", "1Z6", "PUMP-100"):
            assert said in part
    for part in bodies(opened(STRICT, a_delivery("shipped", role, one), NOW)):
        assert "1Z5" in part
        assert "packages" not in part


@pytest.mark.parametrize("role", ["customer", "support"])
def test_a_service_visit_is_done_and_has_not_arrived(role: str) -> None:
    message = opened(STRICT, a_delivery("delivered", role, VARIABLES["delivered"] | {"is_service": True}), NOW)

    text, page = bodies(message)
    assert "visit SH-1001" in text
    assert "visit SH-1001" in page
    assert "delivered" not in text + page
    assert "hipment" not in text + page


def test_only_the_delivery_that_completes_the_order_asks_for_feedback() -> None:
    last = opened(STRICT, a_delivery("delivered", "customer", VARIABLES["delivered"]), NOW)
    earlier = opened(STRICT, a_delivery("delivered", "customer", VARIABLES["delivered"] | {"feedback_url": ""}), NOW)

    assert last["Subject"] == "Your order SO-1001 is complete: how did we do?"
    assert earlier["Subject"] == "A shipment for your order SO-1001 has been delivered"
    assert all("https://oms.example/feedback/1" in part for part in bodies(last))
    assert not any("Rate" in part for part in bodies(earlier))


def test_support_reads_what_the_customer_said() -> None:
    message = opened(STRICT, a_delivery("support_case", "support", VARIABLES["support_case"]), NOW)
    silent = VARIABLES["support_case"] | {"rating": None, "comment": ""}

    text, page = bodies(message)
    assert message["Subject"] == "Support case CASE-1001 on order SO-1001"
    assert text.startswith(
        "Hello Ann,\n\nFeedback from ACME <Ltd> on order SO-1001 needs an answer (case CASE-1001).\n\n"
        "Rating: 1 of 5\n\nComment: Two pumps <leak>\n"
    )
    assert "Two pumps &lt;leak&gt;" in page
    assert "asks for support" in bodies(opened(STRICT, a_delivery("support_case", "support", silent), NOW))[0]


def test_a_script_is_no_link() -> None:
    variables = VARIABLES["delivered"] | {"feedback_url": "javascript:alert(1)"}

    assert "javascript" not in "".join(bodies(opened(STRICT, a_delivery("delivered", "customer", variables), NOW)))


def test_headers_carry_identity_and_conversation() -> None:
    message = opened(STRICT, a_delivery("invoice", "customer", VARIABLES["invoice"]), NOW)

    assert message["Message-ID"] == "<dlv_1@oms.example>"
    assert message["References"] == "<ord_1@oms.example>"
    assert message["Subject"] == "Invoice INV-000001 for your order SO-1001"
    assert message["Auto-Submitted"] == "auto-generated"


@given(name=st.text(max_size=60), invoice=st.text(max_size=60))
@settings(max_examples=60)
def test_no_name_and_no_variable_adds_a_header(name: str, invoice: str) -> None:
    delivery = a_delivery(
        "invoice", "customer", VARIABLES["invoice"] | {"invoice_number": invoice}, name + "\r\nBcc: x@y.example"
    )

    try:
        mail = LENIENT.write(delivery, NOW)
    except Unwritable:
        return

    head = mail.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    assert b"Bcc" not in names
    assert len(names) == len(set(names)) == 11


@pytest.mark.parametrize("lines", [5, True, {"a": 1}, [[1]], [None], "text"])
def test_variables_of_a_wrong_shape_are_written_or_named_never_worse(lines: object) -> None:
    delivery = a_delivery("order_received", "customer", VARIABLES["order_received"] | {"lines": lines})

    try:
        said = bodies(opened(LENIENT, delivery, NOW))[0]
    except Unwritable as why:
        said = str(why)

    assert "SO-1001" in said or said.startswith("this order_received mail cannot be written from its variables: ")


def test_a_mail_that_cannot_be_written_says_why() -> None:
    delivery = a_delivery("order_received", "customer", VARIABLES["order_received"] | {"lines": 5})

    with pytest.raises(Unwritable, match="this order_received mail cannot be written from its variables: TypeError"):
        opened(LENIENT, delivery, NOW)

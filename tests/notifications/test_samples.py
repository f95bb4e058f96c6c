"""Every mail as its reader gets it: greeted, in whole sentences, signed, with written-out dates, without logins and dialect."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import yaml
from jinja2 import StrictUndefined

from oms.notifications.v1 import notifications_pb2 as pb
from services.notifications import domain, samples
from services.notifications.domain import Delivery, Notice, Recipient
from services.notifications.envelope import File
from services.notifications.servicer import NotificationsServicer
from services.notifications.settings import NotificationsSettings
from services.notifications.writer import MailWriter
from services.runtime.db import Database
from tests.notifications.desk import NO_CONTEXT, VARIABLES

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SETTINGS = NotificationsSettings(
    company_name="Northgate Supply",
    company_address="4500 Industrial Blvd|Dallas, TX 75207",
    company_signature="Order desk: (214) 555-0142|orders@northgate.example",
    time_zone="America/Chicago",
)
WRITER = MailWriter(SETTINGS, StrictUndefined)
TEXTS = [(kind, role) for kind in sorted(domain.KINDS) for role in sorted(domain.audience(kind))]
SIGNATURE = "\n\n-- \nNorthgate Supply\n4500 Industrial Blvd\nDallas, TX 75207\nOrder desk: (214) 555-0142\norders@northgate.example\n"
LOGINS = [row["sub"] for row in yaml.safe_load(Path("samples/people.yaml").read_text("utf-8"))["people"]]
BANNED = (
    "waits for",
    "waited for",
    "waits for nobody",
    "past their day",
    "filled at once",
    "how long orders wait",
    "being checked",
    "are checking",
    "looking at your order",
    "look at",
    "comes to you",
    "comes to",
    "take the change back",
    "taken back",
    "last word",
    "be quicker",
    "was quicker",
    "will come",
    "nobody took",
    "not yours",
    "has to agree",
    "hand your decisions",
    "counts as",
    "goes to the warehouse",
    "goes on",
    "go on",
    "gladly",
    "you need not",
    "cancelled",
    "fulfilment",
    "catalog",
)
"""What the trade has another word for, or American English another spelling."""


def sample_mail(kind: str, role: str) -> EmailMessage:
    """The sample of this kind to a person of this role, as a mail program opens it."""
    specimen = samples.specimen(kind, role)
    file = File(specimen.attachment.name, b"%PDF-1.7") if specimen.attachment else None
    return message_from_bytes(WRITER.write(specimen, NOW, file), _class=EmailMessage, policy=default)


def read(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def words(mail: EmailMessage) -> str:
    """All that a person reads: headers, text, and HTML without its tags."""
    page = re.sub(r"<[^>]*>", " ", read(mail, "html"))
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), read(mail, "plain"), page])


@pytest.mark.parametrize(("kind", "role"), TEXTS)
def test_a_mail_greets_its_reader_and_begins_with_a_whole_sentence(kind: str, role: str) -> None:
    mail = sample_mail(kind, role)

    salutation, blank, first, *_ = read(mail, "plain").split("\n")
    assert (salutation, blank) == ("Dear Ann Miller," if role == "customer" else "Hello Max,", "")
    assert first[0].isupper()
    assert first.endswith((".", ":"))
    assert f"<p>{salutation}</p>" in read(mail, "html")


@pytest.mark.parametrize(("kind", "role"), TEXTS)
def test_a_mail_ends_with_the_companys_address_and_signature(kind: str, role: str) -> None:
    mail = sample_mail(kind, role)

    text, page = read(mail, "plain"), read(mail, "html")
    assert text.endswith(SIGNATURE)
    assert text.count("\n\n\n") == 0
    assert ("\nBest regards,\nNorthgate Supply\n" in text) == (role == "customer")
    foot = page[page.rindex("<div") :]
    for line in SIGNATURE.strip().splitlines()[1:]:
        assert line in foot


@pytest.mark.parametrize(("kind", "role"), TEXTS)
def test_a_mail_comes_from_the_company_to_a_person_by_name(kind: str, role: str) -> None:
    mail = sample_mail(kind, role)

    [sender], [reader] = mail["From"].addresses, mail["To"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Northgate Supply", "orders@oms.example")
    assert reader.display_name == ("Ann Miller" if role == "customer" else "Max Winter")


@pytest.mark.parametrize(("kind", "role"), TEXTS)
def test_a_mail_shows_no_iso_date_no_login_and_no_phrase_of_ours(kind: str, role: str) -> None:
    seen = words(sample_mail(kind, role))

    assert not re.search(r"\d{4}-\d{2}-\d{2}", seen)
    assert [login for login in LOGINS if login in seen] == []
    assert [phrase for phrase in BANNED if re.search(rf"\b{phrase}\b", seen.lower())] == []


def test_the_list_of_logins_is_not_empty() -> None:
    assert "rep.maria" in LOGINS


def test_each_preview_is_the_mail_that_would_be_sent(database: Database) -> None:
    servicer = NotificationsServicer(database, WRITER, lambda: NOW)

    for kind, role in TEXTS:
        preview = servicer.PreviewTemplate(pb.PreviewTemplateRequest(kind=kind, role=role), NO_CONTEXT)

        mail = sample_mail(kind, role)
        assert preview.subject == mail["Subject"]
        assert preview.text.splitlines() == read(mail, "plain").splitlines()
        assert preview.html.splitlines() == read(mail, "html").splitlines()


def plain(kind: str, role: str, **changed: object) -> str:
    reader = Recipient("ann@acme.example", "Ann Miller", role)
    notice = Notice("e1", kind, "ord_1", "SO-1001", (reader,), VARIABLES[kind] | changed, "")
    return read(_opened(domain.new_delivery(notice, reader, "dlv_1")), "plain")


def _opened(delivery: Delivery) -> EmailMessage:
    return message_from_bytes(WRITER.write(delivery, NOW), _class=EmailMessage, policy=default)


def test_a_deadline_is_on_the_clock_of_its_reader_with_the_zone_named() -> None:
    for at, shown in (
        ("2026-11-25T17:00:00-06:00[America/Chicago]", "Nov 25, 2026, 5:00 PM CST"),
        ("2026-11-25T23:00:00+00:00[Europe/Berlin]", "Nov 26, 2026, 12:00 AM CET"),
        ("2026-07-01T22:00:00+00:00", "Jul 1, 2026, 5:00 PM CDT"),
    ):
        assert f"Please decide by {shown}: https://" in plain("approval_requested", "approver", due=at)


def test_the_day_of_an_order_is_the_day_at_the_company() -> None:
    # 03:30 UTC on Nov 24 is 9:30 PM on Nov 23 in Chicago
    assert "received on Nov 23, 2026." in plain("order_received", "customer", placed_on="2026-11-24T03:30:00+00:00")


def test_a_delivery_kept_with_printed_days_is_written_with_them() -> None:
    assert "by 2026-11-25 17:00 CST: https" in plain("approval_requested", "approver", due="2026-11-25 17:00 CST")
    assert "received on Nov 23, 2026." in plain("order_received", "customer", placed_on="2026-11-23")
    assert "Due date: 23 December" in plain("invoice", "customer", due_on="23 December")


def test_large_quantities_have_their_thousands_in_groups() -> None:
    lines = [{"description": "Seal", "sku": "SEAL-9", "quantity": 12000, "extended": "9,600.00"}]

    assert "  12,000 x Seal (SEAL-9): 9,600.00 USD\n" in plain("order_received", "customer", lines=lines)


def test_a_company_without_an_address_signs_with_its_name_and_may_send_under_another() -> None:
    bare = MailWriter(NotificationsSettings(company_name="Northgate Supply", mail_from_name="Northgate orders"))

    mail = message_from_bytes(bare.write(samples.specimen("shipped", "customer"), NOW), policy=default)

    assert isinstance(mail, EmailMessage)
    assert mail["From"].addresses[0].display_name == "Northgate orders"
    assert read(mail, "plain").endswith("\n-- \nNorthgate Supply\n")


@pytest.mark.parametrize("role", ["customer", "accounting"])
def test_an_invoice_asks_for_what_is_due_and_for_nothing_that_is_paid_or_charged_to_a_card(role: str) -> None:
    due = plain("invoice", role)
    paid = plain("invoice", role, received="558.57", due="0.00", is_paid=True)
    by_card = plain("invoice", role, received="", due="558.57", is_by_card=True)

    assert "Invoice total: 558.57 USD\nReceived: 167.57 USD\nAmount due: 391.00 USD\n" in due
    for mail, words in ((paid, "It is paid"), (by_card, "It is charged to ")):
        assert words in mail
        assert "Amount due" not in mail
        assert "Due date" not in mail
        assert "include the invoice number" not in mail


def test_an_invoice_of_a_notice_from_before_is_due_in_total() -> None:
    lenient = MailWriter(SETTINGS)
    known = {"invoice_number": "INV-1", "total": "558.57", "currency": "USD", "due_on": "2026-12-23"}
    reader = Recipient("ann@mail.example", "Ann", "customer")
    notice = Notice("evt_1", "invoice", "ord_1", "SO-1001", (reader,), known, "")

    text, page = lenient.bodies(domain.new_delivery(notice, reader, "dlv_1"))

    assert "Amount due: 558.57 USD" in text
    assert "<strong>558.57 USD</strong>" in page


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        (
            {"return_address": "Dock 9|Waco, TX 76701"},
            "Send them to:\n  Northgate\n  Dock 9\n  Waco, TX 76701\n\nThey must",
        ),
        ({"company_address": "1 Main St|Dallas"}, "Send them to the address on the return label.\n\nThey must"),
        ({}, "Send them to the address on the return label.\n\nThey must"),
    ],
)
def test_an_approved_return_says_where_its_goods_go_and_until_when(changed: dict[str, str], where: str) -> None:
    settings = NotificationsSettings(company_name="Northgate", **changed)  # type: ignore[arg-type]  # text members by name

    text, page = MailWriter(settings, StrictUndefined).bodies(samples.specimen("return_authorized", "customer"))

    assert where in text
    assert "They must reach us by Dec 23, 2026." in text
    assert all(line.strip() in page for line in where.split("\n")[1:-2])

"""What the orders service hands to notifications: every kind with the variables its text was written for, and to whom."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from pydantic import ValidationError

from services.kernel.terms import Terms
from services.notifications import domain as texts
from services.notifications.settings import NotificationsSettings
from services.notifications.writer import MailWriter
from services.orders.domain import mails
from services.orders.domain.consequence import consequence
from services.orders.domain.feedback import Feedback, Opinion
from services.orders.domain.mails import Change, Mail, Promise, Recipient
from services.orders.domain.mails.mail import Attachment
from services.orders.domain.masterdata import Customer
from services.orders.domain.people import Person
from services.orders.domain.projection import Progress
from services.orders.settings import Settings
from tests.facts import heard
from tests.orders.desk import amount
from tests.orders.mail_parties import CONTACTS, CUSTOMER, LINE, ORDER
from tests.orders.test_deposit_invoiced import DEPOSIT_INVOICED
from tests.orders.test_return_mails import RETURN_MAILS

CHICAGO = ZoneInfo("America/Chicago")
APPROVERS = (mails.reader("mia@oms.example", "Mia", "approver"), mails.reader("", "No mailbox", "approver"))
# 23:00 UTC is 17:00 in Chicago in winter
DUE = datetime(2026, 11, 25, 23, tzinfo=UTC).astimezone(CHICAGO)
CHANGES = (
    Change("Quantity of SKID-40", "3", "2"),
    Change("Unit price of SKID-40", "8,800.00", "8,900.00", is_money=True),
)
LINK = mails.review_page(CONTACTS, "stp_1")
ASKED = mails.Asked("manager approval", ("over 25,000.00 USD",), "Sam", DUE, LINK)
SHIPMENT = {
    "shipment_id": "shp_1",
    "number": "SH-1001",
    "is_service": False,
    "carrier": "parcelway",
    "tracking_number": "1Z5",
    "packages": [{"sscc": "", "tracking_number": "1Z5", "weight_grams": 9}],
    "promised_on": "2026-12-15",
    "lines": [{"sku": "SKID-40", "description": "Pump skid", "quantity": 3}],
}
INVOICE = {
    "invoice_id": "inv_1",
    "number": "INV-000001",
    "total_minor": 2640000,
    "currency": "USD",
    "due_on": "2027-01-14",
}
TOGETHER = {
    "share": 1,
    "order_numbers": ["SO-1001", "SO-1002"],
    "total_minor": 4640000,
    "due_on": "2027-01-14",
    "early_discount_minor": 92800,
    "discount_until": "2026-12-25",
}
CREDITED = {
    "credit_note_id": "cn_1",
    "number": "CN-1001",
    "amount_minor": 11000,
    "cash_minor": 6000,
    "currency": "USD",
    "reason": "two pumps arrived damaged",
}
PAID = {"amount_minor": 2640000, "currency": "USD", "invoices": [INVOICE]}


def sent(mail: Mail | None) -> Mail:
    assert mail is not None
    return mail


def notified(kind: str, detail: dict[str, Any]) -> Mail:
    parties = mails.Parties(CUSTOMER, CUSTOMER)
    return sent(mails.mail_of(heard(kind, detail, "fulfillment"), ORDER, parties, CONTACTS, is_last_delivery=True))


GONE = consequence(ORDER, ORDER, Progress(held_minor=5_000_000), {"lin_1": 1}, None)
MAILS = [
    mails.order_received(ORDER, CUSTOMER, date(2026, 11, 23)),
    mails.order_accepted(ORDER, CUSTOMER, [Promise("lin_1", 3, "2026-12-15")]),
    mails.order_on_hold(ORDER, CUSTOMER, CONTACTS, [("accounting", "over the limit")], ()),
    sent(mails.pro_forma(ORDER, CUSTOMER, amount("0.00"))),
    mails.order_rejected(CUSTOMER, ["account closed"]),
    mails.order_cancelled(CUSTOMER, "ordered twice"),
    mails.order_expired(CUSTOMER, "nobody decided"),
    mails.units_dropped(ORDER, CUSTOMER, CONTACTS, GONE, reason="price list", is_at_warehouse=True),
    mails.units_dropped(ORDER, CUSTOMER, CONTACTS, replace(GONE, is_closing=True), reason="", is_at_warehouse=True),
    mails.backorder_created(ORDER, CUSTOMER, CONTACTS, {"lin_1": (3, "")}),
    mails.backorder_delayed(
        ORDER,
        CUSTOMER,
        CONTACTS,
        [mails.Promise("lin_1", 3, "2026-12-08", True, "2026-12-04", 2, "PO-9", "2026-12-01")],
    ),
    mails.support_case(
        ORDER,
        "help@oms.example",
        Feedback("ord_1", Opinion(1, "leaks"), "CASE-1001", "ann", "customer", ORDER.placed_at),
    ),
    notified("shipment_shipped", {"shipment": SHIPMENT}),
    notified("shipment_delivered", {"shipment": SHIPMENT}),
    notified("shipment_exception", {"shipment": SHIPMENT}),
    notified("shipment_reversed", {"shipments": [SHIPMENT], "reason": "wrong pallet"}),
    notified("invoice_issued", {"invoice": INVOICE}),
    notified("invoice_issued", {"invoice": {**INVOICE, "consolidated_id": "inv_9"}, "consolidated": TOGETHER}),
    notified("invoice_credited", {**CREDITED, "invoice": INVOICE}),
    *map(notified, ("payment_received", "deposit_invoiced"), (PAID, DEPOSIT_INVOICED)),
    notified("payment_reversed", {**PAID, "reason": "check returned unpaid"}),
    mails.order_changed(
        ORDER, CUSTOMER, CONTACTS, CHANGES, total_before=amount("26000.00"), reason="price list", is_at_warehouse=True
    ),
    mails.consent_requested(
        ORDER, CUSTOMER, CONTACTS, CHANGES, total_after=amount("17800.00"), reason="price list", respond_by=DUE
    ),
    mails.change_rejected(ORDER, CUSTOMER, "the truck left", is_customer_notified=True),
    mails.consent_declined(ORDER, CUSTOMER, ""),
    mails.release_resumed(ORDER, CUSTOMER, CONTACTS, "a new site", (), is_customer_notified=True),
    mails.recall_unanswered(ORDER, CONTACTS, "2 hours", is_cancellation=True, is_escalated=True),
    mails.consent_expired(ORDER, CUSTOMER, "price list"),
    mails.approval_requested(ORDER, APPROVERS, ASKED),
    mails.approval_reminder(ORDER, APPROVERS, ASKED, timedelta(hours=26)),
    mails.approval_escalated(ORDER, APPROVERS, ASKED, timedelta(days=2), "Mia"),
    mails.changes_requested(APPROVERS, by="Mia", note="split it", link=LINK, chain="seller"),
    mails.manufacturing_asked(LINE, APPROVERS, requested_on=date(2026, 12, 15), earliest_on=None, due=DUE, link=LINK),
    mails.manufacturing_answered(LINE, APPROVERS, requested_on=None, ready_on=date(2026, 12, 18), note=""),
    *RETURN_MAILS,
]
BY_KIND = {mail.kind: mail for mail in MAILS}


def roles(mail: Mail) -> list[str]:
    return [each.role for each in mail.recipients]


def test_an_invoice_of_several_orders_is_mailed_once_with_the_first_of_them() -> None:
    share = {"invoice": {**INVOICE, "consolidated_id": "inv_9"}, "consolidated": {**TOGETHER, "share": 2}}
    fact, parties = heard("invoice_issued", share, "billing"), mails.Parties(CUSTOMER, CUSTOMER)

    mail = BY_KIND["consolidated_invoice"]

    assert mails.mail_of(fact, ORDER, parties, CONTACTS, is_last_delivery=False) is None
    assert mail.attachment == Attachment("invoice", "inv_9", "INV-000001.pdf")
    assert (mail.variables["total"], mail.variables["orders"]) == ("46,400.00", ["SO-1001", "SO-1002"])
    assert (mail.variables["early_total"], mail.variables["early_on"]) == ("45,472.00", "2026-12-25")


@pytest.mark.parametrize(
    ("terms", "members", "due_on", "early"),
    [
        ("", {}, "2027-01-14", ("", "")),
        ("delivery 10", {"due_on": ""}, "10 days after delivery", ("", "")),
        (
            "2/10 net 30",
            {"open_minor": 2640000, "early_discount_minor": 52800, "discount_until": "2026-12-25"},
            "2027-01-14",
            ("25,872.00", "2026-12-25"),
        ),
    ],
)
def test_the_mail_of_an_invoice_says_when_it_is_due_and_what_settles_it_early(
    terms: str, members: dict[str, Any], due_on: str, early: tuple[str, str]
) -> None:
    net_days = Terms.parse(terms).days if terms else 30
    fact = heard("invoice_issued", {"invoice": {**INVOICE, **members}}, "billing")

    mail = mails.mail_of(
        fact,
        replace(ORDER, terms=terms, net_days=net_days),
        mails.Parties(CUSTOMER, CUSTOMER),
        CONTACTS,
        is_last_delivery=False,
    )

    assert mail is not None
    assert mail.variables["due_on"] == due_on
    assert (mail.variables["early_total"], mail.variables["early_on"]) == early


def test_every_kind_of_mail_is_sent_by_somebody() -> None:
    of_no_order = {"password_link"}  # see tests/console/test_passwords.py
    assert set(BY_KIND) | of_no_order == texts.KINDS


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.kind)
def test_a_mail_carries_what_its_text_was_written_for_and_goes_to_roles_that_have_one(mail: Mail) -> None:
    assert set(mail.variables) == set(texts.VARIABLES[mail.kind])
    assert set(roles(mail)) <= texts.audience(mail.kind)


@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.kind)
def test_a_mail_is_written_from_what_it_carries_once_it_has_been_json(mail: Mail) -> None:
    writer = MailWriter(NotificationsSettings(), StrictUndefined)
    variables = json.loads(json.dumps(dict(mail.variables)))
    readers = tuple(texts.Recipient(each.email, each.name, each.role) for each in mail.recipients)
    notice = texts.Notice("evt_1", mail.kind, "ord_1", "SO-1001", readers, variables, "")

    for one in readers:
        text, page = writer.bodies(texts.new_delivery(notice, one, "dlv_1"))
        assert "SO-1001" in text
        assert "SO-1001" in page


STAFF = (
    Person("mia", "Mia", "mia@oms.example", ("approver",)),
    Person("fay", "Fay", "fay@oms.example", ("approver", "support")),
    Person("sam", "Sam", "sam@oms.example", ("sales_rep", "approver")),
    Person("abe", "Abe", "abe@oms.example", ("accounting",)),
    Person("pat", "Pat", "", ("manufacturing",)),
)


def held(*owners: str, staff: tuple[Person, ...] = STAFF, customer: Customer = CUSTOMER) -> list[tuple[str, str]]:
    """Address and role of those of our staff who are told of a hold of each of these owners."""
    mail = mails.order_on_hold(ORDER, customer, CONTACTS, [(owner, f"of {owner}") for owner in owners], staff)
    return sorted((each.email, each.role) for each in mail.recipients if each.role != "customer")


def test_a_hold_is_told_to_each_person_who_may_release_it_once() -> None:
    sam = ("sam@oms.example", "sales_rep")

    assert held("approver") == [("fay@oms.example", "approver"), ("mia@oms.example", "approver"), sam]
    assert held("approver", "approver", "sales_rep") == held("approver")
    assert held("accounting", "warehouse", "support") == [
        ("accounting@oms.example", "accounting"),
        ("help@oms.example", "support"),
        sam,
        ("warehouse@oms.example", "warehouse_manager"),
    ]


def test_a_hold_that_nobody_with_a_mailbox_may_release_is_told_to_support() -> None:
    nobodys = replace(CUSTOMER, sales_rep="", sales_rep_email="")

    for owner in ("manufacturing", "admin"):
        assert held(owner) == [("help@oms.example", "support"), ("sam@oms.example", "sales_rep")]
    assert held("approver", staff=()) == [("help@oms.example", "support"), ("sam@oms.example", "sales_rep")]
    assert held("sales_rep", customer=nobodys) == [("help@oms.example", "support")]


def test_a_change_is_told_to_the_warehouse_only_once_the_order_is_on_its_warehouse() -> None:
    early = mails.order_changed(
        ORDER, CUSTOMER, CONTACTS, CHANGES, total_before=amount("26000.00"), reason="", is_at_warehouse=False
    )

    assert roles(early) == ["customer", "sales_rep"]
    assert roles(BY_KIND["order_changed"]) == ["customer", "sales_rep", "warehouse_manager"]


def test_a_proposal_shows_what_stands_and_what_would_and_leads_each_reader_to_its_own_page() -> None:
    said = BY_KIND["consent_requested"].variables

    assert (said["total_before"], said["total_after"]) == ("26,400.00", "17,800.00")
    assert said["changes"][0] == {"what": "Quantity of SKID-40", "before": "3", "after": "2", "is_money": False}
    assert said["respond_by"] == "2026-11-25T17:00:00-06:00[America/Chicago]"
    assert said["link"] == "https://oms.example/my/orders/SO-1001"
    assert said["staff_link"] == "https://oms.example/orders/SO-1001"


def test_an_instant_in_utc_names_no_zone_so_that_the_companys_clock_counts() -> None:
    assert mails.zoned_instant(DUE.astimezone(UTC)) == "2026-11-25T23:00:00+00:00"
    assert BY_KIND["order_received"].variables["placed_on"] == "2026-11-23"


DIRECTORY = (
    Person("sam", "Sam Seller", "sam.seller@oms.example", ("sales_rep",)),
    Person("sue", "Sue Sales", "Sue@oms.example", ("sales_rep",)),
    Person("old", "", "old@oms.example", ("sales_rep",)),
)


@pytest.mark.parametrize(
    ("email", "sub", "name"),
    [
        ("sam@oms.example", "sam", "Sam Seller"),
        ("sue@OMS.example", "rep.gone", "Sue Sales"),
        ("old@oms.example", "old", ""),
        ("new@oms.example", "rep.new", ""),
        ("new@oms.example", "", ""),
    ],
)
def test_a_sales_rep_is_addressed_by_the_directorys_name_and_never_by_a_login(email: str, sub: str, name: str) -> None:
    customer = replace(CUSTOMER, sales_rep=sub, sales_rep_email=email)

    [_, rep] = mails.named(mails.order_cancelled(customer, "").recipients, DIRECTORY)

    assert rep == Recipient(email, name, "sales_rep")


def test_whoever_has_a_name_keeps_it() -> None:
    buyer = Recipient("sam@oms.example", "ACME", "customer", "sam")

    assert mails.named([buyer], DIRECTORY) == (Recipient("sam@oms.example", "ACME", "customer"),)


def test_an_approver_is_told_the_sum_the_reasons_and_until_when_on_the_readers_clock() -> None:
    mail = BY_KIND["approval_escalated"]

    assert mail.recipients == (Recipient("mia@oms.example", "Mia", "approver"),)
    assert mail.variables == {
        "customer_name": "ACME",
        "po_number": "PO-7781",
        "total": "26,400.00",
        "currency": "USD",
        "step": "manager approval",
        "reasons": ["over 25,000.00 USD"],
        "submitted_by": "Sam",
        "due": "2026-11-25T17:00:00-06:00[America/Chicago]",
        "link": "https://oms.example/reviews/stp_1",
        "waited": "2 days",
        "escalated_from": "Mia",
    }


@pytest.mark.parametrize(
    ("requested_on", "ready_on", "answer"),
    [
        (date(2026, 12, 15), date(2026, 12, 15), "can be ready as requested"),
        (date(2026, 12, 15), date(2026, 12, 16), "can be ready, but later than requested"),
        (None, date(2026, 12, 16), "can be ready"),
        (date(2026, 12, 15), None, "cannot be made"),
    ],
)
def test_the_plants_answer_is_said_against_the_day_that_was_asked_for(
    requested_on: date | None, ready_on: date | None, answer: str
) -> None:
    mail = mails.manufacturing_answered(LINE, APPROVERS, requested_on=requested_on, ready_on=ready_on, note="")

    assert mail.variables["answer"] == answer


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(minutes=119), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_a_span_is_said_by_its_largest_unit_and_never_rounded_up(span: timedelta, words: str) -> None:
    assert mails.span_text(span) == words


@given(st.lists(st.sampled_from(["", "a@x.example", "A@x.example", "b@x.example"])))
def test_each_mailbox_is_told_once_as_whom_it_is_named_first(emails: list[str]) -> None:
    named = [Recipient(email, str(number), "support") for number, email in enumerate(emails)]

    notified_of = mails.reachable(named)

    boxes = [each.email.lower() for each in notified_of]
    assert sorted(boxes) == sorted({email.lower() for email in emails} - {""})
    for each in notified_of:
        assert each == next(one for one in named if one.email.lower() == each.email.lower())


def test_a_person_reads_the_text_of_their_role_and_never_a_customers_instead() -> None:
    as_read = {role: mails.reader("x@x.example", "", role).role for role in ("warehouse", "customer", "approver")}

    assert as_read == {"warehouse": "warehouse_manager", "customer": "customer", "approver": "approver"}
    for role in ("channel", "auditor", "boss"):
        with pytest.raises(ValueError, match=r"no mail is for|is no role"):
            mails.reader("x@x.example", "", role)


@pytest.mark.parametrize(
    "address", ["ftp://oms.example", "https://oms.example/", "https://oms.example/shop", "oms.example"]
)
def test_a_public_address_is_scheme_and_host_so_that_links_are_whole(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(public_url=address)


def test_links_of_a_system_without_an_address_lead_to_this_machine() -> None:
    assert Settings().public_url == mails.PUBLIC_URL == "http://127.0.0.1:8000"

"""What a mail is to orders: a kind, its readers and what it says.

Amounts and spans are text as people read them; days and instants keep a form that notifications writes out for the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.orders.domain.masterdata import Customer
from services.orders.domain.order import Order
from services.orders.domain.people import Person
from services.runtime.roles import mail_role

PUBLIC_URL = "http://127.0.0.1:8000"
"""Where people reach a system that nobody has given an address yet."""
MOST_ROWS = 100
"""Lines, or changes, that a mail lists; the order's page has all of them."""


@dataclass(frozen=True, slots=True)
class Contacts:
    """Our own mailboxes, where a customer leaves feedback ("{order_id}" is replaced; blank: by mail), and where our pages are.

    `public_url` is scheme and host, no path and no slash at the end.
    """

    warehouse_manager: str
    accounting: str
    support: str
    feedback_url: str
    public_url: str = PUBLIC_URL


NOBODY = Contacts("", "", "", "")
"""No mailboxes."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who is notified; the role chooses the text.

    Without a name, `sub` is the subject by which the people directory knows it: a login is never a name.
    """

    email: str
    name: str
    role: str
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that goes with a mail: which, the identity of what it is of, and the name of its file."""

    document: str
    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A notification to be handed to notifications; without recipients none is sent."""

    kind: str
    recipients: tuple[Recipient, ...]
    variables: Mapping[str, Any]
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """When some units of a line are promised; promised_on is an ISO date, empty while supply has none.

    Units that wait are promised for `lead_days` working days after the day their supply is expected, of which the `reference` is
    the document; `notified_on` is the day that the customer last read of them.
    """

    line_id: str
    quantity: int
    promised_on: str
    is_waiting: bool = False
    expected_on: str = ""
    lead_days: int = 0
    reference: str = ""
    notified_on: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        kept = {"line_id": self.line_id, "quantity": self.quantity, "promised_on": self.promised_on}
        return asdict(self) if self.is_waiting else kept


def listed(rows: Sequence[dict[str, Any]], name: str, count: str) -> dict[str, Any]:
    """The rows as a variable of a mail, MOST_ROWS at most, and how many more there are as another one."""
    return {name: list(rows[:MOST_ROWS]), count: max(0, len(rows) - MOST_ROWS)}


def iso_day(on: date | None) -> str:
    """The day as an ISO date; empty while there is none."""
    return on.isoformat() if on else ""


def zoned_instant(at: datetime) -> str:
    """The instant with the IANA zone of its reader, by RFC 9557: "2026-11-25T17:00:00-06:00[America/Chicago]".

    An instant of another kind of zone, such as UTC, has no name: the company's own clock counts.
    """
    zone = at.tzinfo.key if isinstance(at.tzinfo, ZoneInfo) else ""
    return at.isoformat(timespec="seconds") + (f"[{zone}]" if zone else "")


def span_text(span: timedelta) -> str:
    """The span by its largest unit, never rounded up: "2 days", "1 hour"; less than a minute is "less than a minute"."""
    minutes = span // timedelta(minutes=1)
    for unit, size in (("day", 24 * 60), ("hour", 60), ("minute", 1)):
        if count := minutes // size:
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "less than a minute"


def reader(email: str, name: str, role: str) -> Recipient:
    """A person of the directory as one who is notified, by the text of their role; ValueError for a role that no mail is for."""
    return Recipient(email, name, mail_role(role))


def named(recipients: Iterable[Recipient], directory: Iterable[Person]) -> tuple[Recipient, ...]:
    """Each recipient by name, as far as the directory knows one: by subject, else by mail address."""
    people = tuple(directory)
    by_sub = {person.sub: person.name for person in people}
    by_email = {person.email.lower(): person.name for person in people if person.email}
    return tuple(
        replace(each, name=each.name or by_sub.get(each.sub) or by_email.get(each.email.lower(), ""), sub="")
        for each in recipients
    )


def reachable(recipients: Iterable[Recipient]) -> tuple[Recipient, ...]:
    """Those who have a mailbox, each mailbox once, as whom it is named first."""
    first = {each.email.lower(): each for each in reversed(tuple(recipients)) if each.email}
    return tuple(reversed(first.values()))


def buyer(customer: Customer) -> tuple[Recipient, ...]:
    """The customer's contact, else who gets its invoices, when there is one."""
    return reachable([Recipient(customer.contact_email or customer.accounting_email, customer.name, "customer")])


def bill_to(customer: Customer) -> tuple[Recipient, ...]:
    """Whom the customer wants invoices sent to."""
    return reachable([Recipient(customer.accounting_email or customer.contact_email, customer.name, "customer")])


def sales_rep(customer: Customer) -> tuple[Recipient, ...]:
    """Who sells to the customer, when somebody does; the directory knows the name."""
    return reachable([Recipient(customer.sales_rep_email, "", "sales_rep", customer.sales_rep)])


def accounting_mailbox(contacts: Contacts) -> tuple[Recipient, ...]:
    """The company's accounting mailbox, when it has one."""
    return reachable([Recipient(contacts.accounting, "Accounting", "accounting")])


def warehouse_mailbox(contacts: Contacts) -> tuple[Recipient, ...]:
    """The company's warehouse mailbox, when it has one."""
    return reachable([Recipient(contacts.warehouse_manager, "Warehouse", "warehouse_manager")])


def support_mailbox(contacts: Contacts) -> tuple[Recipient, ...]:
    """The company's support mailbox, when it has one."""
    return reachable([Recipient(contacts.support, "Support", "support")])


def of_sales(customer: Customer, contacts: Contacts) -> tuple[Recipient, ...]:
    """Who sells to the customer; support, when nobody does."""
    return sales_rep(customer) or support_mailbox(contacts)


def hold_owners(role: str, customer: Customer, contacts: Contacts, staff: Sequence[Person]) -> tuple[Recipient, ...]:
    """Who may release a hold of a role: its mailbox where there is one, else its people, else support.

    `staff` are our active people; only sales is asked by customer instead of by role.
    """
    if role == "sales_rep":
        return of_sales(customer, contacts)
    mailboxes = {
        "accounting": accounting_mailbox(contacts),
        "warehouse": warehouse_mailbox(contacts),
        "support": support_mailbox(contacts),
    }
    people = [reader(person.email, person.name, role) for person in staff if role in person.roles]
    return mailboxes.get(role) or reachable(people) or support_mailbox(contacts)


def currency_of(order: Order) -> str:
    """The currency behind the totals of an order: they are without tax while nobody knows that."""
    return f"{order.currency} without tax" if order.taxation.is_pending else order.currency

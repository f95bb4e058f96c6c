"""Passwords: each is chosen by its owner alone, by a link that goes to the owner's mailbox and to nobody else."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from services.kernel.errors import NotFound, NotPermitted, Refused
from services.orders.access import logins
from services.orders.domain.mails import Contacts, Recipient, zoned_instant
from services.orders.domain.people import Person
from services.orders.masterdata.people import note_access
from services.orders.order import outbox
from services.orders.store import people
from services.runtime.roles import mail_role, role_of

PATH = "/login/password/"
"""Where a link leads, before its secret."""


def send_link(session: Session, sub: str, asked_by: str, contacts: Contacts, now: datetime) -> datetime:
    """Mail somebody a link by which they choose a password, and tell until when; the one they have stays until then.

    NotFound PERSON_UNKNOWN, Refused MAILBOX_MISSING. NotPermitted ADDRESS_CHANGED_BY_YOU for who put another address in their
    entry: another administrator vouches for it by sending the link.
    """
    person = people.find(session, sub)
    if person is None or not person.is_active:
        raise NotFound("PERSON_UNKNOWN", "nobody of that name is active in the directory: add the person first")
    if not person.email:
        raise Refused("MAILBOX_MISSING", f"{sub} has no mail address in the directory: enter it first")
    if person.email_by == asked_by:
        sentence = f"you changed the address of {sub}: another administrator sends a link to it"
        raise NotPermitted("ADDRESS_CHANGED_BY_YOU", sentence)
    if person.email_by:
        people.confirm_address(session, sub)
    asker = people.find(session, asked_by)
    return _send(session, person, asked_by, asker.name if asker and asker.name else asked_by, contacts, now)


def ask_for_link(session: Session, sub: str, contacts: Contacts, now: datetime) -> None:
    """The same for who says to be this person: anybody may.

    Nothing happens where an administrator must send it, nor while a young link is still good: no stranger fills a mailbox.
    """
    person = people.find(session, sub)
    if person is None or not person.is_active or not person.email or person.email_by:
        return
    if not logins.has_young_link(session, sub, now):
        _send(session, person, sub, "", contacts, now)


def choose(session: Session, secret: str, argon2: str, now: datetime) -> str:
    """Set the password of a link's owner, whose logins end; gives who that is. Refused PASSWORD_LINK_OVER."""
    sub = logins.use_link(session, secret, now)
    set_own(session, sub, argon2, now)
    return sub


def set_own(session: Session, sub: str, argon2: str, now: datetime) -> None:
    """Set the password of who has shown that they are this person. NotFound PERSON_UNKNOWN for nobody of the directory."""
    if logins.find_person(session, sub) is None:
        raise NotFound("PERSON_UNKNOWN", "nobody of that name is active in the directory: ask an administrator")
    logins.set_password(session, sub, argon2, now)
    note_access(session, "password_chosen", sub, sub, now)


def _send(session: Session, person: Person, asked_by: str, asker: str, contacts: Contacts, now: datetime) -> datetime:
    link = logins.open_link(session, person.sub, asked_by, now)
    variables = {
        "link": f"{contacts.public_url}{PATH}{link.secret}",
        "due": zoned_instant(link.expires_at),
        "asked_by": asker,
    }
    reader = Recipient(person.email, person.name, _reads_as(person))
    outbox.mail_person(session, "password_link", reader, variables, now)
    note_access(session, "password_link_sent", person.sub, asked_by, now)
    return link.expires_at


def _reads_as(person: Person) -> str:
    reading = [role for role in person.roles if role_of(role).mail_role]
    return mail_role(reading[0]) if reading else mail_role("admin")

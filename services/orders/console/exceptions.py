"""What got stuck: what happened, what a retry will do, and the two things a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from oms.notifications.v1 import notifications_pb2 as notifications
from services.kernel.errors import NotFound
from services.orders import exceptions
from services.orders.api.inputs import IDENTITY
from services.orders.console.pages import render
from services.orders.console.visitor import FormOf, Visitor, VisitorOf
from services.orders.store import exceptions as store
from services.orders.store.exceptions import FACT, LATE_FACT, MAIL, MESSAGE, RETRY, Stuck
from services.runtime.grpc_client import Unreachable

router = APIRouter()

SourceOf = Literal["message", "late_fact", "fact", "mail"]
KeyOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@dataclass(frozen=True, slots=True)
class Kind:
    """A source of exceptions in words: what has happened to such a thing, when one appears, and what a retry will do with it."""

    source: str
    heading: str
    happened: str
    appears: str
    retry_does: str


KINDS = (
    Kind(MESSAGE, "Messages nobody took", "The receiver refused it as often as we try.",
         "A message appears here when its receiver has refused it as often as we try.",
         "It goes back in line and is sent within seconds."),
    Kind(MAIL, "Mails that could not be sent", "The mail server refused it as often as we try.",
         "A mail appears here when the mail server has refused it as often as we try.",
         "It goes back in line and is sent within seconds."),
    Kind(LATE_FACT, "Facts that came too late", "The order's workflow had ended, or never was.",
         "A fact appears here when the workflow of its order had ended before it came.",
         "It is handed to the workflow again; if that has still ended, it comes back here."),
    Kind(FACT, "Facts that could not be read", "Its order was not there, or nobody here knows its kind.",
         "A fact appears here when its order is not there, or nobody here knows its kind.",
         "It is read again; if that still fails, it stays here."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Group:
    """The stuck things of one source."""

    kind: Kind
    rows: tuple[Stuck, ...]


@router.get("/exceptions")
def exceptions_page(who: VisitorOf) -> Response:
    """Everything that got stuck, by source."""
    mails = _dead_mails(who)
    with who.deps.database.reading() as session:
        rows = [*store.stuck(session), *_not_dismissed(session, mails or [])]
        done = store.newest_deeds(session)
    groups = [Group(kind, tuple(row for row in rows if row.source == kind.source)) for kind in KINDS]
    return render("exceptions.html", who, groups=groups, done=done, is_mail_away=mails is None, key=_key)


@router.get("/exceptions/{source}/{subject_id}")
def exception_page(who: VisitorOf, source: SourceOf, subject_id: KeyOf) -> Response:
    """One of them, with its two buttons."""
    mails = (_dead_mails(who) or []) if source == MAIL else []
    with who.deps.database.reading() as session:
        rows = _not_dismissed(session, mails) if source == MAIL else store.stuck(session)
    row = next((row for row in rows if (row.source, _key(row.subject_id)) == (source, subject_id)), None)
    if row is None:
        raise NotFound("EXCEPTION_UNKNOWN", "this needs nothing any more: go back to the list")
    kind = next(kind for kind in KINDS if kind.source == source)
    may_act = who.may("POST /exceptions/{source}/{subject_id}/retry")
    return render("exception.html", who, kind=kind, row=row, key=_key, may_act=may_act)


def _dead_mails(who: Visitor) -> list[Stuck] | None:
    """Dead mails as the mail service tells of them; None while it is away."""
    try:
        found = who.deps.notifications.ListDeliveries(notifications.ListDeliveriesRequest(state="dead", limit=200))
    except Unreachable:
        return None
    return [Stuck(MAIL, row.delivery_id, row.kind, row.last_error, row.order_number, None) for row in found.deliveries]


def _not_dismissed(session: Session, mails: list[Stuck]) -> list[Stuck]:
    gone = store.dismissed(session, MAIL, [mail.subject_id for mail in mails])
    return [mail for mail in mails if mail.subject_id not in gone]


@router.post("/exceptions/{source}/{subject_id}/retry")
def retry(form: FormOf, source: SourceOf, subject_id: KeyOf) -> Response:
    """Try it again."""
    who, now = form.visitor, form.visitor.deps.clock()
    subject = _subject(subject_id)
    if source == MAIL:
        who.deps.notifications.RetryDelivery(notifications.RetryDeliveryRequest(delivery_id=subject))
        with who.deps.database.transaction() as session:
            exceptions.record(session, MAIL, subject, RETRY, "", who.caller, now)
    else:
        with who.deps.database.transaction() as session:
            exceptions.retry(session, source, subject, who.caller, who.deps.contacts, now)
    return RedirectResponse("/exceptions", 303)


@router.post("/exceptions/{source}/{subject_id}/dismiss")
def dismiss(form: FormOf, source: SourceOf, subject_id: KeyOf) -> Response:
    """Take it off the list."""
    who = form.visitor
    with who.deps.database.transaction() as session:
        exceptions.dismiss(session, source, _subject(subject_id), form.text("reason"), who.caller, who.deps.clock())
    return RedirectResponse("/exceptions", 303)


def _key(subject_id: str) -> str:
    """An id as an address takes it: ids of signals have a slash."""
    return subject_id.replace("/", ":")


def _subject(key: str) -> str:
    return key.replace(":", "/")

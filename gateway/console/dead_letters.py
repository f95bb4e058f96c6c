"""Dead letters: what happened, what a retry will do, and the two things a person can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import RedirectResponse

from gateway.console import labels
from gateway.console.notices import leave
from gateway.console.pages import render
from gateway.console.visitor import FormOf, Visitor, VisitorOf
from gateway.http.orders.dead_letters import Source, dead_mails, find, key_of, retry_mail, subject_of
from gateway.http.plumbing.inputs import IDENTITY
from services.orders.domain.dead_letters import FACT, LATE_FACT, MAIL, MESSAGE, DeadLetter
from services.orders.lifecycle import dead_letters
from services.runtime.grpc_client import Unreachable

router = APIRouter()

KeyOf = Annotated[str, Path(pattern=IDENTITY, max_length=64)]


@dataclass(frozen=True, slots=True)
class Kind:
    """A source of dead letters in words: what has happened to such a thing, when one appears, and what a retry will do with it."""

    source: str
    heading: str
    happened: str
    appears: str
    retry_does: str


KINDS = (
    Kind(MESSAGE, "Undelivered messages", "The receiver refused it as often as we try.",
         "A message appears here when its receiver has refused it as often as we try.",
         "It goes back in line and is sent within seconds."),
    Kind(MAIL, "Undelivered mail", "The mail server refused it as often as we try.",
         "A mail appears here when the mail server has refused it as often as we try.",
         "It goes back in line and is sent within seconds."),
    Kind(LATE_FACT, "Late updates", "The order's workflow had already ended, or never existed.",
         "An update appears here when the workflow of its order had ended before it came.",
         "It is handed to the workflow again; if that has still ended, it comes back here."),
    Kind(FACT, "Unreadable updates", "Its order does not exist, or its kind is unknown.",
         "An update appears here when its order does not exist, or its kind is unknown.",
         "It is read again; if that still fails, it stays here."),
)  # fmt: skip
_MESSAGES = {
    "notify": "Mail about the order",
    "order_placed": "Start of the order's workflow",
    "signal": "Update of the order's workflow",
    "stock_signal": "News of stock for the order's workflow",
    "cancellation_requested": "Cancellation for the order's workflow",
    "people_decided": "Decision for the order's workflow",
}
"""Kind of a message of ours → what it is."""
_REASONS = {
    "orphaned": "its order does not exist",
    "unknown": "its kind is unknown",
    "unreadable": "it cannot be read",
}
"""State of an update that could not be read → why."""


def title(row: DeadLetter) -> str:
    """What could not be handled."""
    if row.source == MESSAGE and row.what in _MESSAGES:
        return _MESSAGES[row.what]
    return f"{labels.status(row.what).capitalize()}{' mail' if row.source == MAIL else ''}"


def why(row: DeadLetter) -> str:
    """Why it could not be, in words; an update that came too late says so by where it stands."""
    if row.source == LATE_FACT:
        return "the workflow had ended"
    return _REASONS.get(row.why, row.why) or "no reason given"


@dataclass(frozen=True, slots=True)
class Group:
    """The dead letters of one source."""

    kind: Kind
    rows: tuple[DeadLetter, ...]


@router.get("/dead-letters")
def dead_letters_page(who: VisitorOf) -> Response:
    """All dead letters, by source; while the mail service is away, all but its own."""
    mails = _mails(who)
    with who.deps.database.reading() as session:
        rows = [*dead_letters.list_outstanding(session), *dead_letters.not_dismissed(session, mails or [])]
        done = dead_letters.list_actions(session)
    groups = [Group(kind, tuple(row for row in rows if row.source == kind.source)) for kind in KINDS]
    return render(
        "dead_letters.html", who, groups=groups, done=done, is_mail_away=mails is None, key=key_of, title=title, why=why,
        named=[action.done_by for action in done], headings={kind.source: kind.heading for kind in KINDS},
    )  # fmt: skip


@router.get("/dead-letters/{source}/{subject_id}")
def dead_letter_page(who: VisitorOf, source: Source, subject_id: KeyOf) -> Response:
    """One of them, with its two buttons."""
    mails = (_mails(who) or []) if source == MAIL else []
    with who.deps.database.reading() as session:
        row = find(session, mails, source, subject_id)
    kind = next(kind for kind in KINDS if kind.source == source)
    may_act = who.may("POST /dead-letters/{source}/{subject_id}/retry")
    return render("dead_letter.html", who, kind=kind, row=row, key=key_of, title=title, why=why, may_act=may_act)


def _mails(who: Visitor) -> list[DeadLetter] | None:
    """Dead mails; None while the mail service is away."""
    try:
        return dead_mails(who.deps)
    except Unreachable:
        return None


@router.post("/dead-letters/{source}/{subject_id}/retry")
def retry(form: FormOf, source: Source, subject_id: KeyOf) -> Response:
    """Try it again."""
    who, deps = form.visitor, form.visitor.deps
    if source == MAIL:
        retry_mail(deps, who.caller, subject_id)
    else:
        with deps.database.transaction() as session:
            dead_letters.retry(session, source, subject_of(subject_id), who.caller, deps.contacts, deps.clock())
    return leave(RedirectResponse("/dead-letters", 303), deps.console, "retried")


@router.post("/dead-letters/{source}/{subject_id}/dismiss")
def dismiss(form: FormOf, source: Source, subject_id: KeyOf) -> Response:
    """Take it off the list."""
    who, subject = form.visitor, subject_of(subject_id)
    mails = dead_mails(who.deps) if source == MAIL else []
    with who.deps.database.transaction() as session:
        find(session, mails, source, subject_id)
        dead_letters.dismiss(session, source, subject, form.text("reason"), who.caller, who.deps.clock())
    return leave(RedirectResponse("/dead-letters", 303), who.deps.console, "dismissed")

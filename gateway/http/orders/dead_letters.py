"""Dead letters: messages that could not be handled, tried again or dismissed for a reason."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from gateway.http.plumbing.access import CallerOf
from gateway.http.plumbing.deps import Deps, DepsOf
from gateway.http.plumbing.idempotency import OnceOf
from gateway.http.plumbing.inputs import Input, Text, example
from gateway.http.plumbing.paging import Page, PagingOf, cut, sealed
from gateway.http.plumbing.parameters import path_id
from gateway.http.plumbing.shapes import rfc3339
from oms.notifications.v1 import notifications_pb2 as notifications
from services.kernel.errors import NotFound
from services.orders.access.matrix import Caller
from services.orders.domain.dead_letters import MAIL, RETRY, SOURCES, Action, DeadLetter
from services.orders.lifecycle import dead_letters

router = APIRouter(tags=["dead letters"])

Source = Literal["message", "late_fact", "fact", "mail"]
SourceOf = Annotated[Source, Path(description="Which list it is of.")]
SubjectOf = Annotated[str, path_id("Its id in that list.")]
_LIST = "dead_letters"


class DeadLetterShape(BaseModel):
    """A message that could not be handled."""

    source: str = Field(
        description="message: its receiver refused it. late_fact: its workflow had ended. fact: it could not be read. "
        "mail: the mail server refused it."
    )
    subject_id: str = Field(description="Its id in that list.")
    what: str = Field(description="The kind of message.")
    why: str = Field(description="What was said when it failed; empty when nothing was.")
    order_number: str | None = Field(description="The order it is about; null when none is known.")
    since: str | None = Field(description="Null where nobody tells.")


class DeadLetterAction(BaseModel):
    """What was done about a dead letter."""

    source: str
    subject_id: str
    action: str = Field(description="retry or dismiss.")
    reason: str = Field(description="Why it was dismissed; empty for a retry.")
    done_by: str
    done_at: str


class DeadLetterDismissalInput(Input):
    """Why it needs nothing any more."""

    reason: Annotated[Text, Field(description="The list of what was done keeps it.")]

    model_config = example(reason="the mailbox was closed; the customer has the invoice on paper")


@router.get("/v1/dead-letters")
def list_dead_letters(
    deps: DepsOf,
    _who: CallerOf,
    paging: PagingOf,
    source: Annotated[Source | None, Query(description="Only of this list.")] = None,
) -> Page[DeadLetterShape]:
    """Messages that could not be handled, list after list, the oldest first; at most 200 of each."""
    after = paging.after(_LIST)
    found = [row for row in _outstanding(deps, source) if _position(row) > after]
    page, cursor = cut(found, paging.limit, lambda row: sealed(_LIST, _position(row)))
    return Page(rows=[_shape(row) for row in page], next_cursor=cursor)


@router.post("/v1/dead-letters/{source}/{subject_id}/retry", response_model=DeadLetterAction)
def retry_dead_letter(deps: DepsOf, who: CallerOf, once: OnceOf, source: SourceOf, subject_id: SubjectOf) -> Response:
    """Try it again: it goes back in line, and comes back here if it fails again."""
    if source == MAIL:
        return once.answer(None, lambda _request_id: _action(retry_mail(deps, who, subject_id)))

    def retry(session: Session) -> DeadLetterAction:
        now = deps.clock()
        return _action(dead_letters.retry(session, source, subject_of(subject_id), who, deps.contacts, now))

    return once.answer_here(None, retry)


@router.post("/v1/dead-letters/{source}/{subject_id}/dismiss", response_model=DeadLetterAction)
def dismiss_dead_letter(
    deps: DepsOf, who: CallerOf, once: OnceOf, source: SourceOf, subject_id: SubjectOf, body: DeadLetterDismissalInput
) -> Response:
    """Take it off the list for good: it is not tried again, and the reason is kept."""
    mails = dead_mails(deps) if source == MAIL else []

    def dismiss(session: Session) -> DeadLetterAction:
        find(session, mails, source, subject_id)
        subject, now = subject_of(subject_id), deps.clock()
        return _action(dead_letters.dismiss(session, source, subject, body.reason, who, now))

    return once.answer_here(body, dismiss)


def dead_mails(deps: Deps) -> list[DeadLetter]:
    """Dead mails as the mail service tells of them, dismissed ones too; Unreachable while it is away."""
    found = deps.notifications.ListDeliveries(notifications.ListDeliveriesRequest(state="dead", limit=200))
    return [
        DeadLetter(
            MAIL, row.delivery_id, row.kind, row.last_error, row.order_number, None,
            row.attachment.document, row.attachment.name,
        )
        for row in found.deliveries
    ]  # fmt: skip


def retry_mail(deps: Deps, who: Caller, delivery_id: str) -> Action:
    """Put a dead mail back in line, and keep who did."""
    deps.notifications.RetryDelivery(notifications.RetryDeliveryRequest(delivery_id=delivery_id))
    with deps.database.transaction() as session:
        return dead_letters.record(session, MAIL, delivery_id, RETRY, "", who, deps.clock())


def find(session: Session, mails: list[DeadLetter], source: str, key: str) -> DeadLetter:
    """The dead letter of this key; NotFound when it needs nothing any more. `mails` are those of the mail service."""
    rows = dead_letters.not_dismissed(session, mails) if source == MAIL else dead_letters.list_outstanding(session)
    row = next((row for row in rows if (row.source, key_of(row.subject_id)) == (source, key)), None)
    if row is None:
        raise NotFound("DEAD_LETTER_UNKNOWN", "this needs nothing any more: go back to the list")
    return row


def key_of(subject_id: str) -> str:
    """An id as an address takes it: ids of signals have a slash."""
    return subject_id.replace("/", ":")


def subject_of(key: str) -> str:
    """The id behind a key."""
    return key.replace(":", "/")


def _outstanding(deps: Deps, source: str | None) -> list[DeadLetter]:
    mails = dead_mails(deps) if source in (None, MAIL) else []
    with deps.database.reading() as session:
        rows = [*dead_letters.list_outstanding(session), *dead_letters.not_dismissed(session, mails)]
    return sorted((row for row in rows if source in (None, row.source)), key=_position)


def _position(row: DeadLetter) -> str:
    """Where it stands in the list."""
    since = rfc3339(row.since) if row.since else ""
    return f"{SOURCES.index(row.source)} {since} {row.subject_id}"


def _shape(row: DeadLetter) -> DeadLetterShape:
    return DeadLetterShape(
        source=row.source,
        subject_id=key_of(row.subject_id),
        what=row.what,
        why=row.why,
        order_number=row.order_number or None,
        since=rfc3339(row.since) if row.since else None,
    )


def _action(done: Action) -> DeadLetterAction:
    return DeadLetterAction(
        source=done.source,
        subject_id=key_of(done.subject_id),
        action=done.action,
        reason=done.reason,
        done_by=done.done_by,
        done_at=rfc3339(done.done_at),
    )

"""A delivery's life: when it is tried again, when it is dead, and what its headers say."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.kernel.errors import Refused
from services.notifications.domain import catalog
from services.notifications.domain.attachments import Attachment, attached_for

MAX_TRIES = 12
LEASE = timedelta(minutes=2)
"""How long a mail that one sender has claimed is off limits for the others."""
PATIENCE = LEASE / 4
"""How long a sender begins mails of a batch. It puts back the rest then: the last one may wait for its document and the mail server."""
MOST_AT_ONCE = 20
"""Maximum mails per batch. When a sender dies, these may arrive a second time under the same Message-ID."""

_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(hours=2)
_PAUSE_FOR_DOCUMENT = timedelta(seconds=15)
_PAUSE_AFTER_SILENCE = timedelta(minutes=1)

WAITING, SENDING, SENT, DEAD = "waiting", "sending", "sent", "dead"

TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    WAITING: {"begin": SENDING},
    SENDING: {"deliver": SENT, "defer": WAITING, "bury": DEAD},
    SENT: {},
    DEAD: {"revive": WAITING},
}
"""State → verb → next state; a new delivery begins as waiting, or as dead when it can never be sent."""

_MAILBOX = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Recipient:
    """A reader of a mail; `email` is lower case, because no two mailboxes differ by case alone."""

    email: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One event and who is notified of it. `fault` says why its mails can never be written; empty when they can."""

    event_id: str
    kind: str
    order_id: str
    order_number: str
    recipients: tuple[Recipient, ...]
    variables: Mapping[str, Any]
    fault: str
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One mail to one recipient."""

    delivery_id: str
    event_id: str
    kind: str
    order_id: str
    order_number: str
    recipient: Recipient
    variables: Mapping[str, Any]
    subject: str
    state: str
    attempts: int
    last_error: str
    position: int = 0
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mail that may leave now: its position in the queue and its earlier tries."""

    position: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The outcome of a try: the next state, when it was sent or will be retried, the error to show, and whether the try counts."""

    state: str
    last_error: str = ""
    sent_at: datetime | None = None
    retry_at: datetime | None = None
    is_tried: bool = True


def next_state(state: str, verb: str) -> str:
    """The state that `verb` leads to from `state`; a verb that the state does not allow is refused."""
    try:
        return TRANSITIONS[state][verb]
    except KeyError:
        raise Refused("DELIVERY_STATE", f"a {shown_state(state)} mail cannot {verb}") from None


def shown_state(state: str) -> str:
    """The state that callers see: a mail being sent is still waiting."""
    return WAITING if state == SENDING else state


def new_delivery(notice: Notice, recipient: Recipient, delivery_id: str) -> Delivery:
    """The delivery of a notice to one of its recipients: dead from the start when it can never be sent."""
    fault = notice.fault or address_fault(recipient.email)
    return Delivery(
        delivery_id=delivery_id,
        event_id=notice.event_id,
        kind=notice.kind,
        order_id=notice.order_id,
        order_number=notice.order_number,
        recipient=recipient,
        variables=notice.variables,
        subject=subject(notice, recipient.role),
        state=DEAD if fault else WAITING,
        attempts=0,
        last_error=fault,
        attachment=attached_for(recipient.role, notice.attachment),
    )


def subject(notice: Notice, role: str) -> str:
    """The subject line, one line whatever the variables hold; it always names the order."""
    template = catalog.subject_template(notice.kind, role, notice.variables)
    named = {
        "invoice": "invoice_number",
        "credit_note": "credit_note_number",
        "document": "document",
        "case": "case_number",
        "sku": "sku",
        "rma": "return_number",
    }
    shown = {short: notice.variables.get(name) or "" for short, name in named.items()}
    return one_line(template.format(number=notice.order_number, **shown)).replace("  ", " ")


def one_line(text: str) -> str:
    """The text without control characters and line ends: nothing in it can start another header or reverse the reading order."""
    return _CONTROL.sub(" ", text).strip()


def address_fault(email: str) -> str:
    """Why no mail can go to this address; empty when it looks deliverable."""
    if len(email) <= 254 and _MAILBOX.fullmatch(email):
        return ""
    return "the mail address is not one that mail can be sent to: correct it at the customer or the warehouse"


def message_id(delivery_id: str, mail_domain: str) -> str:
    """The Message-ID of a delivery: the same for each try, so that a mailbox recognizes a mail that came twice."""
    return f"<{delivery_id}@{mail_domain}>"


def pause_after(attempts: int) -> timedelta:
    """How long to wait after the try number `attempts`: 2 s, then three times as long each, at most 2 hours."""
    return min(_FIRST_PAUSE * int(3 ** min(max(attempts, 1) - 1, 12)), _LONGEST_PAUSE)


def together(candidates: Sequence[Candidate]) -> list[int]:
    """The positions that are sent in one batch with the first; a mail that was tried before goes alone.

    Otherwise a mail that kills its sender would use up the tries of the others in its batch.
    """
    if candidates and candidates[0].attempts:
        return [candidates[0].position]
    return [each.position for each in itertools.takewhile(lambda each: not each.attempts, candidates)]


def put_back() -> Aftermath:
    """The outcome for a claimed mail that was not tried: it waits as before."""
    return Aftermath(next_state(SENDING, "defer"), is_tried=False)


def put_off(why: str, now: datetime, *, is_unanswered: bool = False) -> Aftermath:
    """The outcome for a mail whose document cannot be made yet: it waits, and the try does not count.

    One whose own document got no answer waits longer, so that another is asked for first: it may be what billing dies of.
    """
    pause = _PAUSE_AFTER_SILENCE if is_unanswered else _PAUSE_FOR_DOCUMENT
    return Aftermath(next_state(SENDING, "defer"), one_line(why)[:400], retry_at=now + pause, is_tried=False)


def after_success(now: datetime, missing: str = "") -> Aftermath:
    """The outcome for a mail that the server accepted; `missing` says why its document did not go with it."""
    return Aftermath(next_state(SENDING, "deliver"), one_line(missing)[:400], sent_at=now)


def after_failure(attempts: int, error: str, *, is_permanent: bool, now: datetime) -> Aftermath:
    """The outcome for a mail whose try number `attempts` failed: retried later, or dead."""
    shown = one_line(error)[:400]
    if is_permanent:
        return Aftermath(next_state(SENDING, "bury"), shown)
    if attempts >= MAX_TRIES:
        return Aftermath(next_state(SENDING, "bury"), f"{shown} (given up after {attempts} tries)")
    return Aftermath(next_state(SENDING, "defer"), shown, retry_at=now + pause_after(attempts))


def check_verdict(order_number: str, verdict: str, kind: str) -> None:
    """Refuse a verdict that contradicts the recorded one, `verdict`; that is empty when there is none."""
    if verdict and verdict != kind:
        raise Refused(
            "VERDICT_CONTRADICTED",
            f"the verdict on {order_number} was already sent ({verdict}): an order is accepted or rejected, never both",
            verdict=verdict,
        )


def check_revival(delivery: Delivery, *, is_acceptance_sent: bool) -> None:
    """Refuse to revive a mail that is not dead, one that was dead from the start, or a "received" that would come after the "accepted"."""
    if delivery.state != DEAD:
        raise Refused(
            "DELIVERY_NOT_DEAD", f"this mail is {shown_state(delivery.state)}: only a dead one is put back in line"
        )
    if delivery.attempts == 0:
        raise Refused(
            "DELIVERY_UNSENDABLE", f"this mail can never be sent, a new one has to be asked for: {delivery.last_error}"
        )
    if delivery.kind == "order_received" and is_acceptance_sent:
        raise Refused(
            "DELIVERY_OVERTAKEN",
            f"{delivery.recipient.role} already has the acceptance of {delivery.order_number}: a late confirmation of receipt "
            "would confuse; leave it dead",
        )

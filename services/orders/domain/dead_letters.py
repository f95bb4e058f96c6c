"""Dead letters: messages and facts that could not be handled, and what people did about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MESSAGE, LATE_FACT, FACT, MAIL = "message", "late_fact", "fact", "mail"
SOURCES = (MESSAGE, LATE_FACT, FACT, MAIL)
RETRY, DISMISS = "retry", "dismiss"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be handled; `what` is its kind, `why` what was said when it did, `order_number` empty without an order, `since` None where nobody says.

    `document` and `attachment` are the kind and the file name of the document that goes with a mail; empty without one.
    """

    source: str
    subject_id: str
    what: str
    why: str
    order_number: str
    since: datetime | None
    document: str = ""
    attachment: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What a person did about it: tried again, or dismissed it for a reason."""

    action_id: str
    source: str
    subject_id: str
    action: str
    reason: str
    done_by: str
    done_role: str
    done_at: datetime

"""What crosses the boundary of a return's workflow: ids, numbers and words.

Annotations are types here, not text: the SDK reads them for every message that comes in, and text it would compile each time.
"""

from dataclasses import dataclass, field

WAIT, OVER = "wait", "over"
ANNOUNCE, CREDIT, CLOSE = "announce", "credit", "close"
NET, SETTLE = "net", "settle"
"""What comes next for a return, as the orders service says it."""


@dataclass(frozen=True, slots=True)
class ReturnRef:
    """Starts the life of a return."""

    return_id: str
    number: str
    order_number: str
    units: int


@dataclass(frozen=True, slots=True)
class ReturnNote:
    """Something has happened to a return; what it is stands in the orders database."""

    fact_id: str = ""


@dataclass(frozen=True, slots=True)
class ReturnStep:
    """A step of a return: of an inspection where one is named. A deadline that has passed is told, and what halted it."""

    request_id: str
    return_id: str
    inspection_id: str = ""
    passed_micros: int = 0
    halted: str = ""


@dataclass(frozen=True, slots=True)
class LostReturns:
    """Open returns that have no running workflow; `is_all` of them, or the first.

    Every return that was requested before `searched_micros` was looked at after it.
    """

    return_ids: list[str] = field(default_factory=list)
    is_all: bool = True
    searched_micros: int = 0


@dataclass(frozen=True, slots=True)
class Following:
    """What comes next for a return, until when it waits, and its state; `what` was done, for the reader of the history."""

    next: str
    inspection_id: str = ""
    deadline_micros: int = 0
    state: str = ""
    what: list[str] = field(default_factory=list)

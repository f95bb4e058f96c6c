"""What several people at once did to one parked order, and what it may come to: one of the actions, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

APPROVED, REJECTED, EXPIRED, CANCELLED = "approved", "rejected", "expired", "cancelled"
STATUS = {APPROVED: "in_fulfilment", REJECTED: "rejected", EXPIRED: "expired", CANCELLED: "cancelled"}
_EVENTS = {
    APPROVED: "step_approved",
    REJECTED: "step_rejected",
    EXPIRED: "review_expired",
    CANCELLED: "order_cancelled",
}
_MAILS = {REJECTED: "order_rejected", EXPIRED: "order_expired", CANCELLED: "order_cancelled"}


@dataclass(frozen=True, slots=True)
class Ended:
    """One order after the race: the actions that were answered as done, its status, decisions, events and mails by name."""

    done: frozenset[str]
    status: str
    decisions: tuple[str, ...]
    events: tuple[str, ...]
    mails: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """Which action it came to; a cancellation may follow an approval."""
        if self.done == {APPROVED, CANCELLED}:
            return "approved, then cancelled"
        return " and ".join(sorted(self.done))


def contradictions(ended: Ended) -> list[str]:
    """What does not fit together; empty for one outcome."""
    return [*_among_answers(ended.done), *_with_the_status(ended), *_in_the_records(ended)]


def _among_answers(done: frozenset[str]) -> Iterator[str]:
    if len(done - {CANCELLED}) > 1 or (CANCELLED in done and done & {REJECTED, EXPIRED}):
        yield f"answered as done: {', '.join(sorted(done))}"
    if not done:
        yield "nobody was answered that anything is done"


def _with_the_status(ended: Ended) -> Iterator[str]:
    last = CANCELLED if CANCELLED in ended.done else next(iter(ended.done), "")
    if ended.status != STATUS.get(last):
        yield f"answered as {last or 'not done'}, but the order is {ended.status}"


def _in_the_records(ended: Ended) -> Iterator[str]:
    decided = tuple(sorted(action for action in ended.done if action in (APPROVED, REJECTED)))
    if ended.decisions != decided:
        yield f"decisions kept: {ended.decisions}, answered as done: {decided}"
    for action, event in _EVENTS.items():
        if ended.events.count(event) != (action in ended.done):
            yield f"{event} is in the log {ended.events.count(event)} times"
    for action, mail in _MAILS.items():
        if ended.mails.count(mail) != (action in ended.done):
            yield f"{mail} was sent {ended.mails.count(mail)} times"
    accepted = ended.mails.count("order_accepted")
    if accepted != ended.events.count("order_accepted") or accepted > (APPROVED in ended.done):
        yield f"order_accepted was sent {accepted} times"
    if APPROVED in ended.done and CANCELLED not in ended.done and not accepted:
        yield "the acceptance was never told"

"""Drafts of invoices: what somebody prepares by hand, another one may have to approve, and posting makes an invoice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.billing.domain.corrections import needs_second_person
from services.kernel.errors import Refused
from services.kernel.money import Money

DRAFT, APPROVED, POSTED, DISCARDED = "draft", "approved", "posted", "discarded"
STATES = (DRAFT, APPROVED, POSTED, DISCARDED)

TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    DRAFT: {"approve": APPROVED, "discard": DISCARDED},
    APPROVED: {"post": POSTED, "discard": DISCARDED},
    POSTED: {},
    DISCARDED: {},
}
"""State → verb → state."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that is prepared. It has no number, and holds its shipments while it is open. `amount` is what they come to."""

    draft_id: str
    order_id: str
    order_number: str
    customer_id: str
    shipment_ids: tuple[str, ...]
    amount: Money
    made_by: str
    made_at: datetime
    state: str = DRAFT
    approved_by: str = ""
    approved_at: datetime | None = None
    ended_by: str = ""
    ended_at: datetime | None = None
    invoice_id: str = ""


def move(draft: Draft, verb: str) -> str:
    """The state after the verb; Refused DRAFT_ENDED or DRAFT_NOT_APPROVED where it cannot be."""
    after = TRANSITIONS[draft.state].get(verb)
    if after is not None:
        return after
    if draft.state == DRAFT:
        raise Refused("DRAFT_NOT_APPROVED", f"draft {draft.draft_id} is not approved: have it approved first")
    if draft.state == APPROVED:
        raise Refused("DRAFT_APPROVED", f"draft {draft.draft_id} is approved already: post or discard it")
    raise Refused("DRAFT_ENDED", f"draft {draft.draft_id} is {draft.state} already: make another one")


def check_approver(draft: Draft, who: str, limits: Mapping[str, Money]) -> None:
    """Refuse who made a draft beyond the limit of its currency: another one approves it."""
    if who == draft.made_by and needs_second_person(draft.amount, limits):
        raise Refused(
            "SECOND_PERSON_NEEDED",
            f"draft {draft.draft_id} of {draft.amount} is beyond what one person invoices by hand: have somebody else approve it",
        )


def check_alone(amount: Money, limits: Mapping[str, Money]) -> None:
    """Refuse to invoice by hand at once what is beyond the limit of its currency."""
    if needs_second_person(amount, limits):
        raise Refused(
            "SECOND_PERSON_NEEDED",
            f"{amount} is beyond what one person invoices by hand: make a draft and have somebody else approve it",
        )

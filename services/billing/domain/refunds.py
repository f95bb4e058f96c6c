"""Refunds that are owed to a card because an order needs the money no more: a liability until the provider has paid it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel.errors import Refused
from services.kernel.money import Money

OPEN, PAID, PAID_OTHERWISE = "open", "paid", "paid_otherwise"
STATES = (OPEN, PAID, PAID_OTHERWISE)
MOST_TRIES = 5
"""How often the provider may refuse until somebody must look; it is asked no more by itself then."""
SILENT_TRIES = 10
"""How often the provider may leave one try unanswered until somebody must look; it is asked on."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OwedRefund:
    """An amount of a payment by card that goes back there; owed since `owed_at`, until `settled_at`.

    `operation_id` is the newest of `asked_count` operations by which the provider was asked; `failed_count` of them were refused or
    came back, the last one for `reason`. `is_escalated` once accounting was told. It is paid otherwise under a `reference`, by
    `settled_by`; over the limit for one person `proposed_by` has asked for that and another one confirms it.
    """

    refund_id: str
    order_id: str
    customer_id: str
    payment_id: str
    amount: Money
    state: str
    operation_id: str
    owed_at: datetime
    asked_count: int = 1
    failed_count: int = 0
    reason: str = ""
    is_escalated: bool = False
    proposed_by: str = ""
    reference: str = ""
    settled_at: datetime | None = None
    settled_by: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is still owed."""
        return self.state == OPEN

    def asks(self, count: int) -> str:
        """The operation that asks for it for the `count`th time: the provider's key, so that one is done once."""
        return f"refund/{self.refund_id}/{count}"


def is_tried_again(failed_count: int) -> bool:
    """Whether the provider is asked again by itself after so many refusals."""
    return failed_count < MOST_TRIES


def pause(failed_count: int) -> timedelta:
    """How long to wait after so many refusals: a minute at first, doubled each time, an hour at most."""
    return min(_FIRST_PAUSE * (1 << min(failed_count - 1, 10)), _LONGEST_PAUSE)


def check_open(owed: OwedRefund) -> None:
    """Refused REFUND_SETTLED for one that is paid."""
    if not owed.is_open:
        words = owed.state.replace("_", " ")
        raise Refused("REFUND_SETTLED", f"the refund is {words} already: reload it", state=owed.state)


def check_answered(*, is_asked: bool) -> None:
    """Refused REFUND_UNDER_WAY while nobody knows whether the provider has paid: otherwise it might be paid twice."""
    if is_asked:
        raise Refused(
            "REFUND_UNDER_WAY",
            "the payment provider has not answered: nobody knows whether it has paid. It is asked until it says; then pay otherwise",
        )


def check_confirmed(owed: OwedRefund, who: str, reference: str) -> None:
    """Refused SECOND_PERSON_NEEDED for whoever asked for it, REFERENCE_DIFFERS for another reference than was asked for."""
    if owed.proposed_by == who:
        raise Refused("SECOND_PERSON_NEEDED", "it is over the limit: another one in accounting confirms it")
    if owed.reference != reference:
        raise Refused(
            "REFERENCE_DIFFERS", f"it was asked for under reference {owed.reference!r}: confirm that, or retry the card"
        )

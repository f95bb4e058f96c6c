"""Cards of orders: one that was given takes the place of the one before once it is known to be good."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from services.kernel.errors import InvalidArgument, Refused
from services.orders.domain.order import CARD, PREPAID_CHANNELS, PlaceOrder

ASKED, DECLINED = "asked", "declined"
"""What billing answers of a card while nobody knows, and of one that is not good."""
_CARD_TOKEN = re.compile(r"pm_[A-Za-z0-9_]{1,200}")


@dataclass(frozen=True, slots=True)
class GivenCard:
    """A card that was given for an order: under which request, and its token, which no log shows."""

    request_id: str
    token: str = field(repr=False)


def check_card_token(token: str) -> None:
    """InvalidArgument unless it is a token of the payment provider: a card's number is never taken."""
    if not _CARD_TOKEN.fullmatch(token):
        raise InvalidArgument("CARD_TOKEN_UNKNOWN", "send the payment provider's token of the card, such as pm_…")


def check_card(command: PlaceOrder, *, takes_cards: bool) -> None:
    """Refused CARDS_NOT_TAKEN for an order by card where there is no payment provider; a token goes with a card alone.

    The card of an order that its channel was paid for is none of ours to charge: InvalidArgument CARD_TOKEN_UNUSED.
    """
    is_charged = command.payment_method == CARD and command.channel not in PREPAID_CHANNELS
    if command.card_token:
        check_card_token(command.card_token)
        if not is_charged:
            raise InvalidArgument(
                "CARD_TOKEN_UNUSED",
                "leave the card's token out: only an order by card that no channel was paid for has one",
            )
    if is_charged and not takes_cards:
        raise Refused("CARDS_NOT_TAKEN", "no card is taken here: order on terms, prepaid or with a deposit")

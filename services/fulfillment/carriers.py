"""The port to carriers: asked to stop a parcel on its way. Without an interface to them a person asks, and says what they answered."""

from __future__ import annotations

from typing import Protocol

from services.fulfillment.domain.interception import INTERCEPTED, REFUSED, TOO_LATE


class CarrierAway(Exception):
    """The carrier does not answer: nobody knows whether it has stopped the parcel."""


class Carriers(Protocol):
    """What carriers are asked."""

    def intercept(self, key: str, carrier: str, tracking_number: str) -> str:
        """Have a parcel stopped, once under its key: intercepted, refused or too_late. Raises CarrierAway."""
        ...


class SandboxCarriers:
    """Carriers of a system that ships nothing: they stop every parcel, but for those whose name says how they answer."""

    _ANSWERS = (("-refuses", REFUSED), ("-late", TOO_LATE))

    def intercept(self, key: str, carrier: str, tracking_number: str) -> str:  # noqa: ARG002 - the name decides
        """As the carrier's name says."""
        if carrier.endswith("-away"):
            raise CarrierAway(f"{carrier} does not answer")
        return next((answer for ending, answer in self._ANSWERS if carrier.endswith(ending)), INTERCEPTED)

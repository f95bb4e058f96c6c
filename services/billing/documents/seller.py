"""The selling company as its documents name it."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.kernel.formats import Formats


@dataclass(frozen=True, slots=True)
class Seller:
    """The selling company; its country (ISO 3166) decides the paper and is named on no address.

    City and postal code are also lines of its address, for people; alone they are for programs, as its electronic address is, which
    has the form scheme:identifier.
    """

    name: str = "Order desk"
    address: tuple[str, ...] = ()
    country: str = "US"
    tax_id: str = ""
    bank: tuple[str, ...] = ()
    formats: Formats = field(default_factory=Formats)
    city: str = ""
    postal_code: str = ""
    electronic_address: str = ""

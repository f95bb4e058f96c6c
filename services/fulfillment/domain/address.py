"""Where a shipment goes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as printed on the label; `region` may be empty, `country` is ISO 3166-1 alpha-2."""

    name: str
    street: str
    city: str
    region: str
    postal_code: str
    country: str

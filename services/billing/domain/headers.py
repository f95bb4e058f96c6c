"""What the paper of an invoice says of its order beside amounts, kept as it was when the invoice was posted."""

from dataclasses import dataclass, field, fields
from datetime import date


@dataclass(frozen=True, slots=True)
class Address:
    """Where goods or documents go, all in one line each; every part may be empty, the country is ISO 3166."""

    name: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


ADDRESS_PARTS = tuple(part.name for part in fields(Address))


@dataclass(frozen=True, slots=True)
class Header:
    """An invoice's header. All of it is empty on an invoice of before it was kept.

    `tax_rate` is a decimal fraction such as "0.0825"; `ordered_on` is the company's day, `tax_on` the day whose rates it has.
    """

    po_number: str = ""
    bill_to_name: str = ""
    ship_to: Address = field(default_factory=Address)
    ordered_on: date | None = None
    payment_method: str = ""
    tax_rate: str = ""
    tax_on: date | None = None
    tax_exemption: str = ""
    customer_tax_id: str = ""
    billing_address: Address = field(default_factory=Address)

    @property
    def buyer_address(self) -> Address:
        """Where who is billed is: its billing address, else where the goods go."""
        return self.billing_address if self.billing_address.country else self.ship_to

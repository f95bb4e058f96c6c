"""What billing is told from outside."""

from typing import Annotated

from pydantic import AfterValidator, SecretStr, StringConstraints

from services.billing.documents.seller import Seller
from services.billing.domain.corrections import parse_limits
from services.kernel.errors import InvalidArgument
from services.kernel.text import split_lines
from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


def limits_text(given: str) -> str:
    """Limits that can be read; ValueError with what is wrong for all others."""
    try:
        parse_limits(given)
    except InvalidArgument as unreadable:
        raise ValueError(f"write it as 10000.00 USD, 9000.00 EUR: {unreadable.message}") from unreadable
    return given


class Settings(ServiceSettings):
    """Billing's settings: where its database is and where it listens by default."""

    database_url: DatabaseUrl = "sqlite:///var/billing.db"
    listen: Address = "127.0.0.1:7304"
    # "10000.00 USD, 9000.00 EUR": payments over it are reversed, reapplied and refunded by two people. Empty asks nobody.
    second_person_over: Annotated[str, AfterValidator(limits_text)] = ""
    # Where customers send goods back, lines separated by "|"; the warehouse that they left from when it is empty.
    return_address: str = ""
    # Without a key no order is taken by card.
    stripe_key: SecretStr = SecretStr("")
    stripe_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+$")] = "https://api.stripe.com"

    @property
    def seller(self) -> Seller:
        """The company as its invoices name it."""
        return Seller(
            self.company_name,
            split_lines(self.company_address),
            self.company_country,
            self.company_tax_id,
            split_lines(self.company_bank),
            self.formats,
            self.company_city,
            self.company_postal_code,
            self.company_electronic_address,
        )

"""What billing is told from outside."""

from typing import Annotated

from pydantic import SecretStr, StringConstraints

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """Billing's settings: where its database is and where it listens by default."""

    database_url: DatabaseUrl = "sqlite:///var/billing.db"
    listen: Address = "127.0.0.1:7304"
    # Without a key no order is taken by card.
    stripe_key: SecretStr = SecretStr("")
    stripe_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+$")] = "https://api.stripe.com"

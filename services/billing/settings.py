"""What billing is told from outside."""

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """Billing's settings: where its database is and where it listens by default."""

    database_url: DatabaseUrl = "sqlite:///var/billing.db"
    listen: Address = "127.0.0.1:7304"

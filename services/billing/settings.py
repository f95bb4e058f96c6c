"""What billing is told from outside."""

from services.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Billing's settings: where its database is and where it listens by default."""

    database_url: str = "sqlite:///var/billing.db"
    listen: str = "127.0.0.1:7304"

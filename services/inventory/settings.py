"""What the inventory process is told from outside."""

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """Settings of inventory."""

    database_url: DatabaseUrl = "sqlite:///var/inventory.db"
    listen: Address = "127.0.0.1:7302"

"""What the fulfillment process is told from outside."""

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """The shared settings with fulfillment's own database and port."""

    database_url: DatabaseUrl = "sqlite:///var/fulfillment.db"
    listen: Address = "127.0.0.1:7303"

"""What the fulfillment process is told from outside."""

from services.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """The shared settings with fulfillment's own database and port."""

    database_url: str = "sqlite:///var/fulfillment.db"
    listen: str = "127.0.0.1:7303"

"""What the fulfillment process is told from outside."""

from typing import Literal

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """The shared settings with fulfillment's own database and port."""

    database_url: DatabaseUrl = "sqlite:///var/fulfillment.db"
    listen: Address = "127.0.0.1:7303"
    carriers: Literal["", "sandbox"] = ""
    """Who is asked to stop a parcel on its way: sandbox answers for every carrier; empty for a person who asks it."""

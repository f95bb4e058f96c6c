"""What the notifications process is told from outside: the shared settings and the way out to the mail server."""

from __future__ import annotations

import socket

from pydantic import SecretStr

from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class NotificationsSettings(ServiceSettings):
    """Settings of the notifications service; the defaults talk to the embedded mail sink."""

    database_url: DatabaseUrl = "sqlite:///var/notifications.db"
    listen: Address = "127.0.0.1:7305"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 7325
    smtp_starttls: bool = False
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_timeout_s: float = 10.0
    mail_from: str = "orders@oms.example"
    mail_from_name: str = "Order desk"
    # A sender that starts again under its name takes up at once what it had begun; other senders wait for the lease.
    sender_name: str = socket.gethostname()

    @property
    def mail_domain(self) -> str:
        """The domain of our own address: Message-IDs end with it."""
        return self.mail_from.rpartition("@")[2]

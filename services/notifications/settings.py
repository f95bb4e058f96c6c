"""Settings of the notifications process: the shared ones, the mail server and the company."""

from __future__ import annotations

import socket

from pydantic import SecretStr

from services.kernel.text import split_lines
from services.notifications.domain import Company
from services.runtime.settings import Address, DatabaseUrl, ServiceSettings


class NotificationsSettings(ServiceSettings):
    """Settings of the notifications service; the defaults talk to the embedded mail sink."""

    database_url: DatabaseUrl = "sqlite:///var/notifications.db"
    listen: Address = "127.0.0.1:7305"
    # Where customers send goods back, lines separated by "|"; what the return label says when it is empty.
    return_address: str = ""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 7325
    smtp_starttls: bool = False
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_timeout_s: float = 10.0
    mail_from: str = "orders@oms.example"
    # What stands as the sender of a mail; the company's name when it is empty.
    mail_from_name: str = ""
    # A sender that restarts under its name resumes its own mails at once; other senders wait until the lease ends.
    sender_name: str = socket.gethostname()

    @property
    def sender_display_name(self) -> str:
        """The display name of the From header."""
        return self.mail_from_name or self.company_name

    @property
    def company(self) -> Company:
        """The company as it signs its mails."""
        address = split_lines(self.company_address)
        returns_to = split_lines(self.return_address)
        return Company(self.company_name, address, split_lines(self.company_signature), returns_to)

    @property
    def mail_domain(self) -> str:
        """The domain of our own address; Message-IDs end with it."""
        return self.mail_from.rpartition("@")[2]

"""Runs notifications: settings, database, servicer, and the sender beside it."""

from __future__ import annotations

from pathlib import Path

from oms.notifications.v1 import notifications_pb2_grpc as rpc
from services.notifications import store
from services.notifications.models import Table
from services.notifications.sender import Sender
from services.notifications.servicer import NotificationsServicer
from services.notifications.settings import NotificationsSettings
from services.notifications.writer import MailWriter
from services.runtime.db import Database
from services.runtime.process import ServiceProcess, run


def assemble(settings: NotificationsSettings) -> ServiceProcess:
    """The notifications service of these settings, not yet started."""
    database = Database(settings.database_url, Table.metadata, Path(__file__).parent / "migrations")
    writer = MailWriter(settings)
    servicer = NotificationsServicer(database, writer)
    sender = Sender(database, settings, writer)
    return ServiceProcess(
        "notifications",
        settings,
        database,
        register=lambda server: rpc.add_NotificationsServiceServicer_to_server(servicer, server),
        service="oms.notifications.v1.NotificationsService",
        background=[sender],
        backlog=store.backlog,
    )


if __name__ == "__main__":
    run("notifications", NotificationsSettings, assemble)

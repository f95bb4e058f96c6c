"""Runs notifications: settings, database, servicer, and the sender beside it."""

from __future__ import annotations

from pathlib import Path

from oms.billing.v1 import billing_pb2_grpc
from oms.notifications.v1 import notifications_pb2_grpc as rpc
from services.notifications import store
from services.notifications.documents import Documents
from services.notifications.models import Table
from services.notifications.sender import Sender
from services.notifications.servicer import NotificationsServicer
from services.notifications.settings import NotificationsSettings
from services.notifications.writer import MailWriter
from services.runtime.auth import machine_token
from services.runtime.db import Database
from services.runtime.grpc_client import connect
from services.runtime.process import ServiceProcess, run


def assemble(settings: NotificationsSettings) -> ServiceProcess:
    """The notifications service of these settings, not yet started."""
    database = Database(settings.database_url, Table.metadata, Path(__file__).parent / "migrations")
    writer = MailWriter(settings)
    servicer = NotificationsServicer(database, writer)
    billing = billing_pb2_grpc.BillingServiceStub(
        connect(settings.billing_target, machine_token(settings, "notifications"))
    )
    sender = Sender(database, settings, writer, Documents(billing))
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

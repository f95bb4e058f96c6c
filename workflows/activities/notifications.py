"""Steps that ask the notifications service."""

from __future__ import annotations

from temporalio import activity

from oms.notifications.v1 import notifications_pb2 as pb
from workflows.activities.calls import Services
from workflows.messages import AuditCount, Done


class NotificationsActivities:
    """The notifications service as the workflows know it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="notifications.Audit")
    async def audit(self, _ask: Done) -> AuditCount:
        """Broken invariants of the notifications service."""
        response = await self._services.notifications.Audit(pb.AuditRequest())
        return AuditCount({row.name: row.violations for row in response.invariants if row.violations})

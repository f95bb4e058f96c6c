"""The part of InventoryService that tries another sourcing policy on plans of the past."""

import time
from datetime import datetime

import grpc

from oms.inventory.v1 import inventory_pb2 as pb
from oms.inventory.v1.inventory_pb2_grpc import InventoryServiceServicer
from services.inventory import sourcing_wire, wire
from services.inventory.domain.replaying import replay
from services.inventory.store import sourcing as store
from services.kernel.clock import from_micros, given_instant, micros
from services.kernel.errors import InvalidArgument
from services.runtime.db import Database

Context = grpc.ServicerContext | None
WORK_S = 2.0
"""A page ends once it has taken so long, with at least one plan: others wait for this process, too."""
_DIGITS = 18


class ReplayServicer(InventoryServiceServicer):
    """Plans of the past under another policy."""

    _database: Database

    def ReplaySourcing(self, request: pb.ReplaySourcingRequest, context: Context) -> pb.ReplaySourcingResponse:
        """Make plans again, and store nothing."""
        tried, most = sourcing_wire.policy(request.policy), wire.limit(request.limit)
        after, until = _place(request), given_instant(request.until_micros, "until_micros")
        with self._database.reading() as session:
            found = store.plans_between(session, after, until, most + 1)
        answer, ends_at = pb.ReplaySourcingResponse(), time.monotonic() + WORK_S
        for count, (plan_id, order_id, at, given) in enumerate(found, start=1):
            if given is None:
                answer.not_kept_count += 1
            else:
                made = replay(plan_id, order_id, at, sourcing_wire.given_of(given), tried)
                answer.plans.append(sourcing_wire.replayed_message(made))
            if count < len(found) and (count == most or time.monotonic() > ends_at):
                answer.next_cursor = f"{micros(at)}.{plan_id}"
                break
        return answer


def _place(request: pb.ReplaySourcingRequest) -> tuple[datetime, str]:
    """Behind which plan the page begins."""
    if not request.cursor:
        return given_instant(request.since_micros, "since_micros"), ""
    at, _, plan_id = request.cursor.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < _DIGITS and plan_id):
        raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
    return from_micros(int(at)), wire.identity(plan_id, "cursor")

"""A process of the system with kill points: `python -m tests.faults.armed MODULE` is `python -m MODULE` that can be shot.

Production code has no hook. Here its seams are wrapped from outside, in a process of its own: transactions, RPCs, HTTP
requests, the relay, the mail sender, and the steps of the worker. Points are named <process>.<action>.<moment>.
"""

from __future__ import annotations

import os
import runpy
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlmodel import Session

from services.runtime import grpc_server, relay
from services.runtime.db import Database
from services.runtime.outbox import OutboxRow
from services.runtime.relay import Relay, Route
from tests.faults.points import FOLDER_VARIABLE, PLANTED_VARIABLE, Armoury


@dataclass(slots=True)
class Action:
    """What the process is about, under each of its names, and how often it has committed for it."""

    names: tuple[str, ...]
    commits: int = 0

    def at(self, moment: str, reached: Callable[[str], None]) -> None:
        """The action has come to this moment."""
        for name in self.names:
            reached(f"{name}.{moment}")


_action: ContextVar[Action | None] = ContextVar("action", default=None)


def arm_transactions(reached: Callable[[str], None]) -> None:
    """Points before and after each commit of an RPC or a request: "….before_commit", the next "….before_commit_2"."""
    original = Database.transaction

    @contextmanager
    def transaction(self: Database) -> Iterator[Session]:
        action, nth = _action.get(), ""
        with original(self) as session:
            yield session
            if action is not None:
                session.flush()
                action.commits += 1
                nth = f"_{action.commits}" if action.commits > 1 else ""
                action.at(f"before_commit{nth}", reached)
        if action is not None:
            action.at(f"after_commit{nth}", reached)

    Database.transaction = transaction  # type: ignore[method-assign]  # a seam wrapped from outside


def arm_rpcs(process: str, reached: Callable[[str], None]) -> None:
    """A point after the commit of each RPC, before its reply leaves."""
    original = grpc_server._run

    def run(act: Callable[[Any, Any], Any], method: str, request: Any, context: Any) -> Any:
        name = f"{process}.{method.rpartition('/')[2]}"
        action = Action(tuple(f"{name}{subject}" for subject in _subjects(request)))
        token = _action.set(action)
        try:
            answer = original(act, method, request, context)
        finally:
            _action.reset(token)
        action.at("before_reply", reached)
        return answer

    grpc_server._run = run


def _subjects(request: Any) -> tuple[str, ...]:
    """What tells calls of one method apart: the milestone recorded, what was done for a return, the facts told, the mails asked for, and a
    capture of all that an order has open.
    """
    fields = {field.name for field in request.DESCRIPTOR.fields}
    if {"shipment_id", "card_token"} <= fields and not request.shipment_id:
        return ("/open",)
    if "done" in fields:
        return (f"/{request.done or ('passed' if request.passed_micros else 'next')}",)
    if "milestone" in fields:
        return (f"/{request.milestone}",)
    if "facts" in fields:
        return tuple(sorted({f"/{fact.WhichOneof('detail')}" for fact in request.facts}))
    if "notices" in fields:
        return tuple(sorted({f"/{notice.kind}" for notice in request.notices}))
    return ("",)


def arm_relay(process: str, reached: Callable[[str], None], *, marks_first: bool) -> None:
    """Points before and after a delivery, the latter before it is marked as sent. `marks_first` plants the classic bug."""

    def armed(route: Route) -> Route:
        def deliver(rows: Sequence[OutboxRow]) -> Iterable[str]:
            for row in rows:
                reached(f"{process}.relay/{_subject_of(row)}.before_delivery")
            delivered = list(route.deliver(rows))
            for row in rows:
                reached(f"{process}.relay/{_subject_of(row)}.after_delivery")
            return delivered

        return replace(route, deliver=deliver)

    class ArmedRelay(Relay):
        """The relay with armed routes."""

        def __init__(self, database: Database, routes: Sequence[Route], *others: Any) -> None:
            super().__init__(database, [armed(route) for route in routes], *others)

        def send_batch(self, route: Route) -> bool:
            """Send one batch; with the planted bug it is marked as sent before it goes out."""
            return super().send_batch(_marked_first(self, route) if marks_first else route)

    relay.Relay = ArmedRelay  # type: ignore[misc,assignment]  # a seam wrapped from outside


def _marked_first(sender: Relay, route: Route) -> Route:
    def deliver(rows: Sequence[OutboxRow]) -> Iterable[str]:
        sender._settle([row.fact_id for row in rows])
        return route.deliver(rows)

    return replace(route, deliver=deliver)


def _subject_of(row: OutboxRow) -> str:
    return str(row.detail.get("signal") or row.detail.get("mail") or row.kind)


def arm_http(reached: Callable[[str], None]) -> None:
    """Points around the public API's requests: its commits, and before a reply."""
    from gateway import app as api

    original = api.create_app

    def create_app(*arguments: Any, **options: Any) -> Any:
        app = original(*arguments, **options)
        app.add_middleware(_ArmedHttp, reached=reached)
        return app

    api.create_app = create_app


class _ArmedHttp:
    def __init__(self, app: Any, reached: Callable[[str], None]) -> None:
        self._app = app
        self._reached = reached

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        name = f"orders.POST {scope['path'].rpartition('/')[2]}"

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                self._reached(f"{name}.before_reply")
            await send(message)

        _action.set(Action((name,)))
        await self._app(scope, receive, answer)


def arm_sender(reached: Callable[[str], None]) -> None:
    """A point after the mail server has taken a mail, before that is noted."""
    from services.notifications.sender import Sender

    original = Sender._try

    def attempt(self: Sender, delivery: Any) -> Any:
        outcome = original(self, delivery)
        reached(f"notifications.mail/{delivery.kind}.after_handover")
        return outcome

    Sender._try = attempt  # type: ignore[method-assign]  # a seam wrapped from outside


def plant_new_keys() -> None:
    """Plant the other classic bug: what was asked of the payment provider is not looked for, and asked again under another key."""
    from services.billing.cards.stripe_provider import StripeProvider

    original = StripeProvider.authorize

    def authorize(self: StripeProvider, operation_id: str, *others: Any) -> Any:
        return original(self, f"{operation_id}/{uuid.uuid4().hex}", *others)

    StripeProvider.authorize = authorize  # type: ignore[method-assign,assignment]  # a seam wrapped from outside
    StripeProvider.find_authorization = lambda *_: None  # type: ignore[method-assign]  # as above


def arm_refunds(reached: Callable[[str], None]) -> None:
    """A point after the payment provider has refunded, before billing knows."""
    from services.billing.cards.stripe_provider import StripeProvider

    original = StripeProvider.refund

    def refund(self: StripeProvider, *asked: Any) -> Any:
        made = original(self, *asked)
        reached("billing.provider/refund.after")
        return made

    StripeProvider.refund = refund  # type: ignore[method-assign,assignment]  # a seam wrapped from outside


def arm_steps(reached: Callable[[str], None]) -> None:
    """Points before and after each step of the worker."""
    from temporalio import activity

    from workflows.activities import calls

    original = calls._Inbound.execute_activity

    async def execute_activity(self: Any, call: Any) -> Any:
        milestone = getattr(call.args[0], "milestone", "") if call.args else ""
        name = f"worker.{activity.info().activity_type}{'/' if milestone else ''}{milestone}"
        reached(f"{name}.before")
        answer = await original(self, call)
        reached(f"{name}.after")
        return answer

    calls._Inbound.execute_activity = execute_activity  # type: ignore[method-assign,assignment]  # a seam wrapped from outside


def main(module: str) -> None:
    """Wrap the seams, then be the module."""
    process = {"workflows": "worker"}.get(module, module.rpartition(".")[2])
    reached = Armoury(Path(os.environ[FOLDER_VARIABLE])).reached
    arm_transactions(reached)
    arm_rpcs(process, reached)
    arm_relay(process, reached, marks_first=os.environ.get(PLANTED_VARIABLE) == f"{process} marks first")
    if os.environ.get(PLANTED_VARIABLE) == f"{process} asks anew":
        plant_new_keys()
    if process == "orders":
        arm_http(reached)
    if process == "notifications":
        arm_sender(reached)
    if process == "billing":
        arm_refunds(reached)
    if process == "worker":
        arm_steps(reached)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1])

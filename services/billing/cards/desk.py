"""The card desk: has operations written down, asks the provider outside any transaction, and has the answer recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from services.billing.cards import planning, recording
from services.billing.cards.provider import CardDeclined, Intent, Provider, ProviderAway, ProviderRefused
from services.billing.cards.recording import NO_CARD, Answer
from services.billing.domain.cards import AUTHORIZE, CAPTURE, DECLINED, FAILED, SUCCEEDED, VOID, Operation, pause
from services.billing.domain.credit import CreditRequest
from services.billing.store import authorizations, credit, operations
from services.kernel.clock import Clock, utc_now
from services.runtime.db import Database

log = structlog.get_logger()

_ROUNDS = 4
"""How many operations may have to be answered one after the other: an older one, an authorization, and the one that is meant."""


_AT_ONCE, _QUEUED_S = 6, 2.0
"""How many calls of the provider are under way at most, and how long one more waits: a provider that hangs must leave threads to
those who ask billing for something else."""


class CardDesk:
    """What billing does with cards. Without a provider nothing is asked, and what would be is refused by its callers.

    `wake` is called when something was written down that nobody here waits for.
    """

    def __init__(self, database: Database, provider: Provider | None, clock: Clock = utc_now) -> None:
        self.database = database
        self.provider = provider
        self.clock = clock
        self.wake: Callable[[], None] = lambda: None
        self._calls = threading.BoundedSemaphore(_AT_ONCE)

    @property
    def is_open(self) -> bool:
        """Whether there is a provider to ask."""
        return self.provider is not None

    def cover(self, asked: CreditRequest, token: str) -> bool:
        """Authorize what of an order is not billed, as far as its card allows; whether that is known now."""
        for _ in range(_ROUNDS):
            with self.database.transaction() as session:
                credit.take_or_open(session, asked.customer_id, asked.amount.currency)
                operation = planning.cover(session, asked, token, self.clock())
            if operation is None:
                return True
            if self.pursue(operation.operation_id).is_asked:
                return False
        return True

    def pursue(self, operation_id: str) -> Operation:
        """Ask the provider for an operation, and first for what it rests on; it as it stands then, asked while nobody knows."""
        operation, first = self._begin(operation_id)
        for _ in range(_ROUNDS):
            if not operation.is_asked:
                return operation
            if first is None:
                return self._record(operation, NO_CARD)
            answered = self._ask(first)
            if answered.is_asked or first.operation_id == operation_id:
                return answered
            if first.kind == AUTHORIZE and answered.state != SUCCEEDED:
                return self._record(operation, Answer(FAILED, reason=f"the card was declined ({answered.reason})"))
            operation, first = self._begin(operation_id)
        return operation

    def _begin(self, operation_id: str) -> tuple[Operation, Operation | None]:
        """The operation, and what is to be asked first; the try is counted, so that a killed one is asked again later."""
        now = self.clock()
        with self.database.transaction() as session:
            known = operations.by_id(session, operation_id)
            assert known is not None, "operations are never deleted"
            if not known.is_asked:
                return known, known
            credit.take_or_open(session, known.customer_id, known.amount.currency)
            operation = operations.by_id(session, operation_id) or known
            first: Operation | None = operation
            if operation.kind == CAPTURE and operation.is_asked:
                first = planning.assign(session, operation, now)
            for one in {one.operation_id: one for one in (operation, first) if one}.values():
                operations.note_try(session, one.operation_id, now + pause(one.attempts))
        return operation, first

    def _ask(self, operation: Operation) -> Operation:
        """Ask for one operation, whose try is counted, and record the answer."""
        if self.provider is None or not self._calls.acquire(timeout=_QUEUED_S):
            return operation
        try:
            answer = self._answer(self.provider, operation)
        except ProviderAway as away:
            log.warning("provider.away", operation_id=operation.operation_id, error=str(away))
            return operation
        finally:
            self._calls.release()
        return self._record(operation, answer)

    def _answer(self, provider: Provider, operation: Operation) -> Answer:
        provider_id = self._provider_id(operation)
        try:
            if operation.attempts and (known := _found(provider, operation, provider_id, self._captured_before)):
                return known
            return _done(provider, operation, provider_id)
        except CardDeclined as declined:
            return Answer(DECLINED, reason=declined.code)
        except ProviderRefused as refusal:
            intent = _standing(provider, provider_id) if operation.kind == CAPTURE else None
            return Answer(FAILED, provider_id, intent, refusal.code)  # its sentence may name the card's token

    def _provider_id(self, operation: Operation) -> str:
        if not operation.authorization_id:
            return ""
        with self.database.reading() as session:
            found = authorizations.by_id(session, operation.authorization_id)
        return found.provider_id if found else ""

    def _captured_before(self, operation: Operation) -> int:
        with self.database.reading() as session:
            found = authorizations.by_id(session, operation.authorization_id)
        return found.captured.minor if found else 0

    def _record(self, operation: Operation, answer: Answer) -> Operation:
        with self.database.transaction() as session:
            recorded = recording.record(session, operation, answer, self.clock())
        self.wake()
        return recorded


def _found(
    provider: Provider, operation: Operation, provider_id: str, captured_before: Callable[[Operation], int]
) -> Answer | None:
    """The answer that was lost, when the provider has done what it was asked before; None when it may be asked again."""
    if operation.kind == AUTHORIZE:
        made = provider.find_authorization(operation.operation_id, operation.asked_at)
        return _succeeded(made) if made and made.is_open else None
    if operation.kind == CAPTURE:
        standing = provider.read(provider_id)
        is_done = standing.received >= captured_before(operation) + operation.amount.minor
        return _succeeded(standing) if is_done else None
    if operation.kind == VOID:
        return None
    refund = provider.find_refund(operation.operation_id, provider_id)
    return Answer(SUCCEEDED, refund) if refund else None


def _done(provider: Provider, operation: Operation, provider_id: str) -> Answer:
    """Have it done, once under its id."""
    key, amount = operation.operation_id, operation.amount
    if operation.kind == AUTHORIZE:
        return _succeeded(provider.authorize(key, amount, operation.token, operation.order_id))
    if operation.kind == CAPTURE:
        return _succeeded(provider.capture(key, provider_id, amount, is_final=operation.is_final))
    if operation.kind == VOID:
        return _succeeded(provider.void(key, provider_id))
    return Answer(SUCCEEDED, provider.refund(key, provider_id, amount))


def _standing(provider: Provider, provider_id: str) -> Intent | None:
    """The authorization as it stands; None when the provider knows no such thing."""
    try:
        return provider.read(provider_id)
    except ProviderRefused:
        return None


def _succeeded(intent: Intent) -> Answer:
    return Answer(SUCCEEDED, intent.provider_id, intent)

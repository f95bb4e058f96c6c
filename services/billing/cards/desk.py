"""The card desk: has operations written down, asks the provider outside any transaction, and has the answer recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from services.billing import owing
from services.billing.cards import planning, reading, recording
from services.billing.cards.patience import Patience
from services.billing.cards.provider import CardDeclined, Intent, Provider, ProviderAway, ProviderRefused, Refund
from services.billing.cards.recording import Answer
from services.billing.domain.cards import (
    AUTHORIZE,
    CAPTURE,
    DECLINED,
    FAILED,
    NOTHING_OPEN,
    REFUND,
    SUCCEEDED,
    VOID,
    Operation,
    pause,
)
from services.billing.domain.credit import CreditRequest
from services.billing.store import authorizations, checkouts, credit, invoices, operations
from services.kernel.clock import Clock, utc_now
from services.runtime.db import Database

log = structlog.get_logger()

_ROUNDS = 4
"""How many operations may have to be answered one after the other: an older one, an authorization, and the one that is meant."""


class CardDesk:
    """What billing does with cards. Without a provider nothing is asked: a new card is refused by its callers, what an order by card
    still needs, such as a capture, stays asked until there is one.

    `cover` and `pursue` are for those who wait for an answer: when the provider takes longer than they may, they go on without
    one, and what they asked for goes on without them. `wake` is called when something was written down that nobody here waits for.
    """

    def __init__(
        self, database: Database, provider: Provider | None, clock: Clock = utc_now, patience: Patience | None = None
    ) -> None:
        self.database = database
        self.provider = provider
        self.clock = clock
        self.patience = patience or Patience()
        self.wake: Callable[[], None] = lambda: None

    @property
    def is_open(self) -> bool:
        """Whether there is a provider to ask."""
        return self.provider is not None

    def cover(self, asked: CreditRequest, token: str) -> bool:
        """Authorize what of an order is not billed, as far as its card allows; whether that is known now."""
        return bool(self.patience.wait(lambda: self._cover(asked, token)))

    def pursue(self, operation_id: str) -> Operation:
        """Have the provider asked for an operation; it as it stands then, asked while nobody knows."""
        return self.pursue_all([operation_id])[0]

    def pursue_all(self, operation_ids: Sequence[str]) -> list[Operation]:
        """Have the provider asked for operations, one after the other until one gets no answer; all of them as they stand then."""
        known = (self.patience.wait(lambda: self._in_turn(operation_ids)) or []) if operation_ids else []
        left = operation_ids[len(known) :]
        return [*known, *self._as_they_stand(left)] if left else known

    def close(self) -> None:
        """Begin nothing more."""
        self.patience.end()

    def _in_turn(self, operation_ids: Sequence[str]) -> list[Operation]:
        """The operations that were asked for: all, or those up to the first that got no answer."""
        known: list[Operation] = []
        for operation_id in operation_ids:
            known.append(self.ask(operation_id))
            if known[-1].is_asked:
                break
        return known

    def _as_they_stand(self, operation_ids: Sequence[str]) -> list[Operation]:
        with self.database.reading() as session:
            return [known for one in operation_ids if (known := operations.by_id(session, one))]

    def _cover(self, asked: CreditRequest, token: str) -> bool:
        for _ in range(_ROUNDS):
            with self.database.transaction() as session:
                credit.take_or_open(session, asked.customer_id, asked.amount.currency)
                operation = planning.cover(session, asked, token, self.clock())
            if operation is None:
                return True
            if self.ask(operation.operation_id).is_asked:
                return False
        return True

    def ask(self, operation_id: str) -> Operation:
        """Ask the provider for an operation, and first for what it rests on, however long that takes; it as it stands then."""
        if not self._are_pages_over(operation_id):
            return self._as_they_stand([operation_id])[0]
        operation, first = self._begin(operation_id)
        for _ in range(_ROUNDS):
            if not operation.is_asked:
                return operation
            if first is None:
                return self._record_without_card(operation, "no card is authorized for it")
            answered = self._ask(first)
            if first.operation_id == operation_id:
                return answered
            if answered.is_asked:
                return operation
            if first.kind == AUTHORIZE and answered.state != SUCCEEDED:
                return self._record_without_card(operation, f"the card was declined ({answered.reason})")
            operation, first = self._begin(operation_id)
        return operation

    def _are_pages_over(self, operation_id: str) -> bool:
        """Whether no page is open on which a capture's invoice may be paid: they are ended and read; else a try is counted, and it waits.

        It does not wait to charge nothing: one of an invoice that was settled otherwise ends, whatever its pages are.
        """
        with self.database.reading() as session:
            known = operations.by_id(session, operation_id)
            assert known is not None, "operations are never deleted"
            is_new = known.kind == CAPTURE and known.is_asked and not known.authorization_id
            pages = checkouts.open_ones(session, known.order_id, known.subject_id) if is_new else []
        if all(reading.end(self, one.checkout_id).checkout.is_over for one in pages):
            return True
        now = self.clock()
        with self.database.transaction() as session:
            credit.take_or_open(session, known.customer_id, known.amount.currency)
            operations.note_try(session, operation_id, now + pause(known.attempts))
            if not invoices.by_ids(session, [known.subject_id])[known.subject_id].open.minor:
                recording.fit(session, known, now)
        return False

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
            if operation.kind == CAPTURE and operation.is_asked:
                operation = recording.fit(session, operation, now)
            first: Operation | None = operation
            if operation.kind == CAPTURE and operation.is_asked:
                first = planning.assign(session, operation, now)
            for one in {one.operation_id: one for one in (operation, first) if one}.values():
                operations.note_try(session, one.operation_id, now + pause(one.attempts))
        return operation, first

    def _ask(self, operation: Operation) -> Operation:
        """Ask for one operation, whose try is counted, and record the answer."""
        if self.provider is None:
            return operation
        try:
            answer = self._answer(self.provider, operation)
        except ProviderAway as away:
            log.warning("provider.away", operation_id=operation.operation_id, error=str(away))
            self._note_silence(operation)
            return operation
        return self._record(operation, answer)

    def _note_silence(self, operation: Operation) -> None:
        """Accounting is told of a refund that has no answer for long."""
        if operation.kind == REFUND:
            with self.database.transaction() as session:
                owing.note_silence(session, operation, self.clock())

    def _answer(self, provider: Provider, operation: Operation) -> Answer:
        provider_id = self._provider_id(operation)
        try:
            if operation.attempts and (known := _found(provider, operation, provider_id, self._captured_before)):
                return known
            if operation.kind == CAPTURE and operation.attempts and not self._is_needed(operation):
                return Answer(FAILED, provider_id, reason=NOTHING_OPEN)
            return _done(provider, operation, provider_id)
        except ProviderRefused as refusal:
            if operation.kind == AUTHORIZE and isinstance(refusal, CardDeclined):
                return Answer(DECLINED, reason=refusal.code)
            intent = _standing(provider, provider_id) if operation.kind == CAPTURE else None
            return Answer(FAILED, provider_id, intent, refusal.code)  # its sentence may name the card's token

    def _provider_id(self, operation: Operation) -> str:
        if not operation.authorization_id:
            return ""
        with self.database.reading() as session:
            found = authorizations.by_id(session, operation.authorization_id)
        return found.provider_id if found else ""

    def _is_needed(self, capture: Operation) -> bool:
        with self.database.reading() as session:
            return bool(invoices.by_ids(session, [capture.subject_id])[capture.subject_id].open.minor)

    def _captured_before(self, operation: Operation) -> int:
        with self.database.reading() as session:
            found = authorizations.by_id(session, operation.authorization_id)
        return found.captured.minor if found else 0

    def _record(self, operation: Operation, answer: Answer) -> Operation:
        with self.database.transaction() as session:
            recorded = recording.record(session, operation, answer, self.clock())
        self.wake()
        return recorded

    def _record_without_card(self, operation: Operation, reason: str) -> Operation:
        with self.database.transaction() as session:
            recorded = recording.record_without_card(session, operation, reason, self.clock())
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
    refund = provider.refunds(provider_id).get(operation.operation_id)
    return _refunded(refund) if refund else None


def _done(provider: Provider, operation: Operation, provider_id: str) -> Answer:
    """Have it done, once under its id."""
    key, amount = operation.operation_id, operation.amount
    if operation.kind == AUTHORIZE:
        return _succeeded(provider.authorize(key, amount, operation.token, operation.order_id))
    if operation.kind == CAPTURE:
        return _succeeded(provider.capture(key, provider_id, amount, is_final=operation.is_final))
    if operation.kind == VOID:
        return _succeeded(provider.void(key, provider_id))
    return _refunded(provider.refund(key, provider_id, amount))


def _standing(provider: Provider, provider_id: str) -> Intent | None:
    """The authorization as it stands; None when the provider knows no such thing."""
    try:
        return provider.read(provider_id)
    except ProviderRefused:
        return None


def _refunded(refund: Refund) -> Answer:
    return Answer(FAILED if refund.is_failed else SUCCEEDED, refund.provider_id, reason=refund.reason)


def _succeeded(intent: Intent) -> Answer:
    return Answer(SUCCEEDED, intent.provider_id, intent)

"""Sessions as our stores use them: what they gather until the commit, and what a process remembers of a database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlmodel import Session

from services.kernel import clock
from services.runtime.company import Company

Value = TypeVar("Value")

EVERYBODY = ""
_READING, _MEMORY, _SEEN, _GATHERED, _WAKING = "oms_reading", "oms_memory", "oms_seen", "oms_gathered", "oms_waking"
_TIME_ZONE, _CURRENCY, _COMPANY = "oms_time_zone", "oms_currency", "oms_company"


class Memory:
    """What a process remembers of a database: the newest so many values that never change once they are committed."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._values: dict[Hashable, Any] = {}
        self._changing = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """The value; None when it is not remembered."""
        return self._values.get(key)

    def keep(self, key: Hashable, value: Any) -> None:
        """Remember a value, and forget the oldest when there are too many."""
        with self._changing:
            self._values[key] = value
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]


def open_session(connection: Connection, *, is_reading: bool = False) -> Session:
    """A session within a connection's transaction, which whoever opened it ends."""
    # by far most statements are on tables: the ORM needs no savepoint of its own for those
    return Session(connection, expire_on_commit=False, autoflush=not is_reading, join_transaction_mode="rollback_only")


def finish(session: Session) -> None:
    """Write what is still to be written before the transaction is committed."""
    while gathered := session.info.get(_GATHERED):
        write_gathered(session, next(iter(gathered)))
    session.flush()


def wake_after_commit(session: Session, kind: str = EVERYBODY) -> None:
    """Have those woken after the commit who wait for messages of this kind, or everybody who waits for any."""
    session.info.setdefault(_WAKING, set()).add(kind)


def waking(session: Session) -> frozenset[str]:
    """The kinds of which somebody is to be woken after the commit."""
    return frozenset(session.info.pop(_WAKING, ()))


def gather(session: Session, write: Callable[[Session, list[Value]], None], value: Value) -> None:
    """Have `write` called with this value before the commit, and with all others of the transaction that it is to write.

    A hundred rows of a table are then one statement. Whoever reads them in the same transaction calls write_gathered() first.
    """
    if session.info.get(_READING, True):
        write(session, [value])  # nobody finishes this session
    else:
        session.info.setdefault(_GATHERED, {}).setdefault(write, []).append(value)


def write_gathered(session: Session, write: Callable[[Session, list[Value]], None]) -> None:
    """Write now what was gathered for `write`."""
    values = session.info.get(_GATHERED, {}).pop(write, None)
    if values:
        write(session, values)


def equip(
    session: Session, memory: Memory, time_zone: str, currency: str, company: Company, *, is_reading: bool
) -> Session:
    """Give a new session what its database knows: the memory, the company, its clock and its currency.

    Also say whether all that it sees is committed.
    """
    session.info[_READING], session.info[_MEMORY] = is_reading, memory
    session.info[_TIME_ZONE], session.info[_CURRENCY], session.info[_COMPANY] = time_zone, currency, company
    return session


def company(session: Session) -> Company:
    """The company whose database this is."""
    known: Company = session.info[_COMPANY]
    return known


def currency(session: Session) -> str:
    """The currency of the company whose database this is."""
    return str(session.info[_CURRENCY])


def time_zone(session: Session) -> str:
    """The zone of the company whose database this is (an IANA name)."""
    return str(session.info[_TIME_ZONE])


def business_day(session: Session, at: datetime) -> date:
    """The company's business day at an instant."""
    return clock.business_day(at, time_zone(session))


def unchanging(
    session: Session,
    key: Hashable,
    load: Callable[[], Value],
    *,
    is_small: Callable[[Value], bool],
    is_taken: bool = False,
) -> Value:
    """What never changes once it is committed: as remembered, or loaded.

    Readers see one moment, so what they load is remembered. What a writer loads is, once remember() is told of the commit, where
    it has taken what the key was read from: otherwise the value may be newer than the key, or be taken back. Large values are
    not kept.
    """
    memory: Memory = session.info[_MEMORY]
    value: Value | None = memory.get(key)
    if value is None:
        value = load()
        if is_small(value):
            if session.info[_READING]:
                memory.keep(key, value)
            elif is_taken:
                session.info.setdefault(_SEEN, {})[key] = value
    return value


def remember(session: Session) -> None:
    """What a writer has loaded is committed."""
    for key, value in session.info.get(_SEEN, {}).items():
        session.info[_MEMORY].keep(key, value)

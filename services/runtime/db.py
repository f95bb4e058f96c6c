"""One database module for SQLite and PostgreSQL: engines, transactions, and column types that both keep faithfully."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Dialect,
    Engine,
    Integer,
    MetaData,
    PoolProxiedConnection,
    QueuePool,
    Table,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlmodel import Session, SQLModel

from services.runtime import idempotency, sessions, telemetry, writers
from services.runtime.company import Company
from services.runtime.writers import BUSY_S, Writers

STRICT = {"sqlite_strict": True}
"""Last member of every __table_args__: SQLite then refuses values of the wrong type, as PostgreSQL does."""

Text = SqlText
Int64 = BigInteger().with_variant(Integer(), "sqlite")

Response = TypeVar("Response", bound=Message)


def table_of(rows: type[SQLModel]) -> Table:
    """The table beneath a model. Statements on it, built once, cost a quarter of what statements on the model do."""
    return rows.metadata.tables[str(rows.__tablename__)]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant in UTC: timestamptz on PostgreSQL, fixed-width ISO text on SQLite (sorts as time does)."""

    impl = SqlText
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Choose the column type of the dialect."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(SqlText())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse naive instants; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("instants are stored aware: give the datetime a time zone")
        aware = value.astimezone(UTC)
        return aware if dialect.name == "postgresql" else aware.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give an aware UTC datetime back."""
        if value is None:
            return None
        return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(UTC)


class Flag(TypeDecorator[bool]):
    """A boolean: BOOLEAN on PostgreSQL, INTEGER 0/1 in SQLite's STRICT tables."""

    impl = Integer
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Choose the column type of the dialect."""
        return dialect.type_descriptor(Boolean() if dialect.name == "postgresql" else Integer())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        """Store what the dialect calls true and false."""
        if value is None:
            return None
        return bool(value) if dialect.name == "postgresql" else int(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        """Give a bool back."""
        return None if value is None else bool(value)


_PREPARED_AFTER, _PREPARED_MOST = 1, 500
_RESTED_S = 1.0
_RESTS_SINCE = "oms.rests_since"
_READ_ONLY = "25006"
"""PostgreSQL's code for a transaction that only reads."""
_ENCODE = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False).encode


class JsonText(TypeDecorator[Any]):
    """A JSON document kept as text with sorted keys."""

    impl = SqlText
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Serialise; None stays NULL."""
        return None if value is None else _ENCODE(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Parse what was stored."""
        return None if value is None else json.loads(value)


class Database:
    """A service's own database: SQLite file or PostgreSQL, chosen by the URL.

    `transaction()` commits when its block ends and rolls back when it raises; nobody else commits. On SQLite a writer
    begins with BEGIN IMMEDIATE, so writers queue for up to 30 s instead of failing at their first write, and those of one
    process that wait share a commit. `time_zone` and `currency` are those of the company, which its sessions know, as they do it.
    """

    def __init__(
        self,
        url: str,
        metadata: MetaData,
        migrations: Path,
        time_zone: str = "UTC",
        currency: str = "USD",
        company: Company = Company(),  # noqa: B008 - a frozen value
    ) -> None:
        self.url = url
        self.metadata = metadata
        self.migrations = migrations
        self.time_zone, self.currency, self.company = time_zone, currency, company
        self.engine = _engine(url)
        self._reader = self.engine.execution_options(**_one_view(self.engine))
        self._listeners: list[tuple[frozenset[str] | None, Callable[[], None]]] = []
        self._writers = Writers(self.engine) if self.is_sqlite else None
        self._memory = sessions.Memory()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A writing session; wakes those who wait for what it emitted after its commit."""
        with self._writing() as session:
            yield self._equipped(session, is_reading=False)
        sessions.remember(session)
        self._wake(sessions.waking(session))

    def _equipped(self, session: Session, *, is_reading: bool) -> Session:
        known = (self._memory, self.time_zone, self.currency, self.company)
        return sessions.equip(session, *known, is_reading=is_reading)

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection in a transaction that nobody else writes beside on SQLite: for migrations."""
        with self.engine.begin() as connection:
            if self.is_sqlite:
                writers.begin(connection, "BEGIN IMMEDIATE")
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        if self._writers is not None:
            with self._writers.turn() as session:
                yield session
        else:
            with self.engine.begin() as connection, sessions.open_session(connection) as session:
                yield session
                sessions.finish(session)

    def _wake(self, emitted: frozenset[str]) -> None:
        if not emitted:
            return
        for kinds, wake in self._listeners:
            if sessions.EVERYBODY in emitted or kinds is None or not kinds.isdisjoint(emitted):
                wake()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads, and what is committed alone."""
        with self._reader.begin() as connection, sessions.open_session(connection, is_reading=True) as session:
            if self.is_sqlite:
                writers.begin(connection, "BEGIN")
            yield self._equipped(session, is_reading=True)

    def once(
        self, request_id: str, request: Message, answer: type[Response], act: Callable[[Session], Response]
    ) -> Response:
        """Run `act` in a transaction once per request_id; a repeat gets the stored answer.

        Raises InvalidArgument for an empty id and AlreadyExists(REQUEST_ID_REUSED) for another request under the same id.
        """
        with self.transaction() as session:
            earlier = idempotency.begin(session, self.metadata, request_id, request)
            if earlier is not None:
                return answer.FromString(earlier)
            response = act(session)
            idempotency.finish(session, self.metadata, request_id, response)
            return response

    def on_emit(self, wake: Callable[[], None], kinds: frozenset[str] | None = None) -> None:
        """Call `wake` after each commit that emitted one of these kinds, or anything at all when none are named."""
        self._listeners.append((kinds, wake))

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        from services.runtime import migrations

        migrations.upgrade(self)

    def check_current(self) -> None:
        """Raise DatabaseNotCurrent with a sentence when the schema is missing, too old or from a newer release."""
        from services.runtime import migrations

        migrations.check(self)

    def close(self) -> None:
        """Return every connection."""
        self.engine.dispose()


def _one_view(engine: Engine) -> dict[str, Any]:
    """What makes a reader see one moment: on SQLite every transaction does, on PostgreSQL it must be asked for."""
    return {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}


_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A PostgreSQL whose machine or network has gone sends nothing, not even a refusal: seconds, and for the last milliseconds, until
we see it. The server's own timeouts end only what reaches it."""


class _Pool(QueuePool):
    """Connections of which none is free in time are a database that cannot answer now: not a bug of ours."""

    def connect(self) -> PoolProxiedConnection:
        """One of them; OperationalError when all are in use for too long."""
        try:
            return super().connect()
        except NoneFree as busy:
            raise OperationalError("CONNECT", None, busy) from busy


def _engine(url: str, free_within_s: float = 30) -> Engine:
    """An engine with our rules: WAL, full sync and foreign keys on SQLite, timeouts on PostgreSQL; at most 32 connections."""
    pool: dict[str, Any] = {"poolclass": _Pool, "pool_size": 8, "max_overflow": 24, "pool_timeout": free_within_s}
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            url,
            connect_args={"timeout": BUSY_S, "check_same_thread": False},
            **pool,
        )
        event.listen(engine, "connect", _open_sqlite)
    else:
        engine = create_engine(
            url,
            isolation_level="READ COMMITTED",
            **pool,
            pool_use_lifo=True,  # few connections work, which know our statements, and the others rest
            # text comes as text, whatever the cluster was made with: the sentence that refuses another encoding needs it
            connect_args={
                **_PATIENCE,
                "client_encoding": "utf8",
                "options": "-c lock_timeout=10s -c statement_timeout=30s -c timezone=UTC",
            },
        )
        event.listen(engine, "handle_error", _unavailable, retval=True)
        event.listen(engine, "connect", _remember_statements)
        event.listen(engine, "checkin", _note_rest)
        event.listen(engine, "checkout", partial(_ping_rested, engine.dialect))
    telemetry.trace_engine(engine)
    return engine


def _remember_statements(connection: Any, _record: Any) -> None:
    """A service has some hundred statements; with the driver's own bounds most are parsed and planned anew: twice PostgreSQL's CPU."""
    connection.prepare_threshold = _PREPARED_AFTER
    connection.prepared_max = _PREPARED_MOST


def _note_rest(_connection: Any, record: Any) -> None:
    record.info[_RESTS_SINCE] = time.monotonic()


def _ping_rested(dialect: Dialect, connection: Any, record: Any, _proxy: Any) -> None:
    """Ask a connection that has rested whether it still lives; when it does not, the pool opens new ones.

    Asking each time doubles what a short transaction costs PostgreSQL, and one that was used a moment ago is as good as asked.
    """
    if time.monotonic() - record.info.get(_RESTS_SINCE, float("inf")) < _RESTED_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as gone:
        raise InvalidatePoolError from gone


def _unavailable(context: Any) -> BaseException | None:
    """A database that only reads, as a standby does until it takes over, is one that cannot answer now: not a bug of ours."""
    failure = context.original_exception
    if getattr(failure, "sqlstate", None) == _READ_ONLY:
        return OperationalError(context.statement, context.parameters, failure)
    return None


def _open_sqlite(connection: Any, _record: Any) -> None:
    """Set what SQLite forgets per connection; transactions are ours to begin."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()

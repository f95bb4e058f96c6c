"""Request id → first answer, stored in the same transaction as the change it reports."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from google.protobuf.message import Message
from sqlalchemy import Column, LargeBinary, MetaData, Select, Table, Text, Update, bindparam, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session

from services.kernel.errors import AlreadyExists
from services.kernel.text import text

Request = TypeVar("Request", bound=Message)

REUSED = "REQUEST_ID_REUSED"
_TABLE = "answers"


def answers_table(metadata: MetaData) -> Table:
    """Declare the table of answers in a service's metadata."""
    return Table(
        _TABLE,
        metadata,
        Column("request_id", Text, primary_key=True),
        Column("request_sha256", Text, nullable=False),
        Column("response", LargeBinary, nullable=True),
        Column("answered_at", Text, nullable=False),
        sqlite_strict=True,
    )


def without(request: Request, *fields: str) -> Request:
    """The request as far as it makes two the same: without what its sender reads again when it tries again."""
    same = type(request)()
    same.CopyFrom(request)
    for field in fields:
        same.ClearField(field)
    return same


def begin(session: Session, metadata: MetaData, request_id: str, request: Message) -> bytes | None:
    """Claim the id, or give the earlier answer's bytes.

    On PostgreSQL a concurrent holder of the same id makes this wait until it commits (then its answer is returned) or rolls
    back (then the id is ours).
    """
    text(request_id, "request_id, the business key,")
    if _claim(session, _statements(metadata.tables[_TABLE]), _values(request_id, request)):
        return None
    return earlier(session, metadata, request_id, request)


def earlier(session: Session, metadata: MetaData, request_id: str, request: Message) -> bytes | None:
    """The answer that this id got, None while it has none; AlreadyExists(REQUEST_ID_REUSED) for another request under it."""
    row = session.execute(_statements(metadata.tables[_TABLE]).find, {"id": request_id}).first()
    if row is None:
        return None
    if row.request_sha256 != _digest(request):
        raise AlreadyExists(
            REUSED,
            f"request id {request_id!r} was used for another request: use a new id for a new request",
        )
    return bytes(row.response)


def _digest(request: Message) -> str:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()


@dataclass(frozen=True, slots=True)
class _Statements:
    """Built once a service: putting a statement together costs several times what running it does."""

    find: Select[Any]
    claim: ReturningInsert[Any]
    answer: Update


@cache
def _statements(table: Table) -> _Statements:
    is_it = table.c.request_id == bindparam("id")
    # the clause is PostgreSQL's and SQLite's alike
    claim = postgresql.insert(table).on_conflict_do_nothing(index_elements=["request_id"])
    return _Statements(
        find=select(table.c.request_sha256, table.c.response).where(is_it),
        claim=claim.returning(table.c.request_id),
        answer=update(table).where(is_it).values(response=bindparam("first")),
    )


def _claim(session: Session, statements: _Statements, values: dict[str, Any]) -> bool:
    """Insert the id unless it is there; whether this transaction owns it now."""
    return session.execute(statements.claim, values).first() is not None


def _values(request_id: str, request: Message) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "request_sha256": _digest(request),
        "answered_at": datetime.now(UTC).isoformat(),
    }


def finish(session: Session, metadata: MetaData, request_id: str, response: Message) -> None:
    """Store the answer beside the change."""
    answer = _statements(metadata.tables[_TABLE]).answer
    session.execute(answer, {"id": request_id, "first": response.SerializeToString(deterministic=True)})


def keep(session: Session, metadata: MetaData, request_id: str, request: Message, response: Message) -> None:
    """Store the answer to a request whose action was done elsewhere; an answer that is there stays.

    AlreadyExists(REQUEST_ID_REUSED) where it answers another request.
    """
    values = {**_values(request_id, request), "response": response.SerializeToString(deterministic=True)}
    if not _claim(session, _statements(metadata.tables[_TABLE]), values):
        earlier(session, metadata, request_id, request)

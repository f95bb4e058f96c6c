"""Request id → first answer, stored in the same transaction as the change it reports."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import Column, Insert, LargeBinary, MetaData, Select, Table, Text, Update, bindparam, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import Session

from services.kernel.errors import AlreadyExists, InvalidArgument

MAX_REQUEST_ID = 200
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


def begin(session: Session, metadata: MetaData, request_id: str, request: Message) -> bytes | None:
    """Claim the id, or give the earlier answer's bytes.

    On PostgreSQL a concurrent holder of the same id makes this wait until it commits (then its answer is returned) or rolls
    back (then the id is ours).
    """
    if not request_id or len(request_id) > MAX_REQUEST_ID:
        raise InvalidArgument(
            "REQUEST_ID_MISSING", f"send a request_id of 1 to {MAX_REQUEST_ID} characters: the business key"
        )
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).hexdigest()
    statements = _statements(metadata.tables[_TABLE])
    if _claim(session, statements, request_id, digest):
        return None
    row = session.execute(statements.find, {"id": request_id}).one()
    if row.request_sha256 != digest:
        raise AlreadyExists(
            "REQUEST_ID_REUSED",
            f"request id {request_id!r} was used for another request: use a new id for a new request",
        )
    return bytes(row.response)


@dataclass(frozen=True, slots=True)
class _Statements:
    """Built once a service: putting a statement together costs several times what running it does."""

    find: Select[Any]
    add: Insert
    claim: ReturningInsert[Any]
    answer: Update


@cache
def _statements(table: Table) -> _Statements:
    is_it = table.c.request_id == bindparam("id")
    claim = postgresql.insert(table).on_conflict_do_nothing(index_elements=["request_id"])
    return _Statements(
        find=select(table.c.request_sha256, table.c.response).where(is_it),
        add=table.insert(),
        claim=claim.returning(table.c.request_id),
        answer=update(table).where(is_it).values(response=bindparam("first")),
    )


def _claim(session: Session, statements: _Statements, request_id: str, digest: str) -> bool:
    """Insert the id unless it is there; whether this transaction owns it now."""
    values = {"request_id": request_id, "request_sha256": digest, "answered_at": datetime.now(UTC).isoformat()}
    if session.get_bind().dialect.name == "sqlite":
        known = session.execute(statements.find, {"id": request_id}).first()
        if known is None:
            session.execute(statements.add, values)
        return known is None
    return session.execute(statements.claim, values).first() is not None


def finish(session: Session, metadata: MetaData, request_id: str, response: Message) -> None:
    """Store the answer beside the change."""
    answer = _statements(metadata.tables[_TABLE]).answer
    session.execute(answer, {"id": request_id, "first": response.SerializeToString(deterministic=True)})

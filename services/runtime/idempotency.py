"""Request id → first answer, stored in the same transaction as the change it reports."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from google.protobuf.message import Message
from sqlalchemy import Column, LargeBinary, MetaData, Table, Text, insert, select, update
from sqlalchemy.dialects import postgresql
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
    if _claim(session, metadata.tables[_TABLE], request_id, digest):
        return None
    table = metadata.tables[_TABLE]
    row = session.execute(
        select(table.c.request_sha256, table.c.response).where(table.c.request_id == request_id)
    ).one()
    if row.request_sha256 != digest:
        raise AlreadyExists(
            "REQUEST_ID_REUSED",
            f"request id {request_id!r} was used for another request: use a new id for a new request",
        )
    return bytes(row.response)


def _claim(session: Session, table: Table, request_id: str, digest: str) -> bool:
    """Insert the id unless it is there; whether this transaction owns it now."""
    values = {"request_id": request_id, "request_sha256": digest, "answered_at": datetime.now(UTC).isoformat()}
    if session.get_bind().dialect.name == "sqlite":
        known = session.execute(select(table.c.request_id).where(table.c.request_id == request_id)).first()
        if known is None:
            session.execute(insert(table).values(**values))
        return known is None
    claim = postgresql.insert(table).values(**values).on_conflict_do_nothing(index_elements=["request_id"])
    return session.execute(claim.returning(table.c.request_id)).first() is not None


def finish(session: Session, metadata: MetaData, request_id: str, response: Message) -> None:
    """Store the answer beside the change."""
    table = metadata.tables[_TABLE]
    answer = update(table).where(table.c.request_id == request_id)
    session.execute(answer.values(response=response.SerializeToString(deterministic=True)))

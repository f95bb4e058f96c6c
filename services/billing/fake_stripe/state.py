"""What the stand-in knows, in a SQLite file: objects as JSON, answers by idempotency key, events."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, position INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS object_of_kind ON object (kind, position);
CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS event (
  position INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL, is_sent INTEGER NOT NULL) STRICT;
"""


class State:
    """One writer at a time; what a `transaction()` did is on the disk when it ends, and nothing of it when it raises."""

    def __init__(self, file: Path | None = None) -> None:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(str(file or ":memory:"), isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in the block, or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def find(self, kind: str, key: str) -> Document | None:
        """An object by id."""
        row = self._connection.execute("SELECT body FROM object WHERE id = ? AND kind = ?", (key, kind)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, document: Document) -> None:
        """Store an object, new or changed."""
        self._connection.execute(
            "INSERT INTO object VALUES (?, ?, (SELECT COUNT(*) FROM object), ?) "
            "ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (document["id"], kind, json.dumps(document)),
        )

    def all(self, kind: str) -> list[Document]:
        """Objects of a kind, newest first, as lists of the API are."""
        rows = self._connection.execute("SELECT body FROM object WHERE kind = ? ORDER BY position DESC", (kind,))
        return [json.loads(body) for (body,) in rows]

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        return int(self._connection.execute("SELECT COUNT(*) FROM object WHERE kind = ?", (kind,)).fetchone()[0])

    def answer(self, key: str) -> tuple[str, int, Document] | None:
        """What was asked under an idempotency key, and the status and body that it got."""
        row = self._connection.execute("SELECT asked, status, body FROM answer WHERE key = ?", (key,)).fetchone()
        return None if row is None else (str(row[0]), int(row[1]), json.loads(row[2]))

    def keep_answer(self, key: str, asked: str, status: int, body: Document) -> None:
        """Remember the first answer under a key."""
        self._connection.execute("INSERT INTO answer VALUES (?, ?, ?, ?)", (key, asked, status, json.dumps(body)))

    def add_event(self, event: Document) -> None:
        """Keep an event until it is sent."""
        self._connection.execute(
            "INSERT INTO event (id, body, is_sent) VALUES (?, ?, 0)", (event["id"], json.dumps(event))
        )

    def events(self, *, is_unsent: bool = False) -> list[Document]:
        """Events, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body FROM event WHERE is_sent = 0 OR NOT ? ORDER BY position", (is_unsent,)
            )
            return [json.loads(body) for (body,) in rows]

    def mark_sent(self, event_id: str) -> None:
        """The event has arrived."""
        with self._lock:
            self._connection.execute("UPDATE event SET is_sent = 1 WHERE id = ?", (event_id,))

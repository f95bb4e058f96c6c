"""The writers of one SQLite file: one at a time, and those who wait share the commit that brings their rows to the disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from services.runtime import sessions

BUSY_S = 30.0
MOST = 40
"""How many transactions share a commit at most, so that the first of them does not wait for ever."""


def begin(connection: Connection, how: str) -> None:
    """Begin on SQLite, which is opened so that nobody begins but us.

    Writers take the write lock at once (BEGIN IMMEDIATE): a transaction that upgrades later loses to whoever wrote in between.
    It is said to the driver, because a listener of the engine for it would cost every statement a quarter more.
    """
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.execute(how)
    except sqlite3.OperationalError as busy:
        raise OperationalError(how, None, busy) from busy


class _Group:
    """Transactions that are committed together. Nobody of them hears that it is done before the disk has all of them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.size = 0
        self.is_settled = threading.Event()
        self.failure: BaseException | None = None

    @property
    def _driver(self) -> Any:
        return self.connection.connection.dbapi_connection

    def open_part(self) -> None:
        """The next one's part begins. The first may take everything back; who comes later takes back to a savepoint."""
        if self.size:
            self._driver.execute("SAVEPOINT part")

    def close_part(self) -> None:
        """It is to be committed with the others."""
        if self.size:
            self._driver.execute("RELEASE part")
        self.size += 1

    def undo_part(self) -> bool:
        """It has failed; whether those before it stand. They do not where SQLite took all back, as it does when its disk is full."""
        try:
            self._driver.execute("ROLLBACK TO part")
            self._driver.execute("RELEASE part")
        except sqlite3.Error:
            return False
        return bool(self._driver.in_transaction)


class Writers:
    """Gives each writer its turn and a session of its own.

    A commit waits for the disk for milliseconds, in which nobody else can write. So a writer who is done and sees others wait
    leaves the commit to them, and returns when one of them has made it. What one of them takes back, by an error, is its own
    part alone; should the commit fail, it fails for all.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._is_busy = False
        self._waiting = 0
        self._left_open: _Group | None = None

    @contextmanager
    def turn(self) -> Iterator[Session]:
        """A writing session; what was written is on the disk when the block has been left.

        Raises OperationalError when its turn, or the commit that it shares, does not come within 30 s; after the latter the rows may
        still be stored, as after any answer that is lost.
        """
        group = self._enter()
        try:
            group.open_part()
            with sessions.open_session(group.connection) as session:
                yield session
                sessions.finish(session)
            group.close_part()
        except BaseException:
            self._take_back(group)
            raise
        if not self._leave_to_others(group):
            self._commit(group)
        if not group.is_settled.wait(BUSY_S):
            raise OperationalError(
                "COMMIT", None, sqlite3.OperationalError("the commit shared with others did not come")
            )
        if group.failure is not None:
            raise group.failure

    def _enter(self) -> _Group:
        with self._changed:
            self._waiting += 1
            try:
                is_free = self._changed.wait_for(lambda: not self._is_busy, BUSY_S)
            finally:
                self._waiting -= 1
            if not is_free:
                raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
            self._is_busy = True
            group, self._left_open = self._left_open, None
        return group or self._begin()

    def _begin(self) -> _Group:
        connection = None
        try:
            connection = self._engine.connect()
            connection.begin()
            begin(connection, "BEGIN IMMEDIATE")
        except BaseException:
            if connection is not None:
                connection.close()
            self._pass_on()
            raise
        return _Group(connection)

    def _leave_to_others(self, group: _Group) -> bool:
        """Whether somebody waits, who goes on with the group and sees to its commit."""
        with self._changed:
            if not self._waiting or group.size >= MOST:
                return False
            self._left_open = group
            self._is_busy = False
            self._changed.notify()
            return True

    def _take_back(self, group: _Group) -> None:
        """One has failed and is undone; those before it still want their commit."""
        if not group.size:
            self._end(group)
        elif not group.undo_part():
            group.failure = OperationalError(
                "COMMIT", None, sqlite3.OperationalError("the database took the transaction back")
            )
            self._end(group)
        elif not self._leave_to_others(group):
            self._commit(group)

    def _commit(self, group: _Group) -> None:
        try:
            group.connection.commit()
        except BaseException as failure:  # noqa: BLE001  # each of the group raises it: nobody may believe that it is stored
            group.failure = failure
            group.connection.invalidate()  # whatever is left of the transaction goes with it
        finally:
            self._end(group)

    def _end(self, group: _Group) -> None:
        try:
            group.connection.close()
        finally:
            self._pass_on()
            group.is_settled.set()

    def _pass_on(self) -> None:
        with self._changed:
            self._is_busy = False
            self._changed.notify()

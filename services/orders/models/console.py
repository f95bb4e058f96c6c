"""Tables of the console: who is logged in, who has a password, and what was done about dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, JsonText, Text, UtcDateTime


class ConsoleSessionRow(Table, table=True):
    """A login: the cookie itself is nowhere, only its SHA-256."""

    __tablename__ = "console_session"
    __table_args__ = (
        CheckConstraint("expires_at > opened_at", name="console_session_expires_later"),
        Index("console_session_expiry", "expires_at"),
        STRICT,
    )

    cookie_sha256: str = Field(sa_type=Text, primary_key=True)
    sub: str = Field(sa_type=Text)
    roles: Any = Field(sa_type=JsonText)
    company: str = Field(sa_type=Text)
    issuer: str = Field(sa_type=Text)
    is_by_password: bool = Field(sa_type=Flag)
    csrf: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class PersonSecretRow(Table, table=True):
    """The Argon2 hash of a person's password, where people log in without an OIDC provider."""

    __tablename__ = "person_secret"
    __table_args__ = (STRICT,)

    sub: str = Field(sa_type=Text, primary_key=True)
    argon2: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class PasswordLinkRow(Table, table=True):
    """A link by which one person chooses a password, once: the secret in it is nowhere, only its SHA-256."""

    __tablename__ = "password_link"
    __table_args__ = (
        CheckConstraint("expires_at > issued_at", name="password_link_expires_later"),
        Index("password_link_of", "sub"),
        STRICT,
    )

    token_sha256: str = Field(sa_type=Text, primary_key=True)
    sub: str = Field(sa_type=Text)
    issued_by: str = Field(sa_type=Text)
    issued_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeadLetterActionRow(Table, table=True):
    """What a person did about a dead letter: rows are only added."""

    __tablename__ = "dead_letter_action"
    __table_args__ = (
        CheckConstraint("source IN ('message', 'late_fact', 'fact', 'mail')", name="dead_letter_action_source_known"),
        CheckConstraint("action IN ('retry', 'dismiss')", name="dead_letter_action_known"),
        CheckConstraint("action = 'retry' OR reason <> ''", name="dead_letter_action_dismissed_for_a_reason"),
        Index("dead_letter_action_subject", "source", "subject_id"),
        STRICT,
    )

    action_id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    done_by: str = Field(sa_type=Text)
    done_role: str = Field(sa_type=Text)
    done_at: datetime = Field(sa_type=UtcDateTime)

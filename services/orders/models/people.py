"""Tables of people: the directory with limits, what was done to it, and delegations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlmodel import Field

from services.orders.models.table import Table
from services.runtime.db import STRICT, Flag, Int64, JsonText, Text, UtcDateTime


class PersonRow(Table, table=True):
    """Somebody who decides or is told; limits is currency → minor units."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("sub <> manager", name="person_is_not_the_own_manager"),
        Index("person_company", "company"),
        STRICT,
    )

    sub: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=Text)
    email: str = Field(sa_type=Text)
    roles: Any = Field(sa_type=JsonText)
    positions: Any = Field(sa_type=JsonText)
    company: str = Field(sa_type=Text)
    manager: str = Field(sa_type=Text)
    calendar: str = Field(sa_type=Text)
    is_active: bool = Field(sa_type=Flag)
    limits: Any = Field(sa_type=JsonText)
    email_by: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    authority_by: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    authority_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = Field(default=1, sa_type=Int64, sa_column_kwargs={"server_default": "1"})
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(sa_type=Text)


class AccessChangeRow(Table, table=True):
    """Who gave or took whose rights, or asked for whose password: rows are only added."""

    __tablename__ = "access_change"
    __table_args__ = (Index("access_change_of", "sub", "change_id"), STRICT)

    change_id: str = Field(sa_type=Text, primary_key=True)
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    who: str = Field(sa_type=Text)
    sub: str = Field(sa_type=Text)
    what: str = Field(sa_type=Text)
    detail: Any = Field(sa_type=JsonText)


class DelegationRow(Table, table=True):
    """Decisions handed over for a while; rows are never removed, only revoked."""

    __tablename__ = "delegation"
    __table_args__ = (
        ForeignKeyConstraint(["from_sub"], ["person.sub"], name="delegation_from"),
        ForeignKeyConstraint(["to_sub"], ["person.sub"], name="delegation_to"),
        CheckConstraint("from_sub <> to_sub", name="delegation_to_somebody_else"),
        CheckConstraint("valid_to > valid_from", name="delegation_instants_in_order"),
        CheckConstraint("max_minor IS NULL OR (max_minor >= 0 AND currency <> '')", name="delegation_maximum_sound"),
        Index("delegation_of", "from_sub"),
        Index("delegation_for", "to_sub"),
        STRICT,
    )

    delegation_id: str = Field(sa_type=Text, primary_key=True)
    from_sub: str = Field(sa_type=Text)
    to_sub: str = Field(sa_type=Text)
    valid_from: datetime = Field(sa_type=UtcDateTime)
    valid_to: datetime = Field(sa_type=UtcDateTime)
    positions: Any = Field(sa_type=JsonText)
    max_minor: int | None = Field(default=None, sa_type=Int64)
    currency: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str = Field(sa_type=Text)

"""Audits: a service's invariants, each a rule and one query that names who breaks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlmodel import Session

from oms.types.v1 import types_pb2 as types
from services.runtime.db import UtcDateTime

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule as a sentence, and a SELECT of one column: a text that people can read for each row that breaks it.

    `instants` are parameters that the query names.
    """

    name: str
    rule: str
    query: str
    instants: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """How an invariant stands: how many rows break it, and at most SHOWN of them as text, sorted."""

    name: str
    rule: str
    violations: int
    offenders: tuple[str, ...] = ()


def find(session: Session, invariant: Invariant) -> Finding:
    """Who breaks the invariant now."""
    # the query is a constant of the service; nothing from outside reaches the statement
    statement = text(
        f"WITH broken (offender) AS ({invariant.query}) "  # noqa: S608  # only our constants
        "SELECT count(*) OVER () AS violations, offender FROM broken ORDER BY offender LIMIT :shown"
    )
    instants = (bindparam(name, at, type_=UtcDateTime()) for name, at in invariant.instants.items())
    rows = session.execute(statement.bindparams(*instants), {"shown": SHOWN}).all()
    offenders = tuple(str(row.offender) for row in rows)
    return Finding(invariant.name, invariant.rule, int(rows[0].violations) if rows else 0, offenders)


def find_all(session: Session, invariants: Iterable[Invariant]) -> list[Finding]:
    """What each invariant finds, in their order."""
    return [find(session, invariant) for invariant in invariants]


def finding_of(name: str, rule: str, offenders: Sequence[str]) -> Finding:
    """The finding of a rule that one query cannot say; `offenders` are all who break it."""
    return Finding(name, rule, len(offenders), tuple(offenders[:SHOWN]))


def invariant_messages(findings: Iterable[Finding]) -> list[types.Invariant]:
    """The findings for the wire, the clean ones too."""
    return [
        types.Invariant(name=one.name, rule=one.rule, violations=one.violations, offenders=one.offenders)
        for one in findings
    ]

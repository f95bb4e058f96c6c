"""Policies: the versioned document of validation rules."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from services.kernel.errors import InvalidArgument
from services.orders import master, rules
from services.orders.api.access import CallerOf
from services.orders.api.deps import DepsOf
from services.orders.api.idempotency import OnceOf
from services.orders.api.inputs import PRINTABLE, Input, Text
from services.orders.api.paging import Page, PagingOf, cut
from services.orders.domain.policies import Policy, parse_policy

router = APIRouter(tags=["master data"])


class RuleInput(Input):
    """One check; `when` is a CEL predicate that is true when the rule is violated."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,63}$", max_length=64)]
    scope: Literal["header", "line"] = "header"
    when: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=PRINTABLE)]
    severity: Literal["BLOCK", "HOLD", "WARN"]
    message: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=PRINTABLE)]
    hold_type: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z_]{0,31})?$", max_length=32)] = ""
    owner_role: Literal["", "sales_rep", "support", "approver", "accounting", "warehouse", "manufacturing", "admin"] = (
        ""
    )


class PolicyInput(Input):
    """All rules; it becomes the next version and is in force for orders validated from then on."""

    rules: Annotated[list[RuleInput], Field(min_length=1, max_length=200)]
    note: Text = ""


class RuleShape(BaseModel):
    """One check."""

    code: str
    scope: str
    when: str
    severity: str
    message: str
    hold_type: str
    owner_role: str


class PolicyShape(BaseModel):
    """A version of the policy."""

    version: int = Field(description="0 is the one built in.")
    rules: list[RuleShape]


@router.get("/v1/policies")
def list_policies(deps: DepsOf, _who: CallerOf, paging: PagingOf) -> Page[PolicyShape]:
    """Versions, newest first; the last one is the policy built in."""
    below = version_cursor(paging.cursor)
    with deps.database.reading() as session:
        found = master.list_policies(session, below=below, limit=paging.limit + 1)
    versions = [parse_policy(row.document, row.version) for row in found]
    if len(versions) <= paging.limit:
        versions.append(rules.built_in())
    page, next_cursor = cut(versions, paging.limit, lambda row: str(row.version))
    return Page(rows=[_shape(row) for row in page], next_cursor=next_cursor)


@router.post("/v1/policies", response_model=PolicyShape, status_code=201)
def add_policy(deps: DepsOf, who: CallerOf, body: PolicyInput, once: OnceOf) -> Response:
    """Add a version; it is in force at once. A rule whose predicate does not compile is refused by its code."""

    def act(_request_id: str) -> PolicyShape:
        document = body.model_dump()
        with deps.database.transaction() as session:
            stored = master.put_policy(session, document, who.principal.sub, deps.clock())
        return _shape(parse_policy(stored.document, stored.version))

    return once.answer(body, act, 201)


def version_cursor(cursor: str) -> int | None:
    """The version that the page before ended with."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise InvalidArgument("CURSOR_INVALID", "give back next_cursor as it was given, or leave it out")
    return int(cursor)


def _shape(policy: Policy) -> PolicyShape:
    return PolicyShape(version=policy.version, rules=[RuleShape(**asdict(rule)) for rule in policy.rules])
